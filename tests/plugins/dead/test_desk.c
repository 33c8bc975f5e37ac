/*
 * test_desk.c - requests to a keeper of dead letters, and what becomes of them.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "desk.h"

#define N_LETTERS 3

/* A keeper of three letters, which can be made to wait; and who asks. */
struct scene {
	struct desk desk;
	pthread_mutex_t lock; /* guards: all below */
	pthread_cond_t changed;
	bool is_gated, is_at_work;
	unsigned n_letters, n_ends, enough_at;
	int rc;
	int64_t n;
	char name[64], why[64];
	bool was_discard;
	int64_t before_ns;
};

static int
scene_work(void *keeper, const struct desk_request *request,
	   struct desk_outcome *ret)
{
	struct scene *scene = keeper;
	const struct evh_letter letter = { .name = "" };
	int rc = 0;

	pthread_mutex_lock(&scene->lock);
	scene->is_at_work = true;
	pthread_cond_broadcast(&scene->changed);
	while (scene->is_gated && desk_is_over(&scene->desk, request) == 0)
		pthread_cond_wait(&scene->changed, &scene->lock);
	snprintf(scene->name, sizeof(scene->name), "%s",
		 request->query.name ? request->query.name : "");
	scene->was_discard = request->is_discard;
	scene->before_ns = request->query.before_ns;
	pthread_mutex_unlock(&scene->lock);
	snprintf(ret->why, sizeof(ret->why), "said");
	rc = desk_is_over(&scene->desk, request);
	if (request->is_discard && rc == 0) {
		ret->n = 7;
		return 0;
	}
	for (int i = 0; rc == 0 && i < N_LETTERS; i++)
		rc = desk_give(&scene->desk, request, &letter, ret);
	return rc;
}

static int
scene_letter(void *arg, const struct evh_letter *letter)
{
	struct scene *scene = arg;
	bool is_enough;

	(void)letter;
	pthread_mutex_lock(&scene->lock);
	is_enough = ++scene->n_letters == scene->enough_at;
	pthread_mutex_unlock(&scene->lock);
	return is_enough ? -1 : 0;
}

static void
scene_end(void *arg, int rc, const char *why, int64_t n)
{
	struct scene *scene = arg;

	pthread_mutex_lock(&scene->lock);
	scene->n_ends++;
	scene->rc = rc;
	scene->n = n;
	snprintf(scene->why, sizeof(scene->why), "%s", why);
	pthread_cond_broadcast(&scene->changed);
	pthread_mutex_unlock(&scene->lock);
}

static void
scene_await_ends(struct scene *scene, unsigned n)
{
	pthread_mutex_lock(&scene->lock);
	while (scene->n_ends < n)
		pthread_cond_wait(&scene->changed, &scene->lock);
	pthread_mutex_unlock(&scene->lock);
}

static void
scene_await_work(struct scene *scene)
{
	pthread_mutex_lock(&scene->lock);
	while (!scene->is_at_work)
		pthread_cond_wait(&scene->changed, &scene->lock);
	pthread_mutex_unlock(&scene->lock);
}

static int
scene_setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	pthread_mutex_init(&scene->lock, NULL);
	pthread_cond_init(&scene->changed, NULL);
	assert_int_equal(desk_start(&scene->desk, "desk", scene_work, scene),
			 0);
	*state = scene;
	return 0;
}

static int
scene_teardown(void **state)
{
	struct scene *scene = *state;

	pthread_cond_destroy(&scene->changed);
	pthread_mutex_destroy(&scene->lock);
	free(scene);
	return 0;
}

static int
walk(struct scene *scene, const char *name)
{
	const struct evh_dead_query query = { .name = name };
	const struct evh_dead *dead = &scene->desk.service;

	return dead->walk(dead->self, &query, scene_letter, scene_end, scene);
}

static void
a_walk_gives_each_letter_and_one_end(void **state)
{
	struct scene *scene = *state;
	char name[] = "user.*";

	assert_int_equal(walk(scene, name), 0);
	/* It was copied. */
	memset(name, 'x', sizeof(name) - 1);
	scene_await_ends(scene, 1);
	assert_int_equal(scene->n_letters, N_LETTERS);
	assert_int_equal(scene->rc, 0);
	assert_int_equal(scene->n, N_LETTERS);
	assert_string_equal(scene->name, "user.*");
	assert_string_equal(scene->why, "said");
	desk_stop(&scene->desk);
	assert_int_equal(scene->n_ends, 1);
}

