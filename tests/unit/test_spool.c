/*
 * test_spool.c - a spool before a chain of the real host: what passes by, what
 * goes in, and how it comes out.
 */
#include "../harness/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "host_tables.h"
#include "pipeline.h"
#include "rig.h"
#include "spool.h"
#include "timer.h"
#include "window.h"

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })
#define AWAIT_NS  INT64_C(60000000000)

/* While set, nothing can be synced. */
static _Atomic int sync_fault;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t place);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t place);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t
__wrap_pwrite(int fd, const void *data, size_t len, off_t place)
{
	return __real_pwrite(fd, data, len, place);
}

int
__wrap_fdatasync(int fd)
{
	if (sync_fault == 0)
		return __real_fdatasync(fd);
	errno = sync_fault;
	return -1;
}

/* A source, a spool, a sink; events are told apart by `created_ns`. */
struct fixture {
	struct tempdir dir;
	struct rig *rig;
	struct rig_element src, look, out;
	struct pipeline *p;
	int64_t numbers[RIG_MAX]; /* that the sink was offered; under its lock
				   */
	enum evh_result result;	  /* of the sink; 0: it keeps them */
	int64_t failing;	  /* this one fails */
	atomic_int n_spooled;	  /* that the source heard of so */
};

static struct fixture *
fixture_of(struct rig_element *el)
{
	return el->on_done ? (struct fixture *)((char *)el -
						offsetof(struct fixture, src))
			   : (struct fixture *)((char *)el -
						offsetof(struct fixture, out));
}

static void
note_spooled(struct rig_element *el, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	for (int i = 0; i < n; i++)
		if (result == EVH_OK && evs[i]->is_spooled)
			atomic_fetch_add(&fixture_of(el)->n_spooled, 1);
}

static int
take(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct fixture *f = fixture_of(el);
	enum evh_result result;

	for (int i = 0; i < n; i++) {
		pthread_mutex_lock(&el->lock);
		f->numbers[el->n_seen++] = evs[i]->created_ns;
		result = f->result;
		if (result == EVH_OK && evs[i]->created_ns == f->failing)
			result = EVH_FAIL;
		if (result == 0)
			el->held[el->n_held++] = evs[i];
		pthread_cond_broadcast(&el->changed);
		pthread_mutex_unlock(&el->lock);
		if (result != 0)
			el->ctx->done(el->ctx, &evs[i], 1, result);
	}
	return n;
}

static void
build(struct fixture *f, struct config_pipeline config)
{
	static char *chain[] = { (char *)"src", (char *)"out", NULL };

	f->rig = rig_new();
	f->src = (struct rig_element){ .name = "src",
				       .kind = EVH_SOURCE,
				       .on_done = note_spooled };
	f->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.process = rig_note };
	f->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = take };
	f->result = EVH_OK;
	f->failing = 0;
	atomic_store(&f->n_spooled, 0);
	rig_add(f->rig, &f->src);
	rig_add(f->rig, &f->look);
	rig_add(f->rig, &f->out);
	if (!config.chain)
		config.chain = chain;
	config.spool_dir = f->dir.path;
	f->p = rig_pipeline(f->rig, config);
	rig_start(f->rig);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	tempdir_init(&f->dir);
	sync_fault = 0;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	tempdir_fini(&f->dir);
	free(f);
	return 0;
}

static int
put_keyed(struct fixture *f, int64_t number, const char *key)
{
	const struct evh_spec spec = { .name = "e",
				       .data = { "{}", 2 },
				       .key = { key, strlen(key) },
				       .created_ns = number,
				       .cookie = (uintptr_t)number };

	return rig_emit_spec(&f->src, &spec);
}

static int
put(struct fixture *f, int64_t number)
{
	return put_keyed(f, number, "k");
}

static void
sink_away(struct fixture *f)
{
	f->out.ctx->ready(f->out.ctx, "away");
}

static void
sink_back(struct fixture *f)
{
	f->out.ctx->ready(f->out.ctx, NULL);
}

