/* What of a profile's text may be shown, pure. */
#ifndef RUN_PROFILE_TEXT_H
#define RUN_PROFILE_TEXT_H

#include "base/secret_text.h"

#define PROFILE_TEXT_HIDDEN "(hidden)"

/* Makes the text without its secrets, for the caller to clear. Hidden is all behind the '=' of a
 * PrivateKey or PresharedKey, in any case, with any spacing, and in comments too, which often hold
 * an earlier key; and whatever else looks like a key in base64, but as the value of a PublicKey.
 * Lines and their ends stay. The text need not be a good one. */
void profile_text_hide(const struct secret_text *text, struct secret_text *ret);

#endif
