/*
 * test_offsets.c - the tracker against a naive model: a plain list of
 * everything that was taken, looked through from the front each time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "offsets.h"

#define MODEL_MAX 100000

struct model_entry {
	int64_t offset;
	uint32_t slot;
	enum { WAITING, DONE, LOST } state;
};

struct model {
	struct model_entry entries[MODEL_MAX];
	unsigned n;
	int64_t start; /* -1: nothing is known to be done */
	uint32_t generation;
};

static int64_t
model_next(const struct model *m)
{
	int64_t next = m->start;

	for (unsigned i = 0; i < m->n && m->entries[i].state == DONE; i++)
		next = m->entries[i].offset + 1;
	return next;
}

static unsigned
model_count_waiting(const struct model *m)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n; i++)
		n += m->entries[i].state == WAITING;
	return n;
}

static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static unsigned
random_below(uint64_t *state, unsigned n)
{
	return (unsigned)(random_next(state) % n);
}

static uint32_t
add(struct offsets *o, int64_t offset)
{
	uint32_t slot;

	assert_int_equal(offsets_add(o, offset, &slot), 0);
	return slot;
}

static void
next_moves_only_over_a_contiguous_done_prefix(void **state)
{
	struct offsets o;
	uint32_t a, b, c;

	(void)state;
	offsets_init(&o, 1024);
	a = add(&o, 10);
	b = add(&o, 11);
	c = add(&o, 12);
	assert_int_equal(o.next, -1);
	assert_int_equal(offsets_position(&o), 10);
	assert_int_equal(offsets_done(&o, 0, c), 0);
	assert_int_equal(offsets_done(&o, 0, b), 0);
	assert_int_equal(o.next, -1);
	assert_int_equal(offsets_done(&o, 0, a), 1);
	assert_int_equal(o.next, 13);
	assert_int_equal(offsets_position(&o), 13);
	offsets_fini(&o);
}

static void
gaps_between_offsets_are_no_obstacle(void **state)
{
	struct offsets o;
	uint32_t a, b;

	(void)state;
	offsets_init(&o, 1024);
	a = add(&o, 5);
	b = add(&o, 1000000000000);
	assert_int_equal(offsets_done(&o, 0, a), 1);
	assert_int_equal(o.next, 6);
	assert_int_equal(offsets_done(&o, 0, b), 1);
	assert_int_equal(o.next, 1000000000001);
	offsets_fini(&o);
}

static void
an_answer_of_an_older_generation_changes_nothing(void **state)
{
	struct offsets o;
	int64_t offset = 77;
	uint32_t slot;

	(void)state;
	offsets_init(&o, 1024);
	offsets_reset(&o, 4);
	slot = add(&o, 1);
	offsets_reset(&o, 5);
	assert_int_equal(add(&o, 1), slot);
	assert_int_equal(offsets_done(&o, 4, slot), -ESTALE);
	assert_int_equal(offsets_lost(&o, 4, slot, &offset), -ESTALE);
	assert_int_equal(offset, 77);
	assert_int_equal(o.next, -1);
	assert_int_equal(o.n_waiting, 1);
	offsets_fini(&o);
}

static void
a_slot_is_answered_once(void **state)
{
	struct offsets o;
	int64_t offset;
	uint32_t a, b;

	(void)state;
	offsets_init(&o, 1024);
	a = add(&o, 1);
	b = add(&o, 2);
	assert_int_equal(offsets_done(&o, 0, b), 0);
	assert_int_equal(offsets_done(&o, 0, b), -EINVAL);
	assert_int_equal(offsets_lost(&o, 0, b, &offset), -EINVAL);
	assert_int_equal(offsets_done(&o, 0, a), 1);
	assert_int_equal(offsets_done(&o, 0, a), -EINVAL);
	assert_int_equal(offsets_done(&o, 0, b + 1), -EINVAL);
	assert_int_equal(o.n_waiting, 0);
	offsets_fini(&o);
}

static void
a_message_is_not_taken_twice_in_one_life(void **state)
{
	struct offsets o;
	uint32_t slot = 99;

	(void)state;
	offsets_init(&o, 1024);
	(void)add(&o, 8);
	assert_int_equal(offsets_add(&o, 8, &slot), -ESTALE);
	assert_int_equal(offsets_add(&o, 7, &slot), -ESTALE);
	assert_int_equal(slot, 99);
	assert_int_equal(o.n, 1);
	offsets_fini(&o);
}

