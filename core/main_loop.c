#include "main_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "every.h"
#include "host_tables.h"
#include "log.h"
#include "marks.h"
#include "notify.h"
#include "signals.h"

#define LOOP_MAX_MS 60000

static void
announce_readiness(struct host *host, bool *was_ready)
{
	bool is_ready = host_is_ready(host);

	if (is_ready == *was_ready)
		return;
	*was_ready = is_ready;
	log_write(EVH_INFO, NULL,
		  is_ready ? "evhd is ready" : "evhd is not ready");
	if (is_ready)
		notify_ready();
	else
		notify_status("not ready");
}

void
main_loop_wait(struct host *host, int timeout_ms)
{
	/* A third signal is nobody's. */
	nfds_t n = atomic_load(&host->is_hurried) ? 1 : 2;
	struct pollfd fds[] = { { host->wake_fd, POLLIN, 0 },
				{ host->signal_fd, POLLIN, 0 } };
	uint64_t count;

	every_run(host);
	if (poll(fds, n, every_wait_ms(host, timeout_ms)) < 0 &&
	    errno != EINTR) {
		log_write(EVH_ERROR, NULL, "poll: %s", strerror(errno));
		host_fatal(host, EX_OSERR);
	}
	while (read(host->wake_fd, &count, sizeof(count)) > 0)
		;
}

bool
main_loop_turn(struct host *host, int timeout_ms)
{
	main_loop_wait(host, timeout_ms);
	return signals_read(host->signal_fd) || atomic_load(&host->has_fatal);
}

void
main_loop_run(struct host *host)
{
	bool was_ready = false;

	do {
		/* What is due may change readiness, and is told of before the
		 * wait. */
		every_run(host);
		announce_readiness(host, &was_ready);
	} while (!main_loop_turn(host, host->marks
					       ? marks_collect_ms(host->marks)
					       : LOOP_MAX_MS));
}

bool
main_loop_told_twice(struct host *host)
{
	if (!atomic_load(&host->is_hurried) && signals_read(host->signal_fd)) {
		log_write(EVH_WARN, NULL,
			  "a second signal: not waiting any longer");
		atomic_store(&host->is_hurried, true);
	}
	return atomic_load(&host->is_hurried);
}

bool
main_loop_hurries(struct host *host)
{
	every_run(host);
	return main_loop_told_twice(host);
}
