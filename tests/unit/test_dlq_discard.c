/*
 * test_dlq_discard.c - `evhd dlq discard` and a signal that comes meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dlq.h"
#include "host_tables.h"
#include "signals.h"

/* A keeper that has every letter, and is told to stop by the first request. */
struct keeper {
	pthread_t thread;
	evh_dead_end *end;
	void *arg;
	unsigned n_asked;
	bool is_cut;   /* it had not done all of it when it was told to end */
	bool is_deaf;  /* it never ends */
	bool is_quick; /* it ends before it returns, and nobody is told to stop
			*/
};

struct bench {
	struct keeper keeper;
	struct evh_dead dead;
	struct config config;
	struct setup setup;
	struct host host;
	struct dlq_choice choice;
	struct dlq_words words;
	struct dlq dlq;
	unsigned char ids[3][16];
};

static void *
answer(void *arg)
{
	const struct timespec pause = { 0, 1000000 };
	struct keeper *keeper = arg;
	sigset_t pending;

	/* Not before the signal has been read. */
	do {
		nanosleep(&pause, NULL);
		sigpending(&pending);
	} while (sigismember(&pending, SIGINT));
	keeper->end(keeper->arg, keeper->is_cut ? -ECANCELED : 0, NULL, 1);
	return NULL;
}

static int
ask(struct keeper *keeper, evh_dead_end *end, void *arg)
{
	keeper->end = end;
	keeper->arg = arg;
	if (keeper->n_asked++ > 0 || keeper->is_quick) {
		end(arg, 0, NULL, 1);
		return 0;
	}
	assert_int_equal(kill(getpid(), SIGINT), 0);
	if (keeper->is_deaf)
		return 0;
	assert_int_equal(pthread_create(&keeper->thread, NULL, answer, keeper),
			 0);
	return 0;
}

static int
keeper_walk(void *self, const struct evh_dead_query *query,
	    evh_dead_letter *letter, evh_dead_end *end, void *arg)
{
	(void)query;
	(void)letter;
	return ask(self, end, arg);
}

static int
keeper_discard(void *self, const unsigned char *id, int64_t before_ns,
	       int dry_run, evh_dead_end *end, void *arg)
{
	(void)id;
	(void)before_ns;
	(void)dry_run;
	return ask(self, end, arg);
}

/* It answers by itself once the signal has been read. */
static void
keeper_cancel(void *self, void *arg)
{
	(void)self;
	(void)arg;
}

static int
discard_with(struct bench *b, unsigned n_ids, bool dry_run)
{
	b->host = (struct host){ .wake_fd = -1, .signal_fd = -1 };
	b->setup.config = &b->config;
	b->host.setup = &b->setup;
	assert_int_equal(signals_open(&b->host.signal_fd), 0);
	b->host.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&b->host.timers_lock, NULL);
	b->dead = (struct evh_dead){ .self = &b->keeper,
				     .walk = keeper_walk,
				     .discard = keeper_discard,
				     .cancel = keeper_cancel };
	b->words = (struct dlq_words){ .ids = b->ids,
				       .n_ids = n_ids,
				       .dry_run = dry_run,
				       .before_ns = n_ids ? 0 : 1 };
	b->choice.from = "table";
	b->dlq = (struct dlq){ .words = &b->words,
			       .choice = &b->choice,
			       .host = &b->host,
			       .dead = &b->dead };
	return dlq_discard(&b->dlq);
}

static int
discard(struct bench *b, unsigned n_ids, bool dry_run)
{
	int code;

	*b = (struct bench){ .keeper.is_cut = dry_run };
	code = discard_with(b, n_ids, dry_run);
	pthread_join(b->keeper.thread, NULL);
	pthread_mutex_destroy(&b->host.timers_lock);
	close(b->host.wake_fd);
	close(b->host.signal_fd);
	return code;
}

static void
a_signal_leaves_the_other_letters(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(discard(&b, 3, false), DLQ_EXIT_SOME);
	assert_int_equal(b.keeper.n_asked, 1);
}

static void
a_signal_at_the_last_letter_leaves_none(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(discard(&b, 1, false), 0);
}

static void
a_count_that_a_signal_has_cut_short_is_not_the_whole(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(discard(&b, 0, true), DLQ_EXIT_SOME);
}

/* In a process of its own, which is ended when it has not by then. */
#define HANG_S 60

/* What that process exits with. */
static int
discard_apart(struct bench *b, unsigned n_ids)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(HANG_S);
		_exit(discard_with(b, n_ids, false));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
a_keeper_that_does_not_end_when_told_ends_with_evhd(void **state)
{
	struct bench b = { .keeper.is_deaf = true };

	(void)state;
	assert_int_equal(discard_apart(&b, 1), EX_UNAVAILABLE);
}

static void
a_keeper_that_has_ended_before_it_returns_is_not_waited_for(void **state)
{
	struct bench b = { .keeper.is_quick = true };

	(void)state;
	assert_int_equal(discard_apart(&b, 3), EX_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_leaves_the_other_letters),
		cmocka_unit_test(a_signal_at_the_last_letter_leaves_none),
		cmocka_unit_test(
			a_count_that_a_signal_has_cut_short_is_not_the_whole),
		cmocka_unit_test(
			a_keeper_that_does_not_end_when_told_ends_with_evhd),
		cmocka_unit_test(
			a_keeper_that_has_ended_before_it_returns_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
