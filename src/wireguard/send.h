/* What goes out to a peer. */
#ifndef WIREGUARD_SEND_H
#define WIREGUARD_SEND_H

#include <stdbool.h>

#include "wireguard/device_state.h"

/* Sends an initiation, unless one of our handshake messages was sent within REKEY_TIMEOUT or nobody
 * knows where to. Unless it is a retry, REKEY_ATTEMPT_TIME begins anew (section 6.4). */
void send_initiation(struct work *work, struct peer *peer, bool retry);

/* Answers the initiation that was just accepted. */
void send_response(struct work *work, struct peer *peer);

/* Answers a handshake message with a cookie for its sender; the packet is used up. */
void send_cookie_reply(struct work *work, struct packet *packet);

/* Makes the session of a complete handshake. False when it could not. */
bool send_begin_session(struct work *work, struct peer *peer);

/* Sends what waits for this peer, or begins the handshake that it waits for. */
void send_staged(struct work *work, struct peer *peer);

/* Sends what waits, or an empty packet if nothing does. */
void send_keepalive(struct work *work, struct peer *peer);

#endif
