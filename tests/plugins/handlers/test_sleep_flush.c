/*
 * test_sleep_flush.c - what sleep owes when its flush() returns.
 *
 * The plugin with a host of the test's own, whose resume() takes as long as
 * the test says: on a busy machine the handler's thread may stand anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evh/plugin.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static sem_t resuming, may_return;
static atomic_int n_resumed;

static int64_t
host_opt_int(struct evh_ctx *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "hold") == 0 ? 1 : 0; /* time: 0 ms */
}

static void *
host_event_alloc(struct evh_ctx *ctx, struct evh_event *ev, size_t n)
{
	static char sleeper[256];

	(void)ctx;
	(void)ev;
	assert_true(n <= sizeof(sleeper));
	return sleeper;
}

static void
host_resume(struct evh_ctx *ctx, struct evh_event *ev, enum evh_result result)
{
	(void)ctx;
	(void)ev;
	(void)result;
	sem_post(&resuming);
	sem_wait(&may_return);
	atomic_fetch_add(&n_resumed, 1);
}

/* Long after a flush() that does not wait for it has returned. */
static void *
let_return_later(void *arg)
{
	const struct timespec later = { .tv_nsec = 200000000 };

	(void)arg;
	nanosleep(&later, NULL);
	sem_post(&may_return);
	return NULL;
}

static void
flush_owes_nothing_when_it_returns(void **state)
{
	struct evh_ctx ctx = { .size = sizeof(ctx),
			       .event_size = sizeof(struct evh_event),
			       .name = "sleep",
			       .opt_int = host_opt_int,
			       .event_alloc = host_event_alloc,
			       .resume = host_resume };
	struct evh_event ev = { .name = "a" };
	pthread_t other;
	void *self;

	(void)state;
	sem_init(&resuming, 0, 0);
	sem_init(&may_return, 0, 0);
	assert_int_equal(evh_plugin.create(&ctx, &self), 0);
	assert_int_equal(evh_plugin.start(self), 0);
	assert_int_equal(evh_plugin.process(self, &ev), EVH_HOLD);
	sem_wait(&resuming);
	assert_int_equal(pthread_create(&other, NULL, let_return_later, NULL),
			 0);
	evh_plugin.flush(self, 1);
	assert_int_equal(n_resumed, 1);
	pthread_join(other, NULL);
	evh_plugin.stop(self, 1000);
	evh_plugin.destroy(self);
	sem_destroy(&resuming);
	sem_destroy(&may_return);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flush_owes_nothing_when_it_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