static void
sink_says(struct fixture *f, enum evh_result result)
{
	pthread_mutex_lock(&f->out.lock);
	f->result = result;
	pthread_mutex_unlock(&f->out.lock);
}

static int64_t
number_seen(struct fixture *f, int i)
{
	int64_t number;

	pthread_mutex_lock(&f->out.lock);
	assert_true(i < f->out.n_seen);
	number = f->numbers[i];
	pthread_mutex_unlock(&f->out.lock);
	return number;
}

/* Looks at another thread's state, again and again. */
static void
await_state(struct fixture *f, bool (*fn)(const struct spool_state *))
{
	const struct timespec pause = { 0, 1000000 };
	int64_t until_ns = timer_now_ns() + AWAIT_NS;
	struct spool_state state;

	for (;;) {
		spool_state(f->p->spool, &state);
		if (fn(&state))
			return;
		assert_true(timer_now_ns() < until_ns);
		nanosleep(&pause, NULL);
	}
}

static bool
is_empty(const struct spool_state *state)
{
	return state->n_records == 0 && !state->is_holding;
}

static bool
is_wrong(const struct spool_state *state)
{
	return *state->why != '\0';
}

static bool
is_right(const struct spool_state *state)
{
	return *state->why == '\0';
}

/* done() goes on for a moment behind what the rig notes of it. */
static void
expect_spooled(struct fixture *f, int n)
{
	const struct timespec pause = { 0, 1000000 };
	int64_t until_ns = timer_now_ns() + AWAIT_NS;

	while (atomic_load(&f->n_spooled) < n && timer_now_ns() < until_ns)
		nanosleep(&pause, NULL);
	assert_int_equal(atomic_load(&f->n_spooled), n);
}

static void
while_the_chain_is_ready_events_pass_by(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ 0 });
	for (int64_t n = 1; n <= 50; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 50);
	assert_int_equal(f->out.n_seen, 50);
	expect_spooled(f, 0);
	assert_int_equal(f->p->spool->log.next, 1);
	rig_free(f->rig);
}

static void
while_it_is_not_they_go_in_and_come_out_in_their_order(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ 0 });
	sink_away(f);
	for (int64_t n = 1; n <= 300; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 300);
	expect_spooled(f, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(f->src.results[i], EVH_OK);
	assert_int_equal(f->out.n_seen, 0);
	assert_true(pipeline_is_ready(f->p));
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(number_seen(f, i), i + 1);
	assert_int_equal(f->src.n_heard, 300);
	assert_int_equal(put(f, 301), 1);
	rig_await_heard(&f->src, 301);
	expect_spooled(f, 300);
	rig_free(f->rig);
}

/* One that passed by before is still in the sink's hands. */
static void
what_is_in_the_chain_already_is_not_overtaken(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ 0 });
	sink_says(f, 0);
	assert_int_equal(put(f, 1), 1);
	rig_await_held(&f->out, 1);
	sink_away(f);
	assert_int_equal(put(f, 2), 1);
	rig_await_heard(&f->src, 1);
	assert_int_equal(f->src.heard[0], 2);
	sink_back(f);
	assert_int_equal(put(f, 3), 1);
	rig_await_heard(&f->src, 2);
	expect_spooled(f, 2);
	assert_int_equal(f->out.n_seen, 1);
	rig_answer(&f->out, 1, EVH_OK);
	rig_await_held(&f->out, 2);
	assert_int_equal(number_seen(f, 1), 2);
	assert_int_equal(number_seen(f, 2), 3);
	/* And it holds something: the next one goes in behind. */
	assert_int_equal(put(f, 4), 1);
	rig_await_heard(&f->src, 4);
	expect_spooled(f, 3);
	rig_await_held(&f->out, 3);
	rig_answer(&f->out, 3, EVH_OK);
	await_state(f, is_empty);
	assert_int_equal(number_seen(f, 3), 4);
	rig_free(f->rig);
}

