/*
 * test_consumer.c - the consumer with a fake host on a real Kafka.
 *
 * Each test has a topic and a group of its own, and a static host, so that the
 * threads of a test that failed do not stand on another's stack.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker.h"
#include "consumer.h"
#include "fake_host.h"

#define WAIT_MS	    60000
#define STOP_MS	    60000
#define WATCHDOG_MS 50000 /* what is bounded ends long before */
#define NAME_MAX    128

struct set_up {
	char topic[NAME_MAX];
	char group[NAME_MAX];
};

static const char *address;

static void
set_up(struct set_up *s, int n_partitions)
{
	broker_unique("topic", s->topic, sizeof(s->topic));
	broker_unique("group", s->group, sizeof(s->group));
	if (n_partitions > 0)
		broker_topic(s->topic, n_partitions);
}

static void
init(struct fake_host *host, const struct set_up *s, const char *revoke_timeout)
{
	const struct fake_option options[] = {
		{ "brokers", address },
		{ "topic", s->topic },
		{ "group", s->group },
		{ "revoke_timeout", revoke_timeout },
		{ "rdkafka.topic.metadata.refresh.interval.ms", "500" },
		{ "rdkafka.session.timeout.ms", "6000" },
		{ "rdkafka.heartbeat.interval.ms", "500" },
		{ NULL, NULL },
	};

	fake_host_init(host, options);
}

static void
assert_ready(struct fake_host *host)
{
	if (!fake_host_wait(host, WAIT_MS, fake_is_ready, 0))
		fail_msg("not ready: %s", host->why);
}

static void
assert_records(struct fake_host *host, int64_t n)
{
	if (!fake_host_wait(host, WAIT_MS, fake_has_records, n))
		fail_msg("%u of %d emitted", host->n_records, (int)n);
}

static void
assert_answered(struct fake_host *host, int64_t n)
{
	if (!fake_host_wait(host, WAIT_MS, fake_has_answered, n))
		fail_msg("%u of %d answered", host->n_answered, (int)n);
}

/* Nothing that was made is left. */
static void
stop(struct fake_host *host)
{
	(void)fake_host_stop(host, STOP_MS);
	assert_int_equal(host->n_made, 0);
}

/* From `first` on, each offset of the partition once and in order. */
static void
assert_in_order(const struct fake_host *host, int32_t partition, int64_t first,
		int64_t end)
{
	int64_t next = first;

	for (unsigned i = 0; i < host->n_records; i++) {
		if (host->records[i].partition != partition)
			continue;
		assert_int_equal(host->records[i].offset, next);
		next++;
	}
	assert_int_equal(next, end);
}

static void
each_message_is_emitted_once_and_in_the_order_of_its_partition(void **state)
{
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 6);
	for (int32_t p = 0; p < 6; p++)
		broker_fill(s.topic, p, 0, 5000, 200);
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_answered(&host, 30000);
	assert_ready(&host);
	stop(&host);
	for (int32_t p = 0; p < 6; p++) {
		assert_in_order(&host, p, 0, 5000);
		assert_int_equal(broker_committed(s.group, s.topic, p), 5000);
	}
	fake_host_fini(&host);
}

/* Deleted and made again, it begins at offset 0, below what was read. */
static void
a_log_that_begins_anew_is_read_from_there(void **state)
{
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	broker_fill(s.topic, 0, 0, 100, 200);
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_answered(&host, 100);
	broker_topic_delete(s.topic);
	broker_topic(s.topic, 1);
	broker_fill(s.topic, 0, 0, 50, 200);
	assert_answered(&host, 150);
	stop(&host);
	assert_int_equal(host.records[100].offset, 0);
	assert_int_equal(host.records[149].offset, 49);
	assert_int_equal(broker_committed(s.group, s.topic, 0), 50);
	fake_host_fini(&host);
}

