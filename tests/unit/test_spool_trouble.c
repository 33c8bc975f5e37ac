/*
 * test_spool_trouble.c - a spool that cannot go on: damage, a bad disk, a full
 * one, an event that nobody takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bad_disk.h"
#include "spool.h"
#include "spool_bench.h"

/* In the second of three records, whose place it gives. */
static unsigned
spoil(const struct spool_bench *b)
{
	const struct spool_segment *segment;
	struct spool_log log;
	uint64_t place;
	char path[300];
	int fd;

	assert_int_equal(spool_log_open(&log, b->dir.path, 1 << 20), 0);
	segment = &log.segments[0];
	place = SPOOL_SEGMENT_HEAD + (segment->end - SPOOL_SEGMENT_HEAD) / 3 +
		SPOOL_RECORD_HEAD;
	spool_log_close(&log);
	snprintf(path, sizeof(path), "%s/0000000000000001.spool", b->dir.path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(__real_pwrite(fd, "?", 1, (off_t)place), 1);
	close(fd);
	return (unsigned)(place - SPOOL_RECORD_HEAD);
}

static void
what_stands_before_damage_is_delivered_and_nothing_is_taken(void **state)
{
	struct spool_bench *b = *state;
	struct spool_state spool;
	char place[64];

	chain_open(b, (struct config_pipeline){ 0 });
	chain_spool_singly(b, 3);
	rig_free(b->rig);
	snprintf(place, sizeof(place), "at byte %u of 0000000000000001.spool",
		 spoil(b));
	chain_open(b, (struct config_pipeline){ 0 });
	rig_await_seen(&b->out, 1);
	assert_int_equal(chain_number(b, 0), 1);
	assert_int_equal(chain_put(b, 4), -EAGAIN);
	assert_false(pipeline_is_ready(b->p));
	spool_state(b->p->spool, &spool);
	assert_non_null(strstr(spool.why, place));
	rig_free(b->rig);
	/* And it is all there still. */
	chain_open(b, (struct config_pipeline){ 0 });
	assert_int_equal(chain_put(b, 5), -EAGAIN);
	rig_free(b->rig);
	assert_int_equal(b->out.n_seen, 0);
}

static void
one_that_fails_and_is_kept_by_nobody_stops_what_is_behind_it(void **state)
{
	struct spool_bench *b = *state;
	struct spool_state spool;
	int n_seen[8] = { 0 };
	int last = -1;

	chain_open(b, (struct config_pipeline){ .in_flight = 3 });
	chain_spool_singly(b, 6);
	b->failing = 3;
	chain_sink_returns(b);
	chain_await_wrong(b);
	assert_false(pipeline_is_ready(b->p));
	spool_state(b->p->spool, &spool);
	assert_non_null(strstr(spool.why, "failed, and no on_fail keeps it"));
	/* Still it takes what comes. */
	assert_int_equal(chain_put(b, 7), 1);
	rig_await_heard(&b->src, 7);
	pthread_mutex_lock(&b->out.lock);
	b->failing = 0;
	pthread_mutex_unlock(&b->out.lock);
	chain_await_empty(b);
	assert_true(pipeline_is_ready(b->p));
	/* It was seen again and again, each other once, and those behind its
	 * window not before it had passed. */
	for (int i = 0; i < b->out.n_seen; i++) {
		n_seen[chain_number(b, i)]++;
		if (chain_number(b, i) == 3)
			last = i;
		if (chain_number(b, i) == 5)
			assert_in_range(last, 0, i - 1);
	}
	assert_true(n_seen[3] > 1);
	for (int n = 1; n <= 7; n++)
		assert_true(n == 3 || n_seen[n] == 1);
	assert_int_equal(chain_number(b, b->out.n_seen - 1), 7);
	rig_free(b->rig);
}

static void
one_that_on_fail_keeps_stops_nobody(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){
			      .chain = LIST("src", "look", "out"),
			      .on_fail = LIST("out") });
	b->look.limit = EVH_FAIL;
	chain_spool(b, 3);
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 3);
	rig_free(b->rig);
}

static void
what_cannot_be_synced_hears_retry_and_it_goes_on_by_itself(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){ 0 });
	chain_spool(b, 1);
	bad_disk_fail_syncs(EIO);
	assert_int_equal(chain_put(b, 2), 1);
	rig_await_heard(&b->src, 2);
	assert_int_equal(b->src.results[1], EVH_RETRY);
	assert_int_equal(chain_put(b, 3), -EAGAIN);
	assert_false(pipeline_is_ready(b->p));
	chain_await_wrong(b);
	bad_disk_mend();
	chain_await_right(b);
	assert_int_equal(chain_put(b, 4), 1);
	rig_await_heard(&b->src, 3);
	chain_expect_spooled(b, 2);
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 2);
	assert_int_equal(chain_number(b, 0), 1);
	assert_int_equal(chain_number(b, 1), 4);
	rig_free(b->rig);
}

static void
beyond_max_size_emit_says_eagain_and_nothing_is_lost(void **state)
{
	struct spool_bench *b = *state;
	static char large[10000];
	struct evh_spec spec = { .name = "e",
				 .data = { large, sizeof(large) } };
	int n = 0;

	memset(large, ' ', sizeof(large));
	chain_open(b, (struct config_pipeline){ .spool_max_size = 1 << 20,
						.in_flight_size = 8 << 20 });
	chain_sink_leaves(b);
	while ((spec.created_ns = n + 1, rig_emit_spec(&b->src, &spec) == 1))
		n++;
	assert_in_range(n, 95, 105);
	rig_await_heard(&b->src, n);
	chain_expect_spooled(b, n);
	chain_await_wrong(b);
	assert_false(pipeline_is_ready(b->p));
	chain_sink_returns(b);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, n);
	assert_int_equal(chain_put(b, n + 1), 1);
	rig_await_heard(&b->src, n + 1);
	rig_free(b->rig);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, chain_make, chain_remove)
	const struct CMUnitTest tests[] = {
		TEST(what_stands_before_damage_is_delivered_and_nothing_is_taken),
		TEST(one_that_fails_and_is_kept_by_nobody_stops_what_is_behind_it),
		TEST(one_that_on_fail_keeps_stops_nobody),
		TEST(what_cannot_be_synced_hears_retry_and_it_goes_on_by_itself),
		TEST(beyond_max_size_emit_says_eagain_and_nothing_is_lost),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
