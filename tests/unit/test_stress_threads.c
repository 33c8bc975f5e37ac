/*
 * test_stress_threads.c - what must hold of thousands of events, everything at
 * random, with the threads that there really are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "log.h"
#include "stress_bench.h"

#define EVENTS 6000 /* fewer: threads wait for each other */

struct emitter {
	struct stress *s;
	unsigned number;
};

static void *
emit_all(void *arg)
{
	const struct timespec pause = { 0, 100000 };
	struct emitter *e = arg;

	for (uintptr_t i = 0; i < EVENTS / STRESS_EMITTERS;) {
		stress_look_at_window();
		if (stress_emit(e->s, e->number, i))
			i++;
		else
			nanosleep(&pause, NULL); /* what else comes first */
	}
	return NULL;
}

static void *
act_until_over(void *arg)
{
	const struct timespec pause = { 0, 20000 };
	struct stress *s = arg;

	for (int i = 0; !stress_is_over(s); i++) {
		stress_act(s, 100);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/*
 * A sink that says RETRY while another thread is on its way into its submit()
 * keeps no order, whoever's fault that is: either that, or the look at it.
 */
static void
run_threads(unsigned workers, enum evh_threads threads, bool is_ordered)
{
	static struct stress s;
	struct emitter emitters[STRESS_EMITTERS];
	pthread_t actor, thread[STRESS_EMITTERS];

	stress_open(&s, workers, threads, 9);
	s.n_events = EVENTS;
	s.is_without_retry = is_ordered;
	s.out.is_ordered = is_ordered;
	s.more.is_ordered = is_ordered;
	rig_start(s.rig);
	assert_int_equal(pthread_create(&actor, NULL, act_until_over, &s), 0);
	for (unsigned e = 0; e < STRESS_EMITTERS; e++) {
		emitters[e] = (struct emitter){ &s, e };
		assert_int_equal(pthread_create(&thread[e], NULL, emit_all,
						&emitters[e]),
				 0);
	}
	for (unsigned e = 0; e < STRESS_EMITTERS; e++)
		pthread_join(thread[e], NULL);
	pthread_join(actor, NULL);
	stress_close(&s);
}

static void
with_threads_and_no_workers(void **state)
{
	(void)state;
	run_threads(0, EVH_PARALLEL, true);
}

static void
with_threads_and_workers(void **state)
{
	(void)state;
	run_threads(3, EVH_PARALLEL, true);
}

static void
with_threads_one_call_at_a_time(void **state)
{
	(void)state;
	run_threads(2, EVH_SERIAL, true);
}

static void
with_threads_and_retries(void **state)
{
	(void)state;
	run_threads(2, EVH_PARALLEL, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_threads_and_no_workers),
		cmocka_unit_test(with_threads_and_workers),
		cmocka_unit_test(with_threads_one_call_at_a_time),
		cmocka_unit_test(with_threads_and_retries),
	};

	/* Thousands of failures, all of them on purpose. */
	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, NULL), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
