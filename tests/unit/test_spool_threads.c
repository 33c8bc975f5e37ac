/*
 * test_spool_threads.c - a spool beside workers, handlers that stand, and many
 * that emit.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "spool_bench.h"

/* Until let_pass(). */
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
let_pass(struct rig_element *el)
{
	pthread_mutex_lock(&el->lock);
	el->limit = 1;
	pthread_cond_broadcast(&el->changed);
	pthread_mutex_unlock(&el->lock);
}

static void
a_slow_handler_does_not_keep_new_events_from_the_disk(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){
			      .chain = LIST("src", "look", "out") });
	b->look.process = block;
	chain_spool(b, 1);
	chain_sink_returns(b);
	rig_await_seen(&b->look, 1);
	assert_int_equal(chain_put(b, 2), 1);
	rig_await_heard(&b->src, 2);
	chain_expect_spooled(b, 2);
	let_pass(&b->look);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 2);
	rig_free(b->rig);
}

/* All that comes out has one key, and is as much as may come out. */
static void
a_lane_that_stands_does_not_keep_new_events_from_the_disk(void **state)
{
	struct spool_bench *b = *state;

	chain_open(b, (struct config_pipeline){
			      .chain = LIST("src", "look", "out"),
			      .in_flight = 8 });
	b->look.process = block;
	chain_spool_singly(b, 7);
	chain_sink_returns(b);
	rig_await_seen(&b->look, 1);
	assert_int_equal(chain_put(b, 8), 1);
	rig_await_heard(&b->src, 8);
	let_pass(&b->look);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 8);
	rig_free(b->rig);
}

static void
with_workers_and_handlers_the_order_of_a_key_is_kept(void **state)
{
	struct spool_bench *b = *state;
	int64_t last[4] = { 0 };

	chain_open(b, (struct config_pipeline){
			      .chain = LIST("src", "look", "out"),
			      .workers = 3,
			      .in_flight = 40 });
	chain_sink_leaves(b);
	for (int64_t n = 1; n <= 1000; n++) {
		const char *keys[] = { "a", "b", "c", "d" };

		/* Half of them while it drains. */
		if (n == 500)
			chain_sink_returns(b);
		while (chain_put_keyed(b, n, keys[n % 4]) == -EAGAIN)
			rig_await_heard(&b->src, 1);
	}
	rig_await_heard(&b->src, 1000);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, 1000);
	for (int i = 0; i < 1000; i++) {
		int64_t number = chain_number(b, i);

		assert_true(number > last[number % 4]);
		last[number % 4] = number;
	}
	rig_free(b->rig);
}

/* Many threads emit while the sink comes and goes. */
struct emitter {
	struct spool_bench *bench;
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
		while (chain_put_keyed(e->bench, e->number * 1000 + i, key) ==
		       -EAGAIN)
			sched_yield();
	return NULL;
}

static void
under_load_and_outages_each_comes_once_in_order(void **state)
{
	struct spool_bench *b = *state;
	struct emitter emitters[EMITTERS];
	int64_t last[EMITTERS] = { 0 };

	chain_open(b, (struct config_pipeline){ .in_flight = 100 });
	for (int i = 0; i < EMITTERS; i++) {
		emitters[i] = (struct emitter){ .bench = b, .number = i };
		assert_int_equal(pthread_create(&emitters[i].thread, NULL,
						emit_many, &emitters[i]),
				 0);
	}
	for (int n = 100; n < EMITTERS * EACH; n += 300) {
		rig_await_heard(&b->src, n);
		chain_sink_leaves(b);
		rig_await_heard(&b->src, n + 100);
		chain_sink_returns(b);
	}
	for (int i = 0; i < EMITTERS; i++)
		pthread_join(emitters[i].thread, NULL);
	rig_await_heard(&b->src, EMITTERS * EACH);
	chain_await_empty(b);
	assert_int_equal(b->out.n_seen, EMITTERS * EACH);
	for (int i = 0; i < EMITTERS * EACH; i++) {
		int64_t number = chain_number(b, i);

		assert_int_equal(number % 1000, last[number / 1000] + 1);
		last[number / 1000] = number % 1000;
	}
	rig_free(b->rig);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, chain_make, chain_remove)
	const struct CMUnitTest tests[] = {
		TEST(a_slow_handler_does_not_keep_new_events_from_the_disk),
		TEST(a_lane_that_stands_does_not_keep_new_events_from_the_disk),
		TEST(with_workers_and_handlers_the_order_of_a_key_is_kept),
		TEST(under_load_and_outages_each_comes_once_in_order),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
