/* Clients at the UAPI socket, as many as SLOTS at a time, none of whom is waited for.
 *
 * A client is in one of two states: its request is being read (EPOLLIN), or the answer to it is
 * being written (EPOLLOUT) and nothing more is read until it is out. So a client that does not read
 * its answers holds one answer, and one that sends without end is cut off at REQUEST_MAX. Each turn
 * moves at most CHUNK bytes a client, so that packets get their turn in between. When all slots are
 * taken, a newcomer gets that of the client that has been silent the longest.
 *
 * All descriptors are in an epoll set of their own, which the engine waits on as on one descriptor.
 * Requests and answers hold private keys: whatever memory they were in is wiped. */
#include "wireguard/uapi_server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/memory.h"

#define SLOTS	      16
#define REQUEST_FIRST 4096	 /* bytes: most need no more; it is doubled */
#define REQUEST_MAX   (16 << 20) /* bytes; 50,000 peers of a few networks each */
#define CHUNK	      (64 << 10) /* bytes read at a time */

struct client {
	int fd;	       /* owned; -1: a free slot */
	uint64_t turn; /* when it was last heard of */
	char *request; /* owned */
	size_t request_size, capacity;
	char *answer; /* owned; NULL: the request is being read */
	size_t answer_size, answer_sent;
	bool last; /* close when the answer is out */
};

struct uapi_server {
	const struct uapi_handler *handler;
	int epoll;    /* owned */
	int listener; /* owned */
	uint64_t turn;
	struct client clients[SLOTS];
};

/* Makes the way free for a new socket: away with one whose process has gone. */
static int remove_stale(const struct sockaddr_un *address, struct error *error)
{
	CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat status;

	if (lstat(address->sun_path, &status) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_errno(error, "cannot look at %s", address->sun_path);
	}
	if (!S_ISSOCK(status.st_mode))
		return error_set(error, EEXIST, "%s is there and is no socket", address->sun_path);
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return error_set(error, EBUSY, "another process answers at %s already",
				 address->sun_path);
	if (errno != ECONNREFUSED)
		return error_errno(error, "cannot tell who answers at %s", address->sun_path);
	if (unlink(address->sun_path) < 0)
		return error_errno(error, "cannot remove the stale socket %s", address->sun_path);
	return 0;
}

int uapi_make_folder(struct error *error)
{
	if (mkdir(UAPI_FOLDER, 0755) < 0 && errno != EEXIST)
		return error_errno(error, "cannot make the folder %s", UAPI_FOLDER);
	return 0;
}

int uapi_listen(const char *path, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	mode_t mask;
	int code = uapi_address(path, &address, error);

	if (code < 0)
		return code;
	if (fd < 0)
		return error_errno(error, "cannot make a socket");
	code = remove_stale(&address, error);
	if (code < 0)
		return code;
	mask = umask(0177);
	code = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (code < 0 || listen(fd, SLOTS) < 0)
		return error_errno(error, "cannot listen at %s", path);
	*ret_fd = fd_take(&fd);
	return 0;
}

/* Where the name of the file begins. */
static const char *file_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

int uapi_watch_removal(const char *path, int *ret_fd, struct error *error)
{
	CLEANUP(fd_close) int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	CLEANUP(memory_free) char *folder = memory_strdup(path);

	folder[file_name(path) - path] = '\0';
	if (fd < 0 || inotify_add_watch(fd, folder, IN_DELETE | IN_MOVED_FROM) < 0)
		return error_errno(error, "cannot watch %s", folder);
	*ret_fd = fd_take(&fd);
	return 0;
}

bool uapi_removed(int fd, const char *path)
{
	_Alignas(struct inotify_event) char events[4096];
	const struct inotify_event *event;
	ssize_t size;

	while ((size = read(fd, events, sizeof(events))) > 0) {
		for (char *at = events; at < events + size; at += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)at;
			if (event->len && strcmp(event->name, file_name(path)) == 0)
				return true;
		}
	}
	return false;
}

static void wipe_and_free(char **block, size_t size)
{
	if (*block)
		explicit_bzero(*block, size);
	memory_free(block);
}

static void client_close(struct client *client)
{
	wipe_and_free(&client->request, client->capacity);
	wipe_and_free(&client->answer, client->answer_size);
	fd_close(&client->fd); /* and so leaves the epoll set */
	*client = (struct client){.fd = -1};
}

struct uapi_server *uapi_server_create(int listener, const struct uapi_handler *handler,
				       struct error *error)
{
	CLEANUP(uapi_server_free) struct uapi_server *server = memory_zalloc(sizeof(*server));
	struct epoll_event event = {.events = EPOLLIN};

	server->handler = handler;
	server->listener = listener;
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < SLOTS; i++)
		server->clients[i].fd = -1;
	if (server->epoll < 0 || epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
		error_errno(error, "cannot wait for clients");
		return NULL;
	}
	return MEMORY_TAKE(server);
}

void uapi_server_free(struct uapi_server **server)
{
	if (!*server)
		return;
	for (unsigned int i = 0; i < SLOTS; i++)
		client_close(&(*server)->clients[i]);
	fd_close(&(*server)->listener);
	fd_close(&(*server)->epoll);
	memory_free(server);
}

