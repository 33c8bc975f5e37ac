/*
 * shutdown.h - how evhd stops: nothing more comes in, what is under way comes
 * to its end or is handed back, and all that was started is stopped.
 *
 *   1. readiness goes false, sources drain: emit() says -ESHUTDOWN;
 *   2. what stands in back-off or before a sink hears RETRY at once;
 *   3. what is under way gets a quarter of the time to end by itself; when
 *      nothing ends any more, handlers flush what they hold;
 *   4. handlers and sinks flush, in the order of the chains, again until
 *      nothing is in flight or three quarters of the time are over;
 *   5. then what no handler has begun hears RETRY too, until the time is over;
 *   6. all stop, in the reverse order of their start, sources first.
 *
 * All of it is cut from one shutdown_timeout: steps 1 to 5 have five sixths of
 * it, and what is left then is the stops'.  A flush() or stop() that does not
 * return is left to the last resort (last_resort.h).
 */
#ifndef EVH_SHUTDOWN_H
#define EVH_SHUTDOWN_H

#include <stdbool.h>

struct host;

/*
 * Steps 1 to 5.  `hurry` is asked between them: true means at once (a second
 * SIGTERM).  Returns how many events are in flight still; what they were
 * waiting for is logged. [main]
 */
unsigned shutdown_drain(struct host *host, bool (*hurry)(struct host *host));

/* What the next stop() may take: of what is left of the time; 0 when it is
 * over, or hurried. [main] */
int shutdown_stop_ms(const struct host *host);

#endif
