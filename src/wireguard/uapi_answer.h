/* The answer to a UAPI request (https://www.wireguard.com/xplatform/), line by line. No system
 * call, but one to find the interface of a link-local endpoint. */
#ifndef WIREGUARD_UAPI_ANSWER_H
#define WIREGUARD_UAPI_ANSWER_H

#include <stdbool.h>

#include "base/error.h"
#include "model/tunnel.h"

#define UAPI_ANSWER_LINE_MAX 256 /* with its NUL: a key and a value, either known or not */

struct uapi_answer {
	struct wg_device device; /* owned: what "get" has told so far */
	int code;		 /* the engine's verdict: 0 or a positive errno */
	bool judged;		 /* code is there: the empty line follows */
	bool ended;		 /* with the empty line: nothing follows */
};

void uapi_answer_clear(struct uapi_answer *answer);

/* Takes a line, without its newline. -EPROTO for one that is not right: a value malformed or out of
 * range, a peer's key before the first peer, the verdict missing, anything after it. A key that is
 * not known is passed over, as newer engines may have more of them. No message quotes a value. */
int uapi_answer_take(struct uapi_answer *answer, const char *line, struct error *error);

#endif