static void
a_full_ring_takes_nothing_until_the_oldest_is_done(void **state)
{
	struct offsets o;
	uint32_t slots[4096];
	uint32_t slot;

	(void)state;
	offsets_init(&o, 4096);
	for (unsigned i = 0; i < 4096; i++) {
		assert_int_equal(offsets_room(&o), 4096 - i);
		slots[i] = add(&o, 2 * i);
	}
	assert_int_equal(offsets_room(&o), 0);
	/* All but the oldest are done: still full. */
	for (unsigned i = 1; i < 4096; i++)
		assert_int_equal(offsets_done(&o, 0, slots[i]), 0);
	assert_int_equal(offsets_add(&o, 9000, &slot), -ENOSPC);
	assert_int_equal(offsets_done(&o, 0, slots[0]), 1);
	assert_int_equal(o.next, 2 * 4095 + 1);
	assert_int_equal(offsets_room(&o), 4096);
	/* What was refused was read; a rewind goes back to it. */
	assert_int_equal(offsets_rewind(&o, 1), 9000);
	(void)add(&o, 9000);
	offsets_fini(&o);
}

static void
slots_keep_their_numbers_when_the_ring_grows(void **state)
{
	struct offsets o;
	uint32_t slots[3000];

	(void)state;
	offsets_init(&o, 4096);
	for (unsigned i = 0; i < 3000; i++) {
		slots[i] = add(&o, i);
		/* The ring does not begin at its first slot any more. */
		if (i < 500)
			assert_int_equal(offsets_done(&o, 0, slots[i]), 1);
	}
	for (unsigned i = 3000; i-- > 500;)
		assert_int_equal(offsets_done(&o, 0, slots[i]), i == 500);
	assert_int_equal(o.next, 3000);
	offsets_fini(&o);
}

static void
slot_numbers_may_wrap_around(void **state)
{
	struct offsets o;
	uint32_t slots[100];

	(void)state;
	offsets_init(&o, 1024);
	o.first = UINT32_MAX - 50;
	for (unsigned i = 0; i < 100; i++)
		slots[i] = add(&o, i);
	assert_true(slots[99] < slots[0]);
	for (unsigned i = 100; i-- > 0;)
		assert_int_equal(offsets_done(&o, 0, slots[i]), i == 0);
	assert_int_equal(o.next, 100);
	offsets_fini(&o);
}

static void
a_lost_event_is_never_passed_until_the_rewind(void **state)
{
	struct offsets o;
	uint32_t a, b, c;
	int64_t offset;

	(void)state;
	offsets_init(&o, 1024);
	a = add(&o, 20);
	b = add(&o, 21);
	c = add(&o, 22);
	assert_int_equal(offsets_lost(&o, 0, b, &offset), 0);
	assert_int_equal(offset, 21);
	assert_int_equal(offsets_done(&o, 0, c), 0);
	assert_int_equal(offsets_done(&o, 0, a), 1);
	assert_int_equal(o.next, 21);
	assert_int_equal(o.n_waiting, 0);
	assert_int_equal(offsets_rewind(&o, 1), 21);
	/* 20 is not taken again, 21 and 22 are. */
	assert_int_equal(offsets_add(&o, 20, &a), -ESTALE);
	b = add(&o, 21);
	c = add(&o, 22);
	assert_int_equal(offsets_done(&o, 0, b), -ESTALE);
	assert_int_equal(offsets_done(&o, 1, b), 1);
	assert_int_equal(offsets_done(&o, 1, c), 1);
	assert_int_equal(o.next, 23);
	offsets_fini(&o);
}

static void
a_rewind_goes_to_the_first_that_is_not_done(void **state)
{
	struct offsets o;
	uint32_t a, b;
	int64_t offset;

	(void)state;
	offsets_init(&o, 1024);
	a = add(&o, 30);
	b = add(&o, 31);
	assert_int_equal(offsets_lost(&o, 0, b, &offset), 0);
	/* 30 is still under way, so it is read again as well. */
	assert_int_equal(offsets_rewind(&o, 1), 30);
	assert_int_equal(offsets_done(&o, 0, a), -ESTALE);
	assert_int_equal(o.n_waiting, 0);
	offsets_fini(&o);
}

static void
with_everything_done_a_rewind_has_nowhere_to_go(void **state)
{
	struct offsets o;

	(void)state;
	offsets_init(&o, 1024);
	assert_int_equal(offsets_rewind(&o, 1), -1);
	assert_int_equal(offsets_done(&o, 1, add(&o, 3)), 1);
	assert_int_equal(offsets_rewind(&o, 2), -1);
	assert_int_equal(o.next, 4);
	offsets_fini(&o);
}

static void
what_is_cut_off_is_read_again_after_a_rewind(void **state)
{
	struct offsets o;
	uint32_t slot;

	(void)state;
	offsets_init(&o, 1024);
	slot = add(&o, 40);
	(void)add(&o, 41);
	(void)add(&o, 42);
	offsets_cut(&o, 2);
	assert_int_equal(o.n_waiting, 1);
	assert_int_equal(offsets_done(&o, 0, slot), 1);
	assert_int_equal(o.next, 41);
	assert_int_equal(offsets_rewind(&o, 1), 41);
	(void)add(&o, 41);
	offsets_fini(&o);
}