static void
who_has_enough_hears_no_more_letters(void **state)
{
	struct scene *scene = *state;

	scene->enough_at = 2;
	assert_int_equal(walk(scene, NULL), 0);
	scene_await_ends(scene, 1);
	assert_int_equal(scene->n_letters, 2);
	assert_int_equal(scene->rc, -ECANCELED);
	desk_stop(&scene->desk);
}

static void
a_discard_says_how_many(void **state)
{
	struct scene *scene = *state;
	const struct evh_dead *dead = &scene->desk.service;

	assert_int_equal(
		dead->discard(dead->self, NULL, 5, 0, scene_end, scene), 0);
	scene_await_ends(scene, 1);
	assert_true(scene->was_discard);
	assert_int_equal(scene->before_ns, 5);
	assert_int_equal(scene->n, 7);
	desk_stop(&scene->desk);
}

static void
what_is_cancelled_ends_before_any_letter_and_the_next_goes_on(void **state)
{
	struct scene *scene = *state;
	const struct evh_dead *dead = &scene->desk.service;
	const struct evh_dead_query query = { .name = NULL };
	struct scene *other = calloc(1, sizeof(*other));
	struct pollfd fd = { .fd = scene->desk.stop_fd, .events = POLLIN };

	assert_non_null(other);
	pthread_mutex_init(&other->lock, NULL);
	pthread_cond_init(&other->changed, NULL);
	scene->is_gated = true;
	assert_int_equal(walk(scene, NULL), 0);
	scene_await_work(scene);
	assert_int_equal(walk(scene, NULL), 0);
	assert_int_equal(
		dead->walk(dead->self, &query, scene_letter, scene_end, other),
		0);
	dead->cancel(dead->self, scene);
	assert_int_equal(poll(&fd, 1, 0), 1);
	/* The keeper looks at it itself: here it is woken for that. */
	pthread_mutex_lock(&scene->lock);
	scene->is_gated = false;
	pthread_cond_broadcast(&scene->changed);
	pthread_mutex_unlock(&scene->lock);
	scene_await_ends(scene, 2);
	assert_int_equal(scene->rc, -ECANCELED);
	assert_int_equal(scene->n_letters, 0);
	scene_await_ends(other, 1);
	assert_int_equal(other->rc, 0);
	assert_int_equal(other->n_letters, N_LETTERS);
	assert_int_equal(poll(&fd, 1, 0), 0);
	/* What is over is not cancelled. */
	dead->cancel(dead->self, other);
	desk_stop(&scene->desk);
	assert_int_equal(other->n_ends, 1);
	free(other);
}

static void
too_many_at_once_are_refused_and_all_that_wait_hear_of_a_stop(void **state)
{
	struct scene *scene = *state;

	scene->is_gated = true;
	assert_int_equal(walk(scene, NULL), 0);
	scene_await_work(scene);
	for (int i = 0; i < DESK_WAITING_MAX; i++)
		assert_int_equal(walk(scene, NULL), 0);
	assert_int_equal(walk(scene, NULL), -EAGAIN);

	/* The keeper looks at it itself: here it is woken for that. */
	pthread_mutex_lock(&scene->lock);
	scene->is_gated = false;
	atomic_store(&scene->desk.is_stopping, true);
	pthread_cond_broadcast(&scene->changed);
	pthread_mutex_unlock(&scene->lock);
	desk_stop(&scene->desk);
	assert_int_equal(scene->n_ends, DESK_WAITING_MAX + 1);
	assert_int_equal(scene->rc, -ESHUTDOWN);
	assert_int_equal(scene->n_letters, 0);
}

#define scene_test(f)                                                          \
	cmocka_unit_test_setup_teardown(f, scene_setup, scene_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(a_walk_gives_each_letter_and_one_end),
		scene_test(who_has_enough_hears_no_more_letters),
		scene_test(a_discard_says_how_many),
		scene_test(
			what_is_cancelled_ends_before_any_letter_and_the_next_goes_on),
		scene_test(
			too_many_at_once_are_refused_and_all_that_wait_hear_of_a_stop),
	};

	return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
