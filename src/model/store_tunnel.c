/* The rows of tunnels and their peers. What was written by this program is read with the same
 * parsers that read the user's words: a row that they refuse is a damaged database. */
#include <errno.h>
#include <string.h>

#include "model/sql.h"
#include "model/store.h"

static void bind_key(sqlite3_stmt *statement, int index, const struct key *key)
{
	sqlite3_bind_blob(statement, index, key->bytes, KEY_SIZE, SQLITE_STATIC);
}

static int read_key(struct store *store, sqlite3_stmt *row, int column, struct key *ret,
		    struct error *error)
{
	const void *bytes = sqlite3_column_blob(row, column);

	if (!bytes || sqlite3_column_bytes(row, column) != KEY_SIZE)
		return sql_damaged(store, "a key is not 32 bytes", error);
	memcpy(ret->bytes, bytes, KEY_SIZE);
	return 0;
}

static int read_peer(struct store *store, sqlite3_stmt *row, struct wg_device *device,
		     struct error *error)
{
	struct wg_peer *peer = wg_device_append_peer(device);
	const char *endpoint = sql_text(row, 2);

	if (read_key(store, row, 0, &peer->public_key, error) < 0 ||
	    read_key(store, row, 1, &peer->preshared_key, error) < 0)
		return -error->code;
	if (*endpoint && endpoint_parse(endpoint, &peer->endpoint, error) < 0)
		return sql_damaged(store, "a peer's endpoint", error);
	peer->keepalive = (uint16_t)sqlite3_column_int(row, 3);
	if (cidr_list_parse(sql_text(row, 4), &peer->allowed_ips, error) < 0)
		return sql_damaged(store, "a peer's allowed IPs", error);
	return 0;
}

static int read_peers(struct store *store, struct tunnel *tunnel, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store,
			       "SELECT public_key, preshared_key, endpoint, keepalive, allowed_ips "
			       "FROM peer WHERE wg = ? ORDER BY place",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, tunnel->id);
	while ((code = sql_step(store, statement, error)) > 0) {
		code = read_peer(store, statement, &tunnel->device, error);
		if (code < 0)
			return code;
	}
	return code;
}

static int read_tunnel(struct store *store, sqlite3_stmt *row, struct tunnel *tunnel,
		       struct error *error)
{
	tunnel->id = (uint32_t)sqlite3_column_int64(row, 0);
	if (read_key(store, row, 1, &tunnel->device.private_key, error) < 0)
		return -error->code;
	tunnel->device.listen_port = (uint16_t)sqlite3_column_int(row, 2);
	tunnel->device.fwmark = (uint32_t)sqlite3_column_int64(row, 3);
	tunnel->mtu = (uint32_t)sqlite3_column_int(row, 4);
	tunnel->routes = sqlite3_column_int(row, 5);
	tunnel->from_pool = sqlite3_column_int(row, 8);
	if (cidr_list_parse(sql_text(row, 6), &tunnel->addresses, error) < 0)
		return sql_damaged(store, "a tunnel's addresses", error);
	if (dns_parse(sql_text(row, 7), &tunnel->dns, error) < 0)
		return sql_damaged(store, "a tunnel's DNS", error);
	return read_peers(store, tunnel, error);
}

int store_find_tunnel(struct store *store, uint32_t id, struct tunnel *ret, struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(tunnel_clear) struct tunnel tunnel = {};
	int code = sql_prepare(store,
			       "SELECT id, private_key, listen_port, fwmark, mtu, routes, "
			       "addresses, dns, from_pool FROM wg WHERE id = ?",
			       &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, id);
	code = sql_step(store, statement, error);
	if (code == 0)
		return error_set(error, ENOENT, "there is no tunnel WG_%u: see `subu WG list`", id);
	if (code > 0)
		code = read_tunnel(store, statement, &tunnel, error);
	if (code < 0)
		return code;
	*ret = tunnel;
	tunnel = (struct tunnel){};
	return 0;
}

