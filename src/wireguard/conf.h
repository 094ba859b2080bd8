/* wg-quick's configuration format (wg-quick(8), wg(8)). */
#ifndef WIREGUARD_CONF_H
#define WIREGUARD_CONF_H

#include <stddef.h>

#include "base/secret_text.h"
#include "model/tunnel.h"

#define CONF_SIZE_MAX (1 << 20) /* bytes; a larger file is refused */

/* Reads the text of a .conf file into *ret, for the caller to clear with tunnel_clear(). What the
 * text does not say is left zero, the id too; only `routes` is true then. Keys in any case,
 * comments, CRLF and a UTF-8 byte order mark are taken as wg-quick and editors write them. Errors
 * name `name` and the line: an unknown key or section, a bad value, a second [Interface] or key
 * that may stand once, a missing PrivateKey or PublicKey, a peer or a network claimed twice,
 * control characters. Whether a device can be made of what it says is for tunnel_check(). No
 * message shows a key. PreUp, PostUp, PreDown, PostDown and SaveConfig are never run: *ret_ignored
 * counts them, for the caller to say. */
int conf_parse(const char *name, const char *text, size_t size, struct tunnel *ret,
	       unsigned int *ret_ignored, struct error *error);

/* Can a tunnel that was read be run? What tunnel_check() asks for, and an address, without which
 * nothing can go through it. Errors name `name`. -EINVAL. */
int conf_check(const char *name, const struct tunnel *tunnel, struct error *error);

/* Reads the text of a file, for the caller to clear; refuses one that is not a regular file or too
 * large. */
int conf_read_text(const char *path, struct secret_text *ret, struct error *error);

/* conf_read_text(), conf_parse(), and the text is wiped. */
int conf_read(const char *path, struct tunnel *ret, unsigned int *ret_ignored, struct error *error);

#endif