/* A sink's RETRY in the middle of it. */
static void
a_second_outage_while_it_drains_keeps_the_order(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .deadline_ms = 1 });
	sink_away(f);
	for (int64_t n = 1; n <= 20; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 20);
	sink_says(f, 0);
	sink_back(f);
	rig_await_held(&f->out, 20);
	sink_away(f);
	rig_answer(&f->out, 5, EVH_OK);
	rig_answer(&f->out, 15, EVH_RETRY);
	assert_int_equal(put(f, 21), 1);
	rig_await_heard(&f->src, 21);
	sink_says(f, EVH_OK);
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 36);
	for (int i = 20; i < 36; i++)
		assert_int_equal(number_seen(f, i), i - 14);
	rig_free(f->rig);
}

/* Each waits for the chain as long as that takes. */
static void
what_comes_out_of_it_has_no_deadline(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .deadline_ms = 1 });
	sink_away(f);
	assert_int_equal(put(f, 1), 1);
	rig_await_heard(&f->src, 1);
	sink_says(f, 0);
	sink_back(f);
	rig_await_held(&f->out, 1);
	assert_int_equal(
		pipeline_deadline_ns(f->p, (struct event *)f->out.held[0]),
		INT64_MAX);
	rig_answer(&f->out, 1, EVH_OK);
	await_state(f, is_empty);
	rig_free(f->rig);
}

/* Some hear RETRY for good, as all do when their time is over. */
static void
those_that_come_back_go_again_in_their_order(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .deadline_ms = 1 });
	sink_away(f);
	for (int64_t n = 1; n <= 10; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 10);
	sink_says(f, 0);
	sink_back(f);
	rig_await_held(&f->out, 10);
	for (int i = 2; i < 10; i++)
		((struct event *)f->out.held[i])->is_patient = false;
	rig_answer(&f->out, 2, EVH_OK);
	sink_says(f, EVH_OK);
	rig_answer(&f->out, 8, EVH_RETRY);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 18);
	for (int i = 10; i < 18; i++)
		assert_int_equal(number_seen(f, i), i - 7);
	rig_free(f->rig);
}

static enum evh_result
block(struct rig_element *el, struct evh_event *ev)
{
	pthread_mutex_lock(&el->lock);
	el->cookies[el->n_seen++] = ev->cookie;
	pthread_cond_broadcast(&el->changed);
	while (el->limit == 0)
		pthread_cond_wait(&el->changed, &el->lock);
	pthread_mutex_unlock(&el->lock);
	return EVH_OK;
}

static void
a_slow_handler_does_not_keep_new_events_from_the_disk(void **state)
{
	struct fixture *f = *state;

	build(f,
	      (struct config_pipeline){ .chain = LIST("src", "look", "out") });
	f->look.process = block;
	sink_away(f);
	assert_int_equal(put(f, 1), 1);
	rig_await_heard(&f->src, 1);
	sink_back(f);
	rig_await_seen(&f->look, 1);
	assert_int_equal(put(f, 2), 1);
	rig_await_heard(&f->src, 2);
	expect_spooled(f, 2);
	pthread_mutex_lock(&f->look.lock);
	f->look.limit = 1;
	pthread_cond_broadcast(&f->look.changed);
	pthread_mutex_unlock(&f->look.lock);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 2);
	rig_free(f->rig);
}

/* All that comes out has one key, and is as much as may come out. */
static void
a_lane_that_stands_does_not_keep_new_events_from_the_disk(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .chain = LIST("src", "look", "out"),
					   .in_flight = 8 });
	f->look.process = block;
	sink_away(f);
	for (int n = 1; n <= 7; n++) {
		assert_int_equal(put(f, n), 1);
		rig_await_heard(&f->src, n);
	}
	sink_back(f);
	rig_await_seen(&f->look, 1);
	assert_int_equal(put(f, 8), 1);
	rig_await_heard(&f->src, 8);
	pthread_mutex_lock(&f->look.lock);
	f->look.limit = 1;
	pthread_cond_broadcast(&f->look.changed);
	pthread_mutex_unlock(&f->look.lock);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 8);
	rig_free(f->rig);
}

