#include "last_resort.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "host_tables.h"
#include "log.h"
#include "main_loop.h"
#include "marks.h"
#include "timer.h"

/* After the time to stop, or a second signal: for what is told to be quick. */
#define GRACE_NS    INT64_C(3000000000)
#define LOOK_MAX_MS 500

static _Noreturn void
end_process(const struct last_resort *last)
{
	struct host *host = last->host;

	log_write(EVH_ERROR, NULL,
		  "a plugin does not stop in time: evhd ends without it");
	if (host->marks)
		marks_keep_late(host->marks);
	_exit(atomic_load(&host->has_fatal) ? atomic_load(&host->exit_code)
					    : last->exit_code);
}

/* True when it is not needed any more. */
static bool
wait_a_while(const struct last_resort *last, int64_t left_ns)
{
	/* A third signal is nobody's. */
	nfds_t n = atomic_load(&last->host->is_hurried) ? 1 : 2;
	struct pollfd fds[] = { { last->disarm_fd, POLLIN, 0 },
				{ last->host->signal_fd, POLLIN, 0 } };
	int64_t ms = left_ns / NS_PER_MS + 1;

	if (poll(fds, n, ms < LOOK_MAX_MS ? (int)ms : LOOK_MAX_MS) <= 0)
		return false;
	if (!fds[0].revents)
		(void)main_loop_told_twice(last->host);
	return fds[0].revents != 0;
}

static void *
last_resort_main(void *arg)
{
	struct last_resort *last = arg;
	bool was_hurried = false;
	int64_t left_ns;

	while ((left_ns = last->due_ns - timer_now_ns()) > 0) {
		if (!was_hurried && atomic_load(&last->host->is_hurried)) {
			was_hurried = true;
			if (left_ns > GRACE_NS)
				last->due_ns = timer_now_ns() + GRACE_NS;
		}
		if (wait_a_while(last, left_ns))
			return NULL;
	}
	end_process(last);
}

/* 0 or -errno. */
static int
thread_start(struct last_resort *last)
{
	int rc;

	last->disarm_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (last->disarm_fd < 0)
		return -errno;
	rc = pthread_create(&last->thread, NULL, last_resort_main, last);
	if (rc != 0) {
		close(last->disarm_fd);
		last->disarm_fd = -1;
		return -rc;
	}
	(void)pthread_setname_np(last->thread, "last_resort");
	return 0;
}

void
last_resort_arm(struct last_resort *last, struct host *host, int exit_code)
{
	int64_t time_ns = host->setup->config->shutdown_timeout_ms * NS_PER_MS;
	int rc;

	*last = (struct last_resort){ .host = host,
				      .exit_code = exit_code,
				      .due_ns = timer_now_ns() + time_ns +
						GRACE_NS };
	rc = thread_start(last);
	if (rc < 0)
		log_write(EVH_WARN, NULL,
			  "nobody ends a stop that takes too long: %s",
			  strerror(-rc));
}

void
last_resort_disarm(struct last_resort *last)
{
	uint64_t one = 1;

	if (last->disarm_fd < 0)
		return;
	/* An eventfd of 0 takes it. */
	if (write(last->disarm_fd, &one, sizeof(one)) < 0)
		log_write(EVH_ERROR, NULL, "eventfd: cannot be written");
	pthread_join(last->thread, NULL);
	close(last->disarm_fd);
}