static void
a_full_window_stops_the_intake_and_room_resumes_it(void **state)
{
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 3);
	for (int32_t p = 0; p < 3; p++)
		broker_fill(s.topic, p, 0, 5000, 200);
	init(&host, &s, "30s");
	host.window = 100;
	fake_host_start(&host);
	fake_host_hold(&host, true);
	assert_records(&host, 100);
	/* Long enough for the pauses that a standstill brings. */
	(void)fake_host_wait(&host, 3500, fake_has_records, 101);
	assert_int_equal(host.n_records, 100);
	/* At most every 20 ms one try: nobody spins. */
	assert_true(host.n_refused < 1000);
	fake_host_hold(&host, false);
	assert_answered(&host, 15000);
	stop(&host);
	for (int32_t p = 0; p < 3; p++)
		assert_in_order(&host, p, 0, 5000);
	fake_host_fini(&host);
}

static void
while_a_sink_is_not_ready_nobody_spins(void **state)
{
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	broker_fill(s.topic, 0, 0, 2000, 200);
	init(&host, &s, "30s");
	host.is_not_ready = true;
	fake_host_start(&host);
	assert_ready(&host);
	(void)fake_host_wait(&host, 2000, fake_has_records, 1);
	assert_int_equal(host.n_records, 0);
	assert_in_range(host.n_refused, 10, 500);
	fake_host_lock(&host);
	host.is_not_ready = false;
	fake_host_unlock(&host);
	assert_answered(&host, 2000);
	stop(&host);
	assert_in_order(&host, 0, 0, 2000);
	fake_host_fini(&host);
}

/* Only partition *decide_arg is answered. */
static enum evh_result
only_one(struct fake_host *host, const struct evh_event *ev)
{
	return ev->partition == *(int32_t *)host->decide_arg ? EVH_OK : 0;
}

static void
what_is_not_done_is_not_committed(void **state)
{
	int32_t partition = 1;
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 100, 200);
	broker_fill(s.topic, 1, 0, 100, 200);
	init(&host, &s, "0s");
	host.decide = only_one;
	host.decide_arg = &partition;
	fake_host_start(&host);
	assert_records(&host, 200);
	assert_answered(&host, 100);
	fake_host_hold(&host, true); /* what remains hears RETRY at the end */
	stop(&host);
	/* Where it was read first, and no further. */
	assert_int_equal(broker_committed(s.group, s.topic, 0), 0);
	assert_int_equal(broker_committed(s.group, s.topic, 1), 100);
	fake_host_fini(&host);
}

static enum evh_result
retry_offset_50_once(struct fake_host *host, const struct evh_event *ev)
{
	bool *did = host->decide_arg;

	if (ev->partition != 0 || ev->offset != 50 || *did)
		return EVH_OK;
	*did = true;
	return EVH_RETRY;
}

/* The partition's end came after its offset 50 came twice, and partition 1 is
 * through. */
static bool
has_read_again(struct fake_host *host, int64_t end)
{
	unsigned n_50 = 0, n_other = 0;
	bool at_end = false;

	for (unsigned i = 0; i < host->n_records; i++) {
		n_other += host->records[i].partition == 1;
		if (host->records[i].partition != 0)
			continue;
		n_50 += host->records[i].offset == 50;
		at_end = host->records[i].offset == end - 1 && n_50 == 2;
	}
	return at_end && n_other == end;
}

static void
retry_reads_the_partition_again_from_there(void **state)
{
	static struct fake_host host;
	bool did = false;
	unsigned n_50 = 0, n_49 = 0;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 3000, 200);
	broker_fill(s.topic, 1, 0, 3000, 200);
	init(&host, &s, "30s");
	host.decide = retry_offset_50_once;
	host.decide_arg = &did;
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, WAIT_MS, has_read_again, 3000));
	assert_answered(&host, host.n_records);
	stop(&host);
	assert_true(did);
	for (unsigned i = 0; i < host.n_records; i++) {
		if (host.records[i].partition != 0)
			continue;
		n_50 += host.records[i].offset == 50;
		n_49 += host.records[i].offset == 49;
	}
	assert_int_equal(n_50, 2);
	assert_int_equal(n_49, 1);
	assert_in_order(&host, 1, 0, 3000);
	assert_int_equal(broker_committed(s.group, s.topic, 0), 3000);
	assert_int_equal(broker_committed(s.group, s.topic, 1), 3000);
	fake_host_fini(&host);
}

