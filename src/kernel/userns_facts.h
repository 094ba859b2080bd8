/* What can be seen of the causes for which the kernel refuses a user namespace. */
#ifndef KERNEL_USERNS_FACTS_H
#define KERNEL_USERNS_FACTS_H

#include "kernel/userns_reason.h"

/* After a failed step, of errno code. For unshare(2) it finds which kind of namespace it was, the
 * user namespace or one of others, by trying each alone in a child; the caller must have one thread
 * only. */
void userns_facts_gather(struct userns_facts *facts, enum userns_step step, int code, int others);

#endif
