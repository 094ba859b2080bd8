#include "egress/maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "base/memory.h"
#include "egress/pin.h"

static const uint32_t config_key = 0;

static int map_info(int fd, struct bpf_map_info *ret, struct error *error)
{
	__u32 size = sizeof(*ret);

	*ret = (struct bpf_map_info){};
	if (bpf_obj_get_info_by_fd(fd, ret, &size) < 0)
		return error_errno(error, "cannot ask for a BPF map");
	return 0;
}

int maps_id(int fd, uint32_t *ret, struct error *error)
{
	struct bpf_map_info info;
	int code = map_info(fd, &info, error);

	if (code == 0)
		*ret = info.id;
	return code;
}

int maps_read_config(int fd, struct egress_config *ret, struct error *error)
{
	if (bpf_map_lookup_elem(fd, &config_key, ret) < 0)
		return error_errno(error, "cannot read the configuration of forced egress");
	return 0;
}

int maps_write_config(int fd, const struct egress_config *config, struct error *error)
{
	if (bpf_map_update_elem(fd, &config_key, config, BPF_ANY) < 0)
		return error_errno(error, "cannot configure forced egress");
	return 0;
}

int maps_read_counters(int fd, uint64_t ret[static EGRESS_REASON_COUNT], struct error *error)
{
	int processors = libbpf_num_possible_cpus();
	CLEANUP(memory_free) uint64_t *values = NULL;
	uint64_t sums[EGRESS_REASON_COUNT] = {};

	if (processors < 0)
		return error_code(error, processors, "cannot count the processors");
	values = memory_resize(NULL, (size_t)processors, sizeof(*values));
	for (uint32_t reason = 0; reason < EGRESS_REASON_COUNT; reason++) {
		if (bpf_map_lookup_elem(fd, &reason, values) < 0)
			return error_errno(error, "cannot read the counters of forced egress");
		for (int i = 0; i < processors; i++)
			sums[reason] += values[i];
	}
	memcpy(ret, sums, sizeof(sums));
	return 0;
}

/* A pinned map, if it has these sizes; else -1. */
static int open_map(const char *subu, const char *name, size_t value_size, uint32_t entries,
		    int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = -1;
	struct bpf_map_info info;
	int code = pin_open(subu, name, &fd, error);

	if (code == 0 && fd >= 0)
		code = map_info(fd, &info, error);
	if (code < 0)
		return code;
	if (fd >= 0 && info.value_size == value_size && info.max_entries == entries)
		*ret_fd = fd_take(&fd);
	return 0;
}

int maps_open(const char *subu, int *ret_config, int *ret_counters, struct error *error)
{
	CLEANUP(fd_close) int config_fd = -1;
	CLEANUP(fd_close) int counters_fd = -1;
	struct egress_config config = {};
	int code = open_map(subu, "config", sizeof(config), 1, &config_fd, error);

	if (code == 0)
		code = open_map(subu, "counters", sizeof(uint64_t), EGRESS_REASON_COUNT,
				&counters_fd, error);
	if (code == 0 && config_fd >= 0)
		code = maps_read_config(config_fd, &config, error);
	if (code < 0)
		return code;
	if (config.layout == EGRESS_LAYOUT) {
		*ret_config = fd_take(&config_fd);
		*ret_counters = fd_take(&counters_fd);
	}
	return 0;
}