/* So many events of partition 0 are answered; all of the others. */
static enum evh_result
some_of_0(struct fake_host *host, const struct evh_event *ev)
{
	int64_t *n_allowed = host->decide_arg;

	if (ev->partition == 0 && ev->offset >= *n_allowed)
		return 0;
	return EVH_OK;
}

static void
allow(struct fake_host *host, int64_t *n_allowed, int64_t n)
{
	fake_host_lock(host);
	*n_allowed = n;
	pthread_cond_broadcast(&host->changed);
	fake_host_unlock(host);
}

static int64_t
count_records(const struct fake_host *host, int32_t partition)
{
	int64_t n = 0;

	for (unsigned i = 0; i < host->n_records; i++)
		n += host->records[i].partition == partition;
	return n;
}

static bool
has_of_0(struct fake_host *host, int64_t n)
{
	return count_records(host, 0) >= n;
}

static bool
has_of_1(struct fake_host *host, int64_t n)
{
	return count_records(host, 1) >= n;
}

/* Partition 0 stands, goes on for a while, and stands again, each time with
 * all that may wait of it.  The first stop costs the others a second, most of
 * the twenty nothing to speak of. */
static void
a_partition_that_stands_again_and_again_halts_no_other(void **state)
{
	int64_t n_allowed = 0, from_ms;
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 10000, 200);
	init(&host, &s, "30s");
	host.lane_window = 10;
	host.decide = some_of_0;
	host.decide_arg = &n_allowed;
	fake_host_start(&host);
	assert_records(&host, 10);
	from_ms = consumer_now_ms();
	for (int i = 1; i <= 20; i++) {
		allow(&host, &n_allowed, 400 * i);
		assert_true(
			fake_host_wait(&host, WAIT_MS, has_of_0, 400 * i + 10));
		broker_fill(s.topic, 1, (unsigned)i * 10, 10, 200);
		assert_true(fake_host_wait(&host, WAIT_MS, has_of_1, 10 * i));
	}
	assert_true(consumer_now_ms() - from_ms < 18000);
	allow(&host, &n_allowed, 10000);
	assert_answered(&host, 10200);
	stop(&host);
	assert_in_order(&host, 0, 0, 10000);
	assert_in_order(&host, 1, 0, 200);
	fake_host_fini(&host);
}

/* All of partition 0 lies before partition 1's in what was fetched. */
static void
a_partition_that_crawls_keeps_no_other_to_its_pace(void **state)
{
	int64_t n_allowed = 0, from_ms;
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 4000, 200);
	init(&host, &s, "30s");
	host.lane_window = 10;
	host.decide = some_of_0;
	host.decide_arg = &n_allowed;
	fake_host_start(&host);
	assert_records(&host, 10);
	broker_fill(s.topic, 1, 0, 100, 200);
	from_ms = consumer_now_ms();
	while (!fake_host_wait(&host, 20, has_of_1, 100)) {
		allow(&host, &n_allowed, n_allowed + 1);
		assert_true(consumer_now_ms() - from_ms < 60000);
	}
	allow(&host, &n_allowed, 4000);
	assert_answered(&host, 4100);
	stop(&host);
	assert_in_order(&host, 0, 0, 4000);
	assert_in_order(&host, 1, 0, 100);
	fake_host_fini(&host);
}

static enum evh_result
fail_offset_70(struct fake_host *host, const struct evh_event *ev)
{
	(void)host;
	return ev->partition == 1 && ev->offset == 70 ? EVH_FAIL : EVH_OK;
}

static bool
has_stopped(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "stopped at offset 70") != NULL;
}