/* In the second of three records, whose place it gives. */
static unsigned
spoil(const struct fixture *f)
{
	const struct spool_segment *segment;
	struct spool_log log;
	uint64_t place;
	char path[300];
	int fd;

	assert_int_equal(spool_log_open(&log, f->dir.path, 1 << 20), 0);
	segment = &log.segments[0];
	place = SPOOL_SEGMENT_HEAD + (segment->end - SPOOL_SEGMENT_HEAD) / 3 +
		SPOOL_RECORD_HEAD;
	spool_log_close(&log);
	snprintf(path, sizeof(path), "%s/0000000000000001.spool", f->dir.path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(__real_pwrite(fd, "?", 1, (off_t)place), 1);
	close(fd);
	return (unsigned)(place - SPOOL_RECORD_HEAD);
}

static void
what_stands_before_damage_is_delivered_and_nothing_is_taken(void **state)
{
	struct fixture *f = *state;
	struct spool_state spool;
	char place[64];

	build(f, (struct config_pipeline){ 0 });
	sink_away(f);
	for (int n = 1; n <= 3; n++) {
		assert_int_equal(put(f, n), 1);
		rig_await_heard(&f->src, n);
	}
	rig_free(f->rig);
	snprintf(place, sizeof(place), "at byte %u of 0000000000000001.spool",
		 spoil(f));
	build(f, (struct config_pipeline){ 0 });
	rig_await_seen(&f->out, 1);
	assert_int_equal(number_seen(f, 0), 1);
	assert_int_equal(put(f, 4), -EAGAIN);
	assert_false(pipeline_is_ready(f->p));
	spool_state(f->p->spool, &spool);
	assert_non_null(strstr(spool.why, place));
	rig_free(f->rig);
	/* And it is all there still. */
	build(f, (struct config_pipeline){ 0 });
	assert_int_equal(put(f, 5), -EAGAIN);
	rig_free(f->rig);
	assert_int_equal(f->out.n_seen, 0);
}

static void
one_that_fails_and_is_kept_by_nobody_stops_what_is_behind_it(void **state)
{
	struct fixture *f = *state;
	struct spool_state spool;
	int n_seen[8] = { 0 };
	int last = -1;

	build(f, (struct config_pipeline){ .in_flight = 3 });
	sink_away(f);
	for (int64_t n = 1; n <= 6; n++) {
		assert_int_equal(put(f, n), 1);
		rig_await_heard(&f->src, (int)n);
	}
	f->failing = 3;
	sink_back(f);
	await_state(f, is_wrong);
	assert_false(pipeline_is_ready(f->p));
	spool_state(f->p->spool, &spool);
	assert_non_null(strstr(spool.why, "failed, and no on_fail keeps it"));
	/* Still it takes what comes. */
	assert_int_equal(put(f, 7), 1);
	rig_await_heard(&f->src, 7);
	pthread_mutex_lock(&f->out.lock);
	f->failing = 0;
	pthread_mutex_unlock(&f->out.lock);
	await_state(f, is_empty);
	assert_true(pipeline_is_ready(f->p));
	/* It was seen again and again, each other once, and those behind its
	 * window not before it had passed. */
	for (int i = 0; i < f->out.n_seen; i++) {
		n_seen[number_seen(f, i)]++;
		if (number_seen(f, i) == 3)
			last = i;
		if (number_seen(f, i) == 5)
			assert_in_range(last, 0, i - 1);
	}
	assert_true(n_seen[3] > 1);
	for (int n = 1; n <= 7; n++)
		assert_true(n == 3 || n_seen[n] == 1);
	assert_int_equal(number_seen(f, f->out.n_seen - 1), 7);
	rig_free(f->rig);
}

static void
one_that_on_fail_keeps_stops_nobody(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .chain = LIST("src", "look", "out"),
					   .on_fail = LIST("out") });
	f->look.limit = EVH_FAIL;
	sink_away(f);
	for (int64_t n = 1; n <= 3; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 3);
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 3);
	rig_free(f->rig);
}