int uapi_server_fd(const struct uapi_server *server)
{
	return server->epoll;
}

static void wait_for(struct uapi_server *server, struct client *client, int operation,
		     uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(server->epoll, operation, client->fd, &event) < 0)
		client_close(client);
}

/* A free slot, or that of the client that has been silent the longest. */
static struct client *find_slot(struct uapi_server *server)
{
	struct client *oldest = &server->clients[0];

	for (unsigned int i = 0; i < SLOTS; i++) {
		struct client *client = &server->clients[i];

		if (client->fd < 0)
			return client;
		if (client->turn < oldest->turn)
			oldest = client;
	}
	client_close(oldest);
	return oldest;
}

static void accept_one(struct uapi_server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0)
		return;
	client = find_slot(server);
	client->fd = fd;
	client->turn = ++server->turn;
	wait_for(server, client, EPOLL_CTL_ADD, EPOLLIN);
}

static void answer_status(struct client *client, int code)
{
	client->answer = memory_zalloc(UAPI_STATUS_MAX);
	client->answer_size = uapi_print_status(code, client->answer);
}

/* Carries out the request of the first size bytes. */
static void answer(struct uapi_server *server, struct client *client, size_t size)
{
	const struct uapi_handler *handler = server->handler;
	CLEANUP(wg_change_clear) struct wg_change change = {};
	CLEANUP(wg_device_clear) struct wg_device device = {};
	enum uapi_operation operation;
	struct error error;
	int code = uapi_parse(client->request, size, &operation, &change, &error);

	if (code == 0 && operation == UAPI_GET) {
		handler->get(handler->context, &device);
		client->answer = uapi_print_device(&device, &client->answer_size);
		return;
	}
	if (code == 0)
		code = handler->set(handler->context, &change, &error);
	if (code < 0)
		handler->refused(handler->context, &error);
	answer_status(client, code);
}

/* Where the first request ends, looking only from byte `from` on; 0: not all of it is here. */
static size_t request_end(const struct client *client, size_t from)
{
	const char *start = client->request + (from ? from - 1 : 0);
	const char *end =
		memmem(start, client->request_size - (size_t)(start - client->request), "\n\n", 2);

	return end ? (size_t)(end - client->request) + 2 : 0;
}

static bool may_become_request(const struct client *client)
{
	size_t size = client->request_size < UAPI_BEGINNING ? client->request_size : UAPI_BEGINNING;

	return memcmp(client->request, "get=1\n", size) == 0 ||
	       memcmp(client->request, "set=1\n", size) == 0;
}

/* Answers the first request, if it is here, and keeps what comes behind it. */
static void take_request(struct uapi_server *server, struct client *client, size_t from)
{
	size_t end = request_end(client, from);

	if (!may_become_request(client) || (!end && client->request_size == REQUEST_MAX)) {
		answer_status(client, -EPROTO);
		client->last = true;
	} else if (end) {
		answer(server, client, end);
		client->request_size -= end;
		memmove(client->request, client->request + end, client->request_size);
		explicit_bzero(client->request + client->request_size, end);
	}
	if (client->answer)
		wait_for(server, client, EPOLL_CTL_MOD, EPOLLOUT);
}

/* Room for more, as far as REQUEST_MAX. */
static void make_room(struct client *client)
{
	size_t capacity = client->capacity ? client->capacity * 2 : REQUEST_FIRST;
	char *grown;

	if (client->request_size < client->capacity)
		return;
	grown = memory_resize(NULL, capacity, 1);
	if (client->request_size)
		memcpy(grown, client->request, client->request_size);
	wipe_and_free(&client->request, client->capacity);
	client->request = grown;
	client->capacity = capacity;
}

static void read_some(struct uapi_server *server, struct client *client)
{
	size_t from = client->request_size, room;
	ssize_t size;

	make_room(client);
	room = client->capacity - from;
	size = recv(client->fd, client->request + from, room < CHUNK ? room : CHUNK, MSG_DONTWAIT);
	if (size > 0) {
		client->request_size += (size_t)size;
		take_request(server, client, from);
	} else if (size == 0 || errno != EAGAIN) {
		client_close(client);
	}
}

static void write_some(struct uapi_server *server, struct client *client)
{
	size_t left = client->answer_size - client->answer_sent;
	ssize_t size = send(client->fd, client->answer + client->answer_sent,
			    left < CHUNK ? left : CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (size < 0) {
		if (errno != EAGAIN)
			client_close(client);
		return;
	}
	client->answer_sent += (size_t)size;
	if (client->answer_sent < client->answer_size)
		return;
	wipe_and_free(&client->answer, client->answer_size);
	client->answer_size = client->answer_sent = 0;
	if (client->last) {
		client_close(client);
		return;
	}
	wait_for(server, client, EPOLL_CTL_MOD, EPOLLIN);
	if (client->request_size)
		take_request(server, client, 0);
}

void uapi_server_run(struct uapi_server *server)
{
	struct epoll_event events[SLOTS + 1];
	int count = epoll_wait(server->epoll, events, ARRAY_SIZE(events), 0);

	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if (!client) {
			accept_one(server);
			continue;
		}
		client->turn = ++server->turn;
		if (client->answer)
			write_some(server, client);
		else if (client->fd >= 0)
			read_some(server, client);
	}
}
