#include "dlq_walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "host_tables.h"
#include "last_resort.h"
#include "main_loop.h"

#define TURN_MS 200

/* What the keeper's thread and the main thread share. */
struct course {
	struct dlq *dlq;
	evh_dead_letter *fn;
	void *arg;
	void (*stop)(void *arg);
	atomic_bool is_stopping;

	pthread_mutex_t lock; /* guards: all below */
	bool is_over;
	int rc;
	int64_t n;
	char why[512];
};

static int
course_letter(void *arg, const struct evh_letter *letter)
{
	struct course *course = arg;

	if (atomic_load(&course->is_stopping))
		return -ECANCELED;
	return course->fn(course->arg, letter);
}

static void
course_end(void *arg, int rc, const char *why, int64_t n)
{
	struct course *course = arg;
	struct host *host = course->dlq->host;

	pthread_mutex_lock(&course->lock);
	course->rc = rc;
	course->n = n;
	snprintf(course->why, sizeof(course->why), "%s", why ? why : "");
	course->is_over = true;
	/* The course is gone once the lock is, but the host is not. */
	pthread_mutex_unlock(&course->lock);
	host_wake(host);
}

/* It did not even begin, and nobody else says that it is over. */
static void
course_refused(struct course *course, int rc)
{
	pthread_mutex_lock(&course->lock);
	course->rc = rc;
	course->is_over = true;
	pthread_mutex_unlock(&course->lock);
}

static bool
course_is_over(struct course *course)
{
	bool is_over;

	pthread_mutex_lock(&course->lock);
	is_over = course->is_over;
	pthread_mutex_unlock(&course->lock);
	return is_over;
}

static int
course_exit_code(const struct course *course)
{
	const char *from = course->dlq->choice->from;
	const char *why = course->why;

	switch (-course->rc) {
	case 0:
	case ECANCELED:
		return EX_OK;
	case EPERM:
		fprintf(stderr, "evhd dlq: %s: %s\n", from, why);
		return EX_USAGE;
	case ENOMEM:
		fprintf(stderr, "evhd dlq: out of memory\n");
		return EX_OSERR;
	default:
		fprintf(stderr, "evhd dlq: %s: %s\n", from,
			*why ? why : strerror(-course->rc));
		return EX_UNAVAILABLE;
	}
}

/* It is to end, however far it is, and so is evhd when it does not: the letter
 * in hand may be on its way to a terminal that nobody reads. */
static void
course_stop(struct course *course, struct last_resort *last)
{
	const struct evh_dead *dead = course->dlq->dead;

	last_resort_arm(last, course->dlq->host, EX_UNAVAILABLE);
	atomic_store(&course->is_stopping, true);
	if (course->stop)
		course->stop(course->arg);
	dead->cancel(dead->self, course);
}

/* True when it was told to stop. */
static bool
course_await(struct course *course)
{
	struct host *host = course->dlq->host;
	struct last_resort last;
	bool stops = false;

	while (!stops && !course_is_over(course))
		if (main_loop_turn(host, TURN_MS)) {
			stops = true;
			course_stop(course, &last);
		}
	/* Who has failed for good says so once, and hurries nobody. */
	while (!course_is_over(course)) {
		main_loop_wait(host, TURN_MS);
		(void)main_loop_told_twice(host);
	}
	if (stops)
		last_resort_disarm(&last);
	return stops;
}

static int
course_run(struct course *course, const struct evh_dead_query *query,
	   const unsigned char *id, int64_t before_ns, int dry_run,
	   struct dlq_walk *ret)
{
	const struct evh_dead *dead = course->dlq->dead;
	bool stops;
	int rc, code;

	pthread_mutex_init(&course->lock, NULL);
	if (query)
		rc = dead->walk(dead->self, query, course_letter, course_end,
				course);
	else
		rc = dead->discard(dead->self, id, before_ns, dry_run,
				   course_end, course);
	/* Where it has begun it may be over by now, and has said how. */
	if (rc < 0)
		course_refused(course, rc);
	stops = course_await(course);
	code = course_exit_code(course);
	*ret = (struct dlq_walk){ .n = course->n,
				  .rc = course->rc,
				  .was_told_to_stop = stops };
	pthread_mutex_destroy(&course->lock);
	return code;
}

int
dlq_walk_run(struct dlq *dlq, const struct evh_dead_query *query,
	     evh_dead_letter *fn, void *arg, void (*stop)(void *arg),
	     struct dlq_walk *ret)
{
	struct course course = {
		.dlq = dlq, .fn = fn, .arg = arg, .stop = stop
	};

	return course_run(&course, query, NULL, 0, 0, ret);
}

static int
count_letter(void *arg, const struct evh_letter *letter)
{
	(void)arg; /* the keeper says how many there were */
	(void)letter;
	return 0;
}

int
dlq_walk_count(struct dlq *dlq, const struct evh_dead_query *query,
	       struct dlq_walk *ret)
{
	return dlq_walk_run(dlq, query, count_letter, NULL, NULL, ret);
}

int
dlq_walk_discard(struct dlq *dlq, const unsigned char *id, int64_t before_ns,
		 int dry_run, struct dlq_walk *ret)
{
	struct course course = { .dlq = dlq };

	return course_run(&course, NULL, id, before_ns, dry_run, ret);
}