static void
with_workers_and_handlers_the_order_of_a_key_is_kept(void **state)
{
	struct fixture *f = *state;
	int64_t last[4] = { 0 };

	build(f, (struct config_pipeline){ .chain = LIST("src", "look", "out"),
					   .workers = 3,
					   .in_flight = 40 });
	sink_away(f);
	for (int64_t n = 1; n <= 1000; n++) {
		const char *keys[] = { "a", "b", "c", "d" };

		/* Half of them while it drains. */
		if (n == 500)
			sink_back(f);
		while (put_keyed(f, n, keys[n % 4]) == -EAGAIN)
			rig_await_heard(&f->src, 1);
	}
	rig_await_heard(&f->src, 1000);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 1000);
	for (int i = 0; i < 1000; i++) {
		int64_t number = number_seen(f, i);

		assert_true(number > last[number % 4]);
		last[number % 4] = number;
	}
	rig_free(f->rig);
}

static void
with_always_each_goes_through_it(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ .spool_when = (char *)"always" });
	for (int64_t n = 1; n <= 100; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 100);
	expect_spooled(f, 100);
	rig_await_seen(&f->out, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(number_seen(f, i), i + 1);
	rig_free(f->rig);
}

static void
stopping_leaves_it_for_the_next_start(void **state)
{
	struct fixture *f = *state;
	int64_t begin_ns;

	build(f, (struct config_pipeline){ 0 });
	sink_away(f);
	for (int64_t n = 1; n <= 10; n++)
		assert_int_equal(put(f, n), 1);
	rig_await_heard(&f->src, 10);
	begin_ns = timer_now_ns();
	rig_free(f->rig);
	assert_true(timer_now_ns() - begin_ns < INT64_C(12000000000));
	build(f, (struct config_pipeline){ 0 });
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 10);
	for (int i = 0; i < 10; i++)
		assert_int_equal(number_seen(f, i), i + 1);
	assert_int_equal(f->src.n_heard, 0);
	rig_free(f->rig);
}

static void
what_cannot_be_synced_hears_retry_and_it_goes_on_by_itself(void **state)
{
	struct fixture *f = *state;

	build(f, (struct config_pipeline){ 0 });
	sink_away(f);
	assert_int_equal(put(f, 1), 1);
	rig_await_heard(&f->src, 1);
	sync_fault = EIO;
	assert_int_equal(put(f, 2), 1);
	rig_await_heard(&f->src, 2);
	assert_int_equal(f->src.results[1], EVH_RETRY);
	assert_int_equal(put(f, 3), -EAGAIN);
	assert_false(pipeline_is_ready(f->p));
	await_state(f, is_wrong);
	sync_fault = 0;
	await_state(f, is_right);
	assert_int_equal(put(f, 4), 1);
	rig_await_heard(&f->src, 3);
	expect_spooled(f, 2);
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 2);
	assert_int_equal(number_seen(f, 0), 1);
	assert_int_equal(number_seen(f, 1), 4);
	rig_free(f->rig);
}

static void
beyond_max_size_emit_says_eagain_and_nothing_is_lost(void **state)
{
	struct fixture *f = *state;
	static char large[10000];
	struct evh_spec spec = { .name = "e",
				 .data = { large, sizeof(large) } };
	int n = 0;

	memset(large, ' ', sizeof(large));
	build(f, (struct config_pipeline){ .spool_max_size = 1 << 20,
					   .in_flight_size = 8 << 20 });
	sink_away(f);
	while ((spec.created_ns = n + 1, rig_emit_spec(&f->src, &spec) == 1))
		n++;
	assert_in_range(n, 95, 105);
	rig_await_heard(&f->src, n);
	expect_spooled(f, n);
	await_state(f, is_wrong);
	assert_false(pipeline_is_ready(f->p));
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, n);
	assert_int_equal(put(f, n + 1), 1);
	rig_await_heard(&f->src, n + 1);
	rig_free(f->rig);
}

