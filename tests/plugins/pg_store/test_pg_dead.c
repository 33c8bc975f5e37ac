/* Dead letters that the table shows and forgets, and what ends that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "group.h"

#include <evh/services.h>

#include <errno.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define DB    "dead"
#define BATCH 1000 /* rows that one statement deletes */

/* Who asks, and what he hears. */
static struct {
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	const struct evh_dead *cancels; /* once a statement has deleted */
	unsigned n_ends;
	int rc;
	int64_t n;
	int64_t created_ns; /* of the last letter */
	bool is_disordered; /* one was older than the one before */
} asker = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER };

char *__real_PQcmdTuples(PGresult *result);
char *__wrap_PQcmdTuples(PGresult *result);

char *
__wrap_PQcmdTuples(PGresult *result)
{
	const struct evh_dead *dead;

	pthread_mutex_lock(&asker.lock);
	dead = asker.cancels;
	pthread_mutex_unlock(&asker.lock);
	if (dead)
		dead->cancel(dead->self, &asker);
	return __real_PQcmdTuples(result);
}

static void
asker_end(void *arg, int rc, const char *why, int64_t n)
{
	(void)arg;
	(void)why;
	pthread_mutex_lock(&asker.lock);
	asker.n_ends++;
	asker.rc = rc;
	asker.n = n;
	pthread_cond_broadcast(&asker.changed);
	pthread_mutex_unlock(&asker.lock);
}

/* What was created first comes first. */
static int
asker_letter(void *arg, const struct evh_letter *letter)
{
	(void)arg;
	if (letter->created_ns <= asker.created_ns)
		asker.is_disordered = true;
	asker.created_ns = letter->created_ns;
	return 0;
}

static void
asker_await(void)
{
	pthread_mutex_lock(&asker.lock);
	while (asker.n_ends == 0)
		pthread_cond_wait(&asker.changed, &asker.lock);
	pthread_mutex_unlock(&asker.lock);
}

static void
discard_all(const struct evh_dead *dead, bool cancels)
{
	asker.n_ends = 0; /* nobody is at work */
	asker.cancels = cancels ? dead : NULL;
	assert_int_equal(dead->discard(dead->self, NULL, INT64_MAX, 0,
				       asker_end, &asker),
			 0);
	asker_await();
}

/* Each a second younger than the one before, put there youngest first. */
static void
letters_insert(int n)
{
	pg_server_sql(&server, DB,
		      "INSERT INTO events (id, name, data, status, created_at,"
		      " processed_at) SELECT gen_random_uuid(), 'a', '{}',"
		      " 'failed', now() - k * interval '1 s', now()"
		      " FROM generate_series(1, %d) AS k",
		      n);
}

static int
setup(void **state)
{
	return group_bench_setup(state, DB, NULL, NULL);
}

static void
a_discard_that_is_ended_says_so_and_how_far_it_came(void **state)
{
	struct bench *bench = *state;
	const struct evh_dead *dead =
		evh_plugin.service(bench->self, EVH_DEAD_1);

	letters_insert(BATCH * 5 / 2);
	discard_all(dead, true);
	assert_int_equal(asker.rc, -ECANCELED);
	assert_int_equal(asker.n, BATCH);
	discard_all(dead, false);
	assert_int_equal(asker.rc, 0);
	assert_int_equal(asker.n, BATCH * 3 / 2);
	assert_string_equal(
		pg_server_sql(&server, DB, "SELECT count(*) FROM events"), "0");
}

/* More than one page of them. */
static void
a_walk_shows_each_letter_once_the_oldest_first(void **state)
{
	const struct evh_dead_query all = { 0 };
	struct bench *bench = *state;
	const struct evh_dead *dead =
		evh_plugin.service(bench->self, EVH_DEAD_1);

	letters_insert(BATCH);
	asker.n_ends = 0;
	asker.created_ns = 0;
	asker.is_disordered = false;
	assert_int_equal(
		dead->walk(dead->self, &all, asker_letter, asker_end, &asker),
		0);
	asker_await();
	assert_int_equal(asker.rc, 0);
	assert_int_equal(asker.n, BATCH);
	assert_false(asker.is_disordered);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_discard_that_is_ended_says_so_and_how_far_it_came,
			setup, group_bench_teardown),
		cmocka_unit_test_setup_teardown(
			a_walk_shows_each_letter_once_the_oldest_first, setup,
			group_bench_teardown),
	};

	return cmocka_run_group_tests_name("pg_dead", tests, group_setup,
					   group_teardown);
}