int store_list_tunnel_ids(struct store *store, uint32_t **ret, size_t *ret_count,
			  struct error *error)
{
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	CLEANUP(memory_free) uint32_t *list = NULL;
	size_t count = 0;
	int code = sql_prepare(store, "SELECT id FROM wg ORDER BY id", &statement, error);

	if (code < 0)
		return code;
	while ((code = sql_step(store, statement, error)) > 0) {
		list = memory_resize(list, count + 1, sizeof(*list));
		list[count++] = (uint32_t)sqlite3_column_int64(statement, 0);
	}
	if (code < 0)
		return code;
	*ret = MEMORY_TAKE(list);
	*ret_count = count;
	return 0;
}

static int write_peer(struct store *store, uint32_t tunnel, size_t place,
		      const struct wg_peer *peer, struct error *error)
{
	CLEANUP(memory_free) char *allowed_ips = cidr_list_format(&peer->allowed_ips);
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	char endpoint[ENDPOINT_TEXT_MAX] = "";
	int code = sql_prepare(store,
			       "INSERT INTO peer (wg, place, public_key, preshared_key, endpoint, "
			       "keepalive, allowed_ips) VALUES (?, ?, ?, ?, ?, ?, ?)",
			       &statement, error);

	if (code < 0)
		return code;
	if (*peer->endpoint.host)
		endpoint_format(&peer->endpoint, endpoint);
	sqlite3_bind_int64(statement, 1, tunnel);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)place);
	bind_key(statement, 3, &peer->public_key);
	bind_key(statement, 4, &peer->preshared_key);
	sqlite3_bind_text(statement, 5, endpoint, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 6, peer->keepalive);
	sqlite3_bind_text(statement, 7, allowed_ips, -1, SQLITE_STATIC);
	return sql_run(store, statement, error);
}

/* Writes the row with the statement, which has the columns in the table's order, and all peers. */
static int write_tunnel(struct store *store, const char *text, const struct tunnel *tunnel,
			struct error *error)
{
	CLEANUP(memory_free) char *addresses = cidr_list_format(&tunnel->addresses);
	CLEANUP(memory_free) char *dns = dns_format(&tunnel->dns);
	CLEANUP(sql_finalize) sqlite3_stmt *statement = NULL;
	int code = sql_prepare(store, text, &statement, error);

	if (code < 0)
		return code;
	sqlite3_bind_int64(statement, 1, tunnel->id);
	bind_key(statement, 2, &tunnel->device.private_key);
	sqlite3_bind_int(statement, 3, tunnel->device.listen_port);
	sqlite3_bind_int64(statement, 4, tunnel->device.fwmark);
	sqlite3_bind_int64(statement, 5, tunnel->mtu);
	sqlite3_bind_int(statement, 6, tunnel->routes);
	sqlite3_bind_text(statement, 7, addresses, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 8, dns, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 9, tunnel->from_pool);
	code = sql_run(store, statement, error);
	if (code == 0)
		code = sql_run_with_id(store, "DELETE FROM peer WHERE wg = ?", tunnel->id, error);
	for (size_t i = 0; code == 0 && i < tunnel->device.peer_count; i++)
		code = write_peer(store, tunnel->id, i, &tunnel->device.peers[i], error);
	return code;
}

int store_add_tunnel(struct store *store, struct tunnel *tunnel, struct error *error)
{
	int code = store_next_id(store, "next-wg", &tunnel->id, error);

	if (code < 0)
		return code;
	return write_tunnel(store,
			    "INSERT INTO wg (id, private_key, listen_port, fwmark, mtu, routes, "
			    "addresses, dns, from_pool) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			    tunnel, error);
}

int store_update_tunnel(struct store *store, const struct tunnel *tunnel, struct error *error)
{
	return write_tunnel(store,
			    "UPDATE wg SET private_key = ?2, listen_port = ?3, fwmark = ?4, "
			    "mtu = ?5, routes = ?6, addresses = ?7, dns = ?8, "
			    "from_pool = ?9 WHERE id = ?1",
			    tunnel, error);
}

int store_delete_tunnel(struct store *store, uint32_t id, struct error *error)
{
	return sql_run_with_id(store, "DELETE FROM wg WHERE id = ?", id, error);
}
