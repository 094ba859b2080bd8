# The front door: what a person types. Meson and ninja build, tests/run tests; a target here is one
# call of theirs.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help depends build build-asan build-fuzz demo check check-asan check-vm fuzz bench-egress bench-engine bench-run install clean
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 60

build/build.ninja: options = --werror -Dprefix=$(PREFIX)
build-asan/build.ninja: options = --werror -Db_sanitize=address,undefined -Db_lundef=false
build-fuzz/build.ninja: options = --werror -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
build-fuzz/build.ninja: export CC = clang

help: ## say what there is (this)
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-14s %s\n' "  $$name" "$$text"; done

build: build/build.ninja ## build/src/subu and the tests
	@ninja -C build

demo: depends build ## a sub-user fetches a page through a tunnel, in seconds (root)
	@tests/demo build/src/subu

check: depends build build-fuzz ## all tests (root)
	@tests/run house style unit system fuzz vm

check-asan: depends build-asan ## unit and system tests under ASan and UBSan (root)
	@tests/run -b build-asan unit system

check-vm: depends build ## the whole table of tests for other kernels, 6.1 and 6.12 (root)
	@tests/run vm-all

fuzz: depends build-fuzz ## each fuzz target for FUZZ_SECONDS=60
	@tests/fuzz/run $(FUZZ_SECONDS)

bench-egress: depends build ## what steering costs, with and without in one run (root)
	@tests/bench/egress build/src/subu build/tests/bench/bench-calls

bench-engine: depends build ## how fast the engine is, next to wireguard-go in one run (root)
	@tests/bench/engine build/src/subu

bench-run: depends build ## how long run takes to start, and what it carries (root)
	@tests/bench/run build/src/subu build/tests/bench/bench-start

install: build ## below PREFIX=/usr/local, staged in DESTDIR
	@meson configure build -Dprefix=$(PREFIX)
	@meson install -C build --destdir '$(DESTDIR)'

clean: ## remove all that was built
	rm -rf build build-asan build-fuzz

depends: ## install the packages that building and testing need (root, apt)
	@dist/install-build-depends

build-asan build-fuzz: %: %/build.ninja
	@ninja -C $@

# A folder without build.ninja is what a failed setup left: Meson would take its options for ours.
%/build.ninja:
	@rm -rf $*
	meson setup $* $(options)