static void
fail_stops_its_partition_there_and_no_other(void **state)
{
	unsigned n_before = 0;
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 100, 200);
	broker_fill(s.topic, 1, 0, 100, 200);
	init(&host, &s, "30s");
	host.decide = fail_offset_70;
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, WAIT_MS, has_stopped, 0));
	assert_non_null(strstr(host.why, "partition 1 of "));
	assert_non_null(strstr(host.why, "nobody keeps a failed event"));
	broker_fill(s.topic, 0, 100, 2000, 200);
	broker_fill(s.topic, 1, 100, 2000, 200);
	assert_answered(&host, 2100 + 71);
	(void)fake_host_wait(&host, 1500, fake_has_records, 4000);
	stop(&host);
	assert_in_order(&host, 0, 0, 2100);
	for (unsigned i = 0; i < host.n_records; i++)
		n_before += host.records[i].partition == 1;
	assert_in_range(n_before, 71, 100);
	assert_int_equal(broker_committed(s.group, s.topic, 0), 2100);
	assert_int_equal(broker_committed(s.group, s.topic, 1), 70);
	fake_host_fini(&host);
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* How many different ids both have seen, and how many records in all. */
static void
count_ids(const struct fake_host *a, const struct fake_host *b,
	  unsigned *ret_different, unsigned *ret_all)
{
	unsigned n = a->n_records + b->n_records;
	unsigned different = 0;
	unsigned char(*ids)[16] = malloc(n * sizeof(*ids));

	assert_non_null(ids);
	for (unsigned i = 0; i < n; i++)
		memcpy(ids[i],
		       i < a->n_records ? a->records[i].id
					: b->records[i - a->n_records].id,
		       16);
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (unsigned i = 0; i < n; i++)
		different += i == 0 || memcmp(ids[i], ids[i - 1], 16) != 0;
	free(ids);
	*ret_different = different;
	*ret_all = n;
}

static bool
has_rebalances(struct fake_host *host, int64_t n)
{
	return host->rebalances.value >= n;
}

static void
a_member_that_joins_and_one_that_leaves_lose_and_repeat_nothing(void **state)
{
	unsigned n_different, n_all;
	static struct fake_host a, b;
	struct set_up s;

	(void)state;
	set_up(&s, 6);
	for (int32_t p = 0; p < 6; p++)
		broker_fill(s.topic, p, 0, 4000, 200);
	init(&a, &s, "30s");
	init(&b, &s, "30s");
	a.ctx.name = "a";
	b.ctx.name = "b";
	/* At any moment some are in flight. */
	a.window = b.window = 500;
	a.slow_ms = b.slow_ms = 50;
	fake_host_start(&a);
	assert_answered(&a, 2000);
	fake_host_start(&b);
	assert_true(fake_host_wait(&b, WAIT_MS, fake_has_partitions, 3));
	assert_true(fake_host_wait(&a, WAIT_MS, fake_has_partitions, 3));
	for (int32_t p = 0; p < 6; p++)
		broker_fill(s.topic, p, 4000, 1000, 200);
	assert_answered(&b, 100);
	(void)fake_host_stop(&a, STOP_MS);
	assert_int_equal(a.n_made, 0);
	for (int32_t p = 0; p < 6; p++)
		broker_fill(s.topic, p, 5000, 100, 200);
	assert_true(fake_host_wait(&b, WAIT_MS, fake_has_partitions, 6));
	assert_true(fake_host_wait(&b, WAIT_MS, fake_has_answered,
				   6 * 5100 - (int64_t)a.n_answered));
	(void)fake_host_stop(&b, STOP_MS);
	assert_int_equal(b.n_made, 0);
	count_ids(&a, &b, &n_different, &n_all);
	assert_int_equal(n_different, 6 * 5100);
	assert_int_equal(n_all, 6 * 5100);
	for (int32_t p = 0; p < 6; p++)
		assert_int_equal(broker_committed(s.group, s.topic, p), 5100);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static void
an_answer_after_the_partition_is_gone_is_late_and_commits_nothing(void **state)
{
	static struct fake_host a, b;
	struct set_up s;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 50, 200);
	broker_fill(s.topic, 1, 0, 50, 200);
	init(&a, &s, "200");
	init(&b, &s, "200");
	a.ctx.name = "a";
	b.ctx.name = "b";
	a.is_held = b.is_held = true;
	fake_host_start(&a);
	assert_records(&a, 100);
	fake_host_start(&b);
	assert_true(fake_host_wait(&a, WAIT_MS, has_rebalances, 1));
	assert_true(fake_host_wait(&b, WAIT_MS, fake_has_partitions, 1));
	assert_records(&a, 150); /* its own half again */
	assert_records(&b, 50);
	fake_host_hold(&a, false);
	assert_answered(&a, 150);
	assert_int_equal(a.late.value, 100);
	stop(&a);
	stop(&b); /* hears RETRY */
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static bool
is_missing(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "does not exist yet") != NULL;
}

