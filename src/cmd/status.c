/* status */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "cmd/run.h"
#include "run/folders.h"
#include "run/inside.h"

static const struct output_column list_columns[] = {
	{"Tunnel", "tunnel"},		{"State", "state"},
	{"Endpoint", "endpoint"},	{"Handshake", "handshake"},
	{"Received", "received_bytes"}, {"Sent", "sent_bytes"},
	{"Inside", "inside"},
};

static const struct output_column record_columns[] = {
	{"Tunnel", "tunnel"},	      {"Profile", "profile"}, {"State", "state"},
	{"Up since", "age"},	      {"Backend", "backend"}, {"Addresses", "addresses"},
	{"Supervisor", "supervisor"}, {"Log", "log"},
};

static const struct output_column peer_columns[] = {
	{"Server public key", "public_key"}, {"Endpoint", "endpoint"},
	{"Last handshake", "handshake"},     {"Received bytes", "received_bytes"},
	{"Sent bytes", "sent_bytes"},
};

static const struct output_column process_columns[] = {{"PID", "pid"}, {"Command", "command"}};

static json_t *peer_json(const struct wg_peer *peer)
{
	char key[KEY_BASE64_MAX], address[SOCKET_TEXT_MAX];
	bool located = peer->address.any.sa_family != AF_UNSPEC;

	key_to_base64(&peer->public_key, key);
	if (located)
		socket_address_format(&peer->address, address);
	return json_pack(
		"{ss ss? sI so sI sI}", "public_key", key, "endpoint", located ? address : NULL,
		"last_handshake", (json_int_t)peer->last_handshake, "handshake",
		command_age(peer->last_handshake), "received_bytes",
		(json_int_t)peer->received_bytes, "sent_bytes", (json_int_t)peer->sent_bytes);
}

/* The sums, and of the peer that was heard of last the rest: what a line of the list has room for. */
static void add_device(json_t *value, const struct wg_device *device)
{
	const struct wg_peer *latest = device->peers;
	uint64_t received = 0, sent = 0;
	json_t *peers = json_array();
	CLEANUP(output_release) json_t *one = NULL;

	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		json_array_append_new(peers, peer_json(peer));
		received += peer->received_bytes;
		sent += peer->sent_bytes;
		if (peer->last_handshake > latest->last_handshake)
			latest = peer;
	}
	if (latest) {
		one = peer_json(latest);
		json_object_set(value, "endpoint", json_object_get(one, "endpoint"));
		json_object_set(value, "handshake", json_object_get(one, "handshake"));
	}
	json_object_set_new(value, "received_bytes", json_integer((json_int_t)received));
	json_object_set_new(value, "sent_bytes", json_integer((json_int_t)sent));
	json_object_set_new(value, "peers", peers);
}

static json_t *processes_json(const struct record *record)
{
	CLEANUP(memory_free) struct inside_process *processes = NULL;
	json_t *array = json_array();
	struct error ignored;
	size_t count = 0;

	if (inside_processes(record, &processes, &count, &ignored) < 0)
		return array;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_pack("{si so}", "pid", (int)processes[i].pid,
						       "command", output_text(processes[i].name)));
	return array;
}

/* One that goes while it is looked at is shown as going. */
static json_t *tunnel_json(const struct registry *registry, const struct record *record)
{
	CLEANUP(wg_device_clear) struct wg_device device = {};
	char log[PATH_MAX];
	struct error ignored;
	json_t *processes = processes_json(record);
	json_t *value = json_pack("{ss ss? ss ss si si so so so}", "tunnel", record->name,
				  "profile", *record->profile ? record->profile : NULL, "backend",
				  backend_name(record->backend), "addresses", record->addresses,
				  "supervisor", (int)record->supervisor.pid, "inside",
				  (int)json_array_size(processes), "processes", processes, "age",
				  command_age(record->since), "log",
				  output_text(registry_file(registry, record->name, "log", log)));

	if (!record->anchor.pid) {
		json_object_set_new(value, "state", json_string("starting"));
	} else if (inside_device(registry, record, &device, &ignored) < 0) {
		json_object_set_new(value, "state", json_string("ending"));
	} else {
		json_object_set_new(value, "state", json_string("up"));
		add_device(value, &device);
	}
	return value;
}

static void show_one(const struct command *command, const json_t *value)
{
	const json_t *processes = json_object_get(value, "processes");
	const json_t *peer;
	size_t i;

	if (command->json) {
		output_json(value);
		return;
	}
	output_record(value, record_columns, ARRAY_SIZE(record_columns));
	json_array_foreach(json_object_get(value, "peers"), i, peer)
	{
		putchar('\n');
		output_record(peer, peer_columns, ARRAY_SIZE(peer_columns));
	}
	if (json_array_size(processes)) {
		putchar('\n');
		output_table(processes, process_columns, ARRAY_SIZE(process_columns));
	}
}

/* Who is asked may take his time: the lock is let go before. */
static int show_all(const struct command *command, struct registry *registry, struct error *error)
{
	CLEANUP(output_release) json_t *rows = json_array();
	struct record *records;
	size_t count;
	int code = registry_list(registry, &records, &count, error);

	registry_close(registry);
	if (code < 0)
		return code;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, tunnel_json(registry, &records[i]));
	registry_list_clear(records, count);
	if (command->json)
		output_json(rows);
	else if (count == 0)
		command_note(command, "no tunnel is up: `subu up PROFILE` brings one up");
	else
		output_table(rows, list_columns, ARRAY_SIZE(list_columns));
	return 0;
}

int cmd_status(struct command *command, int argc, char **argv, struct error *error)
{
	const struct registry_listener listener = run_listener(command);
	CLEANUP(registry_close) struct registry registry = REGISTRY_NONE;
	CLEANUP(record_clear) struct record record = {};
	CLEANUP(output_release) json_t *value = NULL;
	int code = registry_open(&listener, &registry, error);

	if (code < 0)
		return code;
	if (argc < 2)
		return show_all(command, &registry, error);
	code = registry_find(&registry, argv[1], &record, error);
	registry_close(&registry);
	if (code < 0)
		return code;
	value = tunnel_json(&registry, &record);
	show_one(command, value);
	return 0;
}
