/*
 * test_isolate_garbage.c - a handler's process that breaks the protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "isolate_bench.h"
#include "isolate_cell.h"
#include "isolate_frame.h"
#include "rig.h"
#include "timer.h"

/* A verdict that begins well, for the event of this number. */
static void
verdict_begin(struct frame_buffer *out, uint64_t number)
{
	frame_begin(out, FRAME_VERDICT);
	frame_put_u64(out, number);
	frame_put_u32(out, EVH_OK);
	frame_put_text(out, NULL);
	frame_put_text(out, NULL);
}

static void
child_put(struct frame_buffer *out, size_t id_size, uint32_t n_headers,
	  const char *header, uint32_t status)
{
	static const char id[32];

	frame_put_bytes(out, (struct evh_bytes){ id, id_size });
	frame_put_u64(out, 0);
	frame_put_text(out, "born");
	frame_put_text(out, "{}");
	frame_put_text(out, "");
	frame_put_u32(out, n_headers);
	if (header) {
		frame_put_text(out, header);
		frame_put_text(out, "");
	}
	frame_put_u32(out, status);
}

/* A verdict with one child, of which one thing is wrong. */
static void
verdict_child(struct frame_buffer *out, uint64_t number, int fault)
{
	verdict_begin(out, number);
	frame_put_u32(out, 0);
	frame_put_u32(out, fault == 0 ? 0 : 1);
	frame_put_u32(out, fault == 1 ? 1000000 : 1);
	child_put(out, fault == 2 ? 15 : 16,
		  fault == 3   ? 1000000
		  : fault == 4 ? 1
			       : 0,
		  fault == 4 ? "" : NULL, fault == 5 ? 77 : EVH_PENDING);
	if (fault == 6)
		frame_put_u32(out, 1);
}

#define CHILD_FAULTS 7

static void
verdict_change(struct frame_buffer *out, uint64_t number, int fault)
{
	verdict_begin(out, number);
	frame_put_u32(out, fault == 0 ? 1000000 : 1);
	frame_put_u32(out, fault == 1 ? 99 : 3);
	frame_put_text(out, fault == 2 ? "" : fault == 3 ? NULL : "x");
	frame_put_text(out, "y");
	frame_put_u32(out, fault == 4 ? 0 : 1);
	if (fault != 5)
		frame_put_u32(out, fault == 4 ? 1 : 0);
	if (fault == 6)
		frame_put_u32(out, 0);
}

#define CHANGE_FAULTS 7

static void
number_put(struct frame_buffer *out, enum frame_type type, uint32_t a,
	   uint64_t b, const char *text)
{
	frame_begin(out, type);
	frame_put_u32(out, a);
	frame_put_u64(out, b);
	frame_put_text(out, text);
}

/* The i-th kind of garbage; false behind the last. */
static bool
garbage_put(struct frame_buffer *out, int i, uint64_t number)
{
	if (i < CHILD_FAULTS) {
		verdict_child(out, number, i);
		return true;
	}
	i -= CHILD_FAULTS;
	if (i < CHANGE_FAULTS) {
		verdict_change(out, number, i);
		return true;
	}
	i -= CHANGE_FAULTS;
	switch (i) {
	case 0: /* no such event */
		verdict_begin(out, number + 1);
		return true;
	case 1:
		frame_begin(out, FRAME_HELD);
		frame_put_u64(out, UINT64_MAX);
		return true;
	case 2: /* at another time */
		frame_begin(out, FRAME_CREATED);
		frame_put_u32(out, 0);
		return true;
	case 3:
		frame_begin(out, FRAME_STARTED);
		frame_put_u32(out, 0);
		return true;
	case 4: /* nothing in it */
		frame_begin(out, FRAME_READY);
		return true;
	case 5:
		number_put(out, FRAME_LOG, 9, 0, "level 9");
		return true;
	case 6:
		number_put(out, FRAME_LOG, EVH_INFO, 0, NULL);
		return true;
	case 7:
		number_put(out, FRAME_RECORD, CELL_METRICS_MAX, 0, "");
		return true;
	case 8:
		frame_begin(out, FRAME_METRIC);
		frame_put_u32(out, UINT32_MAX);
		frame_put_u32(out, EVH_COUNTER);
		frame_put_text(out, "x");
		frame_put_text(out, NULL);
		frame_put_text(out, NULL);
		return true;
	case 9:
		frame_begin(out, FRAME_FATAL);
		frame_put_text(out, NULL);
		return true;
	case 10: /* of the other side */
		frame_begin(out, FRAME_STOP);
		frame_put_u32(out, 0);
		return true;
	case 11:
		frame_begin(out, FRAME_END);
		return true;
	case 12: /* a text with a NUL in it */
		frame_begin(out, FRAME_READY);
		frame_put_bytes(out, (struct evh_bytes){ "a\0b", 3 });
		return true;
	case 13: /* one that is longer than its frame */
		frame_begin(out, FRAME_READY);
		frame_put_u32(out, 1000000);
		return true;
	}
	return false;
}