static void
a_missing_topic_is_waited_for_and_said(void **state)
{
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 0);
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, WAIT_MS, is_missing, 0));
	broker_topic(s.topic, 2);
	broker_fill(s.topic, 1, 0, 10, 200);
	assert_answered(&host, 10);
	assert_ready(&host);
	stop(&host);
	fake_host_fini(&host);
}

static void
more_members_than_partitions_are_ready_too(void **state)
{
	static struct fake_host a, b;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	init(&a, &s, "30s");
	init(&b, &s, "30s");
	fake_host_start(&a);
	fake_host_start(&b);
	assert_ready(&a);
	assert_ready(&b);
	stop(&a);
	stop(&b);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static void
poison_is_an_event_with_its_bytes_and_its_place(void **state)
{
	static const char good[] = "{\"name\":\"a\",\"data\":{}}";
	static struct fake_host host;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	broker_put(s.topic, 0, "no JSON", 7);
	broker_put(s.topic, 0, NULL, 0);
	broker_put(s.topic, 0, good, sizeof(good) - 1);
	init(&host, &s, "30s");
	host.options[7] = (struct fake_option){ "max_message", "20" };
	host.options[8] = (struct fake_option){ NULL, NULL };
	fake_host_start(&host);
	assert_answered(&host, 3);
	stop(&host);
	assert_in_order(&host, 0, 0, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(host.records[i].is_poison);
		assert_int_equal(host.records[i].attempts, 3);
		assert_int_equal(host.records[i].n_headers, 1);
	}
	assert_int_equal(host.records[0].data_len, 7);
	assert_int_equal(host.records[1].data_len, 0);
	assert_int_equal(host.records[2].data_len, sizeof(good) - 1);
	assert_int_equal(broker_committed(s.group, s.topic, 0), 3);
	fake_host_fini(&host);
}

static void
a_stop_with_the_broker_frozen_ends_in_time(void **state)
{
	static struct fake_host host;
	struct set_up s;
	int64_t took_ms;

	(void)state;
	set_up(&s, 2);
	broker_fill(s.topic, 0, 0, 2000, 200);
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_answered(&host, 2000);
	broker_freeze();
	took_ms = fake_host_stop(&host, 4000);
	broker_thaw();
	assert_int_equal(host.n_made, 0);
	assert_true(took_ms < WATCHDOG_MS);
	fake_host_fini(&host);
	/* Whatever was not committed comes again. */
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_ready(&host);
	stop(&host);
	assert_int_equal(broker_committed(s.group, s.topic, 0), 2000);
	fake_host_fini(&host);
}

static void
a_stop_without_time_takes_none(void **state)
{
	static struct fake_host host;
	struct set_up s;
	int64_t took_ms;

	(void)state;
	set_up(&s, 1);
	init(&host, &s, "30s");
	fake_host_start(&host);
	assert_ready(&host);
	broker_freeze();
	took_ms = fake_host_stop(&host, 0);
	broker_thaw();
	assert_true(took_ms < WATCHDOG_MS);
	fake_host_fini(&host);
}

static bool
is_unreachable(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return strstr(host->why, "no broker of") != NULL;
}

static void
brokers_that_are_away_are_said_with_the_reason(void **state)
{
	const struct fake_option options[] = {
		{ "brokers", "127.0.0.1:1" },
		{ "topic", "t" },
		{ NULL, NULL },
	};
	static struct fake_host host;

	(void)state;
	fake_host_init(&host, options);
	fake_host_start(&host);
	assert_true(fake_host_wait(&host, WAIT_MS, is_unreachable, 0));
	assert_non_null(strstr(host.why, "127.0.0.1:1"));
	assert_non_null(strstr(host.why, "refused"));
	assert_true(fake_host_stop(&host, 3000) < WATCHDOG_MS);
	fake_host_fini(&host);
}

static void
a_broker_that_hangs_is_said_and_its_return_too(void **state)
{
	static struct fake_host host;
	bool is_said;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	init(&host, &s, "30s");
	host.options[7] =
		(struct fake_option){ "rdkafka.socket.timeout.ms", "2000" };
	fake_host_start(&host);
	assert_ready(&host);
	broker_freeze();
	is_said = fake_host_wait(&host, WAIT_MS, is_unreachable, 0);
	broker_thaw();
	assert_true(is_said);
	assert_ready(&host);
	broker_fill(s.topic, 0, 0, 10, 200);
	assert_answered(&host, 10);
	stop(&host);
	assert_in_order(&host, 0, 0, 10);
	fake_host_fini(&host);
}

static bool
is_fatal(struct fake_host *host, int64_t unused)
{
	(void)unused;
	return host->fatal[0] != '\0';
}

static void
a_second_member_of_the_same_name_ends_the_first(void **state)
{
	static struct fake_host a, b;
	struct set_up s;

	(void)state;
	set_up(&s, 1);
	init(&a, &s, "30s");
	init(&b, &s, "30s");
	a.options[7] = (struct fake_option){ "group_instance_id", "one" };
	b.options[7] = a.options[7];
	fake_host_start(&a);
	assert_ready(&a);
	fake_host_start(&b);
	assert_ready(&b);
	assert_true(fake_host_wait(&a, WAIT_MS, is_fatal, 0));
	print_message("%s\n", a.fatal);
	stop(&a);
	stop(&b);
	fake_host_fini(&a);
	fake_host_fini(&b);
}

static int
group_set_up(void **state)
{
	(void)state;
	address = broker_open();
	return 0;
}

static int
group_tear_down(void **state)
{
	(void)state;
	broker_close();
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_message_is_emitted_once_and_in_the_order_of_its_partition),
		cmocka_unit_test(a_log_that_begins_anew_is_read_from_there),
		cmocka_unit_test(
			a_full_window_stops_the_intake_and_room_resumes_it),
		cmocka_unit_test(while_a_sink_is_not_ready_nobody_spins),
		cmocka_unit_test(what_is_not_done_is_not_committed),
		cmocka_unit_test(retry_reads_the_partition_again_from_there),
		cmocka_unit_test(
			a_partition_that_stands_again_and_again_halts_no_other),
		cmocka_unit_test(
			a_partition_that_crawls_keeps_no_other_to_its_pace),
		cmocka_unit_test(fail_stops_its_partition_there_and_no_other),
		cmocka_unit_test(
			a_member_that_joins_and_one_that_leaves_lose_and_repeat_nothing),
		cmocka_unit_test(
			an_answer_after_the_partition_is_gone_is_late_and_commits_nothing),
		cmocka_unit_test(a_missing_topic_is_waited_for_and_said),
		cmocka_unit_test(more_members_than_partitions_are_ready_too),
		cmocka_unit_test(
			poison_is_an_event_with_its_bytes_and_its_place),
		cmocka_unit_test(a_stop_with_the_broker_frozen_ends_in_time),
		cmocka_unit_test(a_stop_without_time_takes_none),
		cmocka_unit_test(
			brokers_that_are_away_are_said_with_the_reason),
		cmocka_unit_test(
			a_broker_that_hangs_is_said_and_its_return_too),
		cmocka_unit_test(
			a_second_member_of_the_same_name_ends_the_first),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
