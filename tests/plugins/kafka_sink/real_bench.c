#include "real_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fake_host.h"
#include "keeper.h"

int
bench_setup(void **state)
{
	static int n; /* a topic of its own for each test */
	struct bench *b = calloc(1, sizeof(*b));

	snprintf(b->brokers, sizeof(b->brokers), "%s:%s",
		 getenv("EVENT_HANDLER_SERVICE_KAFKA_HOST"),
		 getenv("EVENT_HANDLER_SERVICE_KAFKA_PORT"));
	snprintf(b->topic, sizeof(b->topic), "sink-%d-%d", (int)getpid(), ++n);
	b->kafka = (pid_t)strtol(getenv("EVH_KAFKA_PID"), NULL, 10);
	fake_host_init(&b->host, settings_options);
	fake_host_set(&b->host, "brokers", b->brokers);
	fake_host_set(&b->host, "topic", b->topic);
	*state = b;
	return 0;
}

void
bench_begin(struct bench *b)
{
	assert_int_equal(0, settings_read(&b->host.ctx, &b->settings));
	b->keeper = keeper_new(&b->host.ctx, &b->settings);
	assert_non_null(b->keeper);
	assert_int_equal(0, keeper_start(b->keeper));
}

int
bench_teardown(void **state)
{
	struct bench *b = *state;

	kill(b->kafka, SIGCONT);
	if (b->keeper != NULL) {
		keeper_stop(b->keeper, 5000);
		keeper_free(b->keeper);
	}
	fake_host_fini(&b->host);
	free(b);
	return 0;
}

int
bench_submit(void *self, struct evh_event *const *evs, int n)
{
	return keeper_submit(self, evs, n);
}

void
bench_offer(struct bench *b, struct fake_event *evs, int n)
{
	assert_int_equal(n, fake_submit(&b->host, bench_submit, b->keeper, evs,
					n, 60000));
}

void
bench_deliver(struct bench *b, struct fake_event *e, int ok)
{
	int64_t until_ms = clock_ms() + 60000;

	for (int answers = b->host.answers + 1; b->host.ok < ok; answers++) {
		assert_true(clock_ms() < until_ms);
		assert_true(fake_wait_ready(&b->host, true, 60000));
		e->answers = 0;
		bench_offer(b, e, 1);
		assert_true(fake_wait_answers(&b->host, answers, 60000));
	}
	assert_int_equal(ok, b->host.ok);
}