static void
of_two_pipelines_one_may_have_spooled(void **state)
{
	struct fixture *f = *state;
	struct rig_element other = { .name = "other", .kind = EVH_SINK };

	f->rig = rig_new();
	f->src = (struct rig_element){ .name = "src",
				       .kind = EVH_SOURCE,
				       .on_done = note_spooled };
	f->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = take };
	f->result = EVH_OK;
	rig_add(f->rig, &f->src);
	rig_add(f->rig, &f->out);
	rig_add(f->rig, &other);
	f->p = rig_pipeline(
		f->rig, (struct config_pipeline){ .chain = LIST("src", "out"),
						  .spool_dir = f->dir.path });
	rig_pipeline(f->rig,
		     (struct config_pipeline){ .name = (char *)"q",
					       .chain = LIST("src", "other") });
	rig_start(f->rig);
	sink_away(f);
	assert_int_equal(put(f, 1), 1);
	rig_await_heard(&f->src, 1);
	assert_int_equal(f->src.results[0], EVH_OK);
	expect_spooled(f, 1);
	assert_int_equal(other.n_seen, 1);
	sink_back(f);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, 1);
	rig_free(f->rig);
}

/* Many threads emit while the sink comes and goes. */
struct emitter {
	struct fixture *f;
	pthread_t thread;
	int number;
};

#define EMITTERS 4
#define EACH	 400

static void *
emit_many(void *arg)
{
	struct emitter *e = arg;
	char key[8];

	snprintf(key, sizeof(key), "%d", e->number);
	for (int i = 1; i <= EACH; i++)
		while (put_keyed(e->f, e->number * 1000 + i, key) == -EAGAIN)
			sched_yield();
	return NULL;
}

static void
under_load_and_outages_each_comes_once_in_order(void **state)
{
	struct fixture *f = *state;
	struct emitter emitters[EMITTERS];
	int64_t last[EMITTERS] = { 0 };

	build(f, (struct config_pipeline){ .in_flight = 100 });
	for (int i = 0; i < EMITTERS; i++) {
		emitters[i] = (struct emitter){ .f = f, .number = i };
		assert_int_equal(pthread_create(&emitters[i].thread, NULL,
						emit_many, &emitters[i]),
				 0);
	}
	for (int n = 100; n < EMITTERS * EACH; n += 300) {
		rig_await_heard(&f->src, n);
		sink_away(f);
		rig_await_heard(&f->src, n + 100);
		sink_back(f);
	}
	for (int i = 0; i < EMITTERS; i++)
		pthread_join(emitters[i].thread, NULL);
	rig_await_heard(&f->src, EMITTERS * EACH);
	await_state(f, is_empty);
	assert_int_equal(f->out.n_seen, EMITTERS * EACH);
	for (int i = 0; i < EMITTERS * EACH; i++) {
		int64_t number = number_seen(f, i);

		assert_int_equal(number % 1000, last[number / 1000] + 1);
		last[number / 1000] = number % 1000;
	}
	rig_free(f->rig);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(while_the_chain_is_ready_events_pass_by),
		TEST(while_it_is_not_they_go_in_and_come_out_in_their_order),
		TEST(what_is_in_the_chain_already_is_not_overtaken),
		TEST(a_second_outage_while_it_drains_keeps_the_order),
		TEST(what_comes_out_of_it_has_no_deadline),
		TEST(those_that_come_back_go_again_in_their_order),
		TEST(a_slow_handler_does_not_keep_new_events_from_the_disk),
		TEST(a_lane_that_stands_does_not_keep_new_events_from_the_disk),
		TEST(what_stands_before_damage_is_delivered_and_nothing_is_taken),
		TEST(one_that_fails_and_is_kept_by_nobody_stops_what_is_behind_it),
		TEST(one_that_on_fail_keeps_stops_nobody),
		TEST(with_workers_and_handlers_the_order_of_a_key_is_kept),
		TEST(with_always_each_goes_through_it),
		TEST(stopping_leaves_it_for_the_next_start),
		TEST(what_cannot_be_synced_hears_retry_and_it_goes_on_by_itself),
		TEST(beyond_max_size_emit_says_eagain_and_nothing_is_lost),
		TEST(of_two_pipelines_one_may_have_spooled),
		TEST(under_load_and_outages_each_comes_once_in_order),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