static void
check(const struct offsets *o, const struct model *m)
{
	assert_int_equal(o->next, model_next(m));
	assert_int_equal(o->n_waiting, model_count_waiting(m));
}

static void
model_rewind(struct model *m, struct offsets *o)
{
	int64_t next = model_next(m);
	int64_t expect = -1;
	unsigned i;

	for (i = 0; i < m->n && m->entries[i].state == DONE; i++)
		;
	if (i < m->n)
		expect = m->entries[i].offset;
	assert_int_equal(offsets_rewind(o, ++m->generation), expect);
	m->start = next;
	m->n = 0;
}

/* One random step of both. */
static void
step(struct offsets *o, struct model *m, uint64_t *random, int64_t *offset)
{
	unsigned what = random_below(random, 1000);
	struct model_entry *e;
	int64_t lost;
	int64_t before;
	int r;

	if (what < 1) {
		model_rewind(m, o);
		return;
	}
	if (what < 500 && m->n < MODEL_MAX) {
		*offset += 1 + random_below(random, 3) / 2;
		e = &m->entries[m->n];
		r = offsets_add(o, *offset, &e->slot);
		if (r == -ENOSPC) {
			model_rewind(m, o);
			return;
		}
		assert_int_equal(r, 0);
		e->offset = *offset;
		e->state = WAITING;
		m->n++;
		return;
	}
	if (m->n == 0)
		return;
	e = &m->entries[random_below(random, m->n)];
	if (e->state != WAITING) {
		assert_int_equal(offsets_done(o, m->generation, e->slot),
				 -EINVAL);
		return;
	}
	assert_int_equal(offsets_done(o, m->generation + 1, e->slot), -ESTALE);
	if (what < 502) {
		e->state = LOST;
		assert_int_equal(offsets_lost(o, m->generation, e->slot, &lost),
				 0);
		assert_int_equal(lost, e->offset);
		return;
	}
	before = model_next(m);
	e->state = DONE;
	assert_int_equal(offsets_done(o, m->generation, e->slot),
			 model_next(m) != before);
}

static void
random_orders_agree_with_the_naive_model(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	uint64_t random = 88172645463325252u;

	(void)state;
	assert_non_null(m);
	for (unsigned round = 0; round < 300; round++) {
		struct offsets o;
		int64_t offset = 100;

		memset(m, 0, sizeof(*m));
		m->start = -1;
		offsets_init(&o, round % 2 == 0 ? 256 : 65536);
		for (unsigned i = 0; i < 1500; i++) {
			step(&o, m, &random, &offset);
			check(&o, m);
		}
		offsets_fini(&o);
	}
	free(m);
}

/* All 5040 orders in which seven events can be answered. */
static void
permute(unsigned *order, unsigned n, unsigned k)
{
	if (k == n) {
		struct offsets o;
		uint32_t slots[7];
		bool done[8] = { false };
		int64_t expect = -1;
		unsigned front = 0;

		offsets_init(&o, 1024);
		for (unsigned i = 0; i < n; i++)
			slots[i] = add(&o, 10 * i);
		for (unsigned i = 0; i < n; i++) {
			done[order[i]] = true;
			(void)offsets_done(&o, 0, slots[order[i]]);
			for (; done[front]; front++)
				expect = 10 * front + 1;
			assert_int_equal(o.next, expect);
		}
		offsets_fini(&o);
		return;
	}
	for (unsigned i = k; i < n; i++) {
		unsigned swap = order[k];

		order[k] = order[i];
		order[i] = swap;
		permute(order, n, k + 1);
		order[i] = order[k];
		order[k] = swap;
	}
}

static void
every_order_of_seven_answers_is_right_at_every_step(void **state)
{
	unsigned order[7] = { 0, 1, 2, 3, 4, 5, 6 };

	(void)state;
	permute(order, 7, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_moves_only_over_a_contiguous_done_prefix),
		cmocka_unit_test(gaps_between_offsets_are_no_obstacle),
		cmocka_unit_test(
			an_answer_of_an_older_generation_changes_nothing),
		cmocka_unit_test(a_slot_is_answered_once),
		cmocka_unit_test(a_message_is_not_taken_twice_in_one_life),
		cmocka_unit_test(
			a_full_ring_takes_nothing_until_the_oldest_is_done),
		cmocka_unit_test(slots_keep_their_numbers_when_the_ring_grows),
		cmocka_unit_test(slot_numbers_may_wrap_around),
		cmocka_unit_test(a_lost_event_is_never_passed_until_the_rewind),
		cmocka_unit_test(a_rewind_goes_to_the_first_that_is_not_done),
		cmocka_unit_test(
			with_everything_done_a_rewind_has_nowhere_to_go),
		cmocka_unit_test(what_is_cut_off_is_read_again_after_a_rewind),
		cmocka_unit_test(random_orders_agree_with_the_naive_model),
		cmocka_unit_test(
			every_order_of_seven_answers_is_right_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
