/*
 * test_stress.c - thousands of events, everything at random, and what must hold
 * all the same: each is answered once, a key keeps its order, the window its
 * limit, and nothing is left.
 *
 * Turn by turn on one thread, where a seed repeats what happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "instance.h"
#include "log.h"
#include "stress_bench.h"
#include "timer.h"
#include "worker.h"

/* So far in the future that every back-off is over; but who waits until it is
 * ready would wait for ever within one turn. */
static void
turn_all(struct stress *s)
{
	bool is_ready = atomic_load(&s->look.el.in->is_ready);
	int64_t now_ns = timer_now_ns() + (is_ready ? INT64_C(60000000000) : 0);

	for (unsigned i = 0; i <= s->p->n_workers; i++)
		(void)worker_turn(s->p->workers[i], now_ns, false);
}

static void
run_turns(unsigned workers, enum evh_threads threads, unsigned short seed)
{
	static struct stress s;
	uintptr_t next[STRESS_EMITTERS] = { 0 };

	stress_open(&s, workers, threads, seed);
	assert_int_equal(instance_start(s.src.in), 0);
	assert_int_equal(instance_start(s.look.el.in), 0);
	assert_int_equal(instance_start(s.out.el.in), 0);
	assert_int_equal(instance_start(s.more.el.in), 0);
	assert_int_equal(instance_start(s.note.el.in), 0);
	assert_int_equal(instance_start(s.dead.el.in), 0);
	for (int i = 0; i < 100 * STRESS_EVENTS && !stress_is_over(&s); i++) {
		for (unsigned e = 0; e < STRESS_EMITTERS; e++)
			while (next[e] < STRESS_EVENTS / STRESS_EMITTERS &&
			       stress_any(4) > 0 && stress_emit(&s, e, next[e]))
				next[e]++;
		stress_act(&s, 10);
		turn_all(&s);
		assert_int_equal(s.n_wrong, 0);
	}
	stress_close(&s);
}

static void
turn_by_turn_without_workers(void **state)
{
	(void)state;
	for (unsigned short seed = 1; seed <= 3; seed++)
		run_turns(0, EVH_PARALLEL, seed);
}

static void
turn_by_turn_with_workers(void **state)
{
	(void)state;
	for (unsigned short seed = 4; seed <= 6; seed++)
		run_turns(3, EVH_PARALLEL, seed);
}

static void
turn_by_turn_one_call_at_a_time(void **state)
{
	(void)state;
	run_turns(0, EVH_SERIAL, 7);
	run_turns(2, EVH_SERIAL, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turn_by_turn_without_workers),
		cmocka_unit_test(turn_by_turn_with_workers),
		cmocka_unit_test(turn_by_turn_one_call_at_a_time),
	};

	/* Thousands of failures, all of them on purpose. */
	assert_int_equal(log_open(EVH_ERROR, LOG_LOGFMT, NULL), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
