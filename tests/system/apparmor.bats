# The AppArmor profile: what AppArmor's own parser makes of it, and where it is installed. AppArmor
# need not be in the kernel.

bats_require_minimum_version 1.5.0

# The profile as the parser here can read it: version 3 has neither the rule "userns" nor what abi
# 4.0 names.
readable()
{
	if [ -e /etc/apparmor.d/abi/4.0 ]; then
		cat dist/apparmor/subu
	else
		sed -e 's,<abi/4\.0>,<abi/3.0>,' -e '/^  userns,$/d' dist/apparmor/subu
	fi
}

@test "AppArmor's parser takes the profile" {
	readable >"$BATS_TEST_TMPDIR/subu"
	apparmor_parser --skip-kernel-load --skip-read-cache "$BATS_TEST_TMPDIR/subu"
	run -0 --separate-stderr apparmor_parser --names "$BATS_TEST_TMPDIR/subu"
	[ "$output" = subu ]
}

@test "the profile lets subu make user namespaces where it is installed, and holds it to nothing" {
	grep -qx '  userns,' dist/apparmor/subu
	grep -qxF 'profile subu /usr/{,local/}bin/subu flags=(unconfined) {' dist/apparmor/subu
}

# installs_profile VERSION OPTION...: "yes" or "no": does a build on a machine with that AppArmor,
# configured like that, install the profile?
installs_profile()
{
	local build version=$1

	shift
	build=$(mktemp -d "$BATS_TEST_TMPDIR/build.XXXXXX")
	# shellcheck disable=SC2016 # the shell inside expands it
	unshare --mount sh -ec 'mount -t tmpfs tmpfs /etc/apparmor.d/abi
		touch "/etc/apparmor.d/abi/$1"; shift
		exec meson setup "$@"' sh "$version" "$@" "$build" >"$build.log" ||
		{ cat "$build.log"; return 1; }
	meson introspect --installed "$build" |
		grep -q '/dist/apparmor/subu": "/etc/apparmor.d/subu"' && echo yes || echo no
}

@test "the profile is installed where AppArmor can read it, or as the builder says" {
	[ "$(installs_profile 3.0)" = no ]
	[ "$(installs_profile 4.0)" = yes ]
	[ "$(installs_profile 4.0 -Dprefix=/opt)" = no ]
	[ "$(installs_profile 3.0 -Dapparmor=enabled)" = yes ]
	[ "$(installs_profile 4.0 -Dapparmor=disabled)" = no ]
}