static void
check_dead(struct isolated *b, const struct frame_buffer *out, int i)
{
	int n = b->src.n_heard + 1;
	const struct timespec pause = { 0, 1000000 };
	int64_t begin_ns = timer_now_ns();

	/* Its process is being started. */
	while (isolated_emit(b, "garbage", out->at, out->end) != 1) {
		assert_true(isolated_elapsed_ms(begin_ns) < ISOLATED_AWAIT_MS);
		nanosleep(&pause, NULL);
	}
	rig_await_heard(&b->src, n);
	if (!strstr(b->seen[b->n_seen - 1].error, "broke the protocol"))
		fail_msg("garbage %d: %s", i, b->seen[b->n_seen - 1].error);
}

static void
garbage_from_a_process_is_only_its_own_end(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	/* Length and type that cannot be. */
	static const char long_head[] = "\x02\0\0\0\xff\xff\xff\xff",
			  odd_head[] = "\xff\xff\xff\xff\0\0\0\0";
	struct frame_buffer heads[2] = {
		{ .at = (char *)long_head, .end = 8 },
		{ .at = (char *)odd_head, .end = 8 },
	};
	struct isolated b = { 0 };
	int n = 0;

	(void)state;
	isolated_open(&b, 1, once);
	for (;;) {
		struct frame_buffer out = { 0 };

		if (!garbage_put(&out, n, 2 * (uint64_t)n + 2))
			break;
		/* An answer, so that the next process does not wait long. */
		(void)isolated_pass(&b, "any");
		assert_int_equal(frame_end(&out, SIZE_MAX), 0);
		check_dead(&b, &out, n);
		frame_buffer_fini(&out);
		n++;
	}
	for (int i = 0; i < 2; i++)
		check_dead(&b, &heads[i], n + i);
	assert_int_equal(b.dead.n_seen, n + 2);
	assert_int_equal(n, CHILD_FAULTS + CHANGE_FAULTS + 14);
	assert_int_equal(isolated_pass(&b, "any")->attempts, 0);
	isolated_close(&b);
}

static void
it_cannot_answer_for_what_it_has_not_come_to(void **state)
{
	static const char *const once[] = { ISOLATED, "attempts", "1", NULL };
	struct frame_buffer out = { 0 };
	struct isolated b = { 0 };
	int n;

	(void)state;
	isolated_open(&b, 1, once);
	isolated_hurry(&b);
	n = b.src.n_heard;
	/* In the name of the next: it has failed. */
	frame_begin(&out, FRAME_VERDICT);
	frame_put_u64(&out, (uint64_t)n + 3);
	frame_put_u32(&out, EVH_FAIL);
	frame_put_text(&out, NULL);
	frame_put_text(&out, NULL);
	assert_int_equal(frame_end(&out, SIZE_MAX), 0);
	isolated_emit_one(&b, "slow");
	assert_int_equal(isolated_emit(&b, "garbage", out.at, out.end), 1);
	isolated_emit_one(&b, "any");
	rig_await_heard(&b.src, n + 3);
	assert_int_equal(b.dead.n_seen, 1);
	assert_int_equal(b.out.n_seen, n + 2);
	frame_buffer_fini(&out);
	isolated_close(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_from_a_process_is_only_its_own_end),
		cmocka_unit_test(it_cannot_answer_for_what_it_has_not_come_to),
	};

	isolated_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
