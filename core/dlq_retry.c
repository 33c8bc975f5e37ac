/*
 * dlq_retry.c - `evhd dlq retry`: dead letters through a pipeline once more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dlq.h"
#include "dlq_resend.h"
#include "dlq_text.h"
#include "dlq_walk.h"
#include "host_tables.h"
#include "main_loop.h"
#include "pipeline.h"
#include "timer.h"

#define TURN_MS 100
/* For all to be ready, and for those that the chain can do without. */
#define READY_NS    INT64_C(15000000000)
#define OPTIONAL_NS INT64_C(5000000000)
/* Each sink answers in its own time, and a deadline ends the rest. */
#define SETTLE_NS INT64_C(60000000000)

/* ---- Before ---------------------------------------------------------------
 */

/* The first that is not ready; of those that are needed, or of all. */
static struct instance *
unready(struct host *host, bool all)
{
	struct pipeline *p = host->pipelines[0];

	for (unsigned i = 1; i < p->n_chain; i++) {
		struct instance *in = p->elements[i].in;

		if (!atomic_load(&in->is_ready) &&
		    (all || pipeline_needs(p, in)))
			return in;
	}
	return NULL;
}

/* EX_OK, or an exit code once it is told who is away. */
static int
ready_await(struct host *host)
{
	int64_t begin_ns = timer_now_ns();
	struct instance *needed;
	char why[INSTANCE_WHY_MAX];

	for (;;) {
		int64_t passed_ns = timer_now_ns() - begin_ns;

		needed = unready(host, false);
		if (!needed &&
		    (passed_ns > OPTIONAL_NS || !unready(host, true)))
			return EX_OK;
		if (passed_ns > READY_NS)
			break;
		if (main_loop_turn(host, TURN_MS))
			return DLQ_EXIT_SOME;
	}
	instance_why_not(needed, why, sizeof(why));
	fprintf(stderr, "evhd dlq: %s: %s\n", needed->name, why);
	return EX_UNAVAILABLE;
}

/* Where to see what has become of an event: not where its letter is from,
 * which is read when it is sent. */
static const struct evh_store *
store_of(const struct dlq *dlq)
{
	struct pipeline *p = dlq->host->pipelines[0];

	for (unsigned i = 1; i < p->n_chain; i++) {
		struct instance *in = p->elements[i].in;

		if (in->plugin->service && atomic_load(&in->is_ready) &&
		    strcmp(in->name, dlq->choice->from) != 0) {
			const void *store =
				in->plugin->service(in->self, EVH_STORE_1);

			if (store)
				return store;
		}
	}
	return NULL;
}

/* ---- Meanwhile ------------------------------------------------------------
 */

/* Letters also draw the bar: the main thread waits for the walk. */
static int
retry_letter(void *arg, const struct evh_letter *letter)
{
	struct dlq_resend *resend = arg;
	int rc = dlq_resend_letter(resend, letter);

	dlq_tally_draw(resend->tally);
	return rc;
}

static int
retry_ids(struct dlq_resend *resend, bool *ret_stopped)
{
	const struct dlq_words *words = resend->dlq->words;
	int code = EX_OK;

	for (unsigned i = 0; code == EX_OK && !*ret_stopped && i < words->n_ids;
	     i++) {
		const struct evh_dead_query query = { .id = words->ids[i],
						      .limit = 1,
						      .want_data = 1 };
		struct dlq_walk walk;

		code = dlq_walk_run(resend->dlq, &query, retry_letter, resend,
				    dlq_resend_stop, &walk);
		*ret_stopped = walk.was_told_to_stop;
		if (code == EX_OK && walk.rc == 0 && walk.n == 0)
			dlq_tally_add(resend->tally, words->ids[i],
				      DLQ_NOT_RETRIED,
				      "there is no such dead letter");
	}
	return code;
}

static int
retry_all(struct dlq_resend *resend, bool *ret_stopped)
{
	struct evh_dead_query query = resend->dlq->words->where.query;
	struct dlq_walk walk = { 0 };
	int code = EX_OK;

	if (resend->tally->has_bar) {
		code = dlq_walk_count(resend->dlq, &query, &walk);
		resend->tally->expected = walk.n;
	}
	if (code == EX_OK && !walk.was_told_to_stop) {
		query.want_data = 1;
		code = dlq_walk_run(resend->dlq, &query, retry_letter, resend,
				    dlq_resend_stop, &walk);
	}
	*ret_stopped = walk.was_told_to_stop;
	return code;
}

/* What is on its way comes to its end. */
static unsigned
settle(struct dlq_resend *resend, bool *ret_stopped)
{
	int64_t until_ns = timer_now_ns() + SETTLE_NS;
	unsigned n;

	while ((n = dlq_resend_in_flight(resend)) > 0 &&
	       timer_now_ns() < until_ns) {
		dlq_tally_draw(resend->tally);
		if (main_loop_turn(resend->dlq->host, TURN_MS)) {
			/* The second time is meant. */
			if (*ret_stopped)
				break;
			*ret_stopped = true;
		}
	}
	return n;
}

/* ---- Behind ---------------------------------------------------------------
 */

static void
tell_how_to_go_on(const struct dlq *dlq)
{
	const char *state = dlq->words->state;

	if (dlq->words->n_ids > 0)
		fprintf(stderr, "evhd dlq: stopped; the ids not told of here "
				"are still to do\n");
	else if (state)
		fprintf(stderr,
			"evhd dlq: stopped; the same command goes on, for %s "
			"has what is done\n",
			state);
	else
		fprintf(stderr,
			"evhd dlq: stopped; the same command goes on: what has "
			"been retried is no dead letter any more, or is seen "
			"to have come through (with --state FILE even before "
			"that)\n");
}

static int
exit_code(struct dlq_resend *resend, int code, bool was_stopped, unsigned left)
{
	if (left > 0) {
		fprintf(stderr, "evhd dlq: %u are on their way still\n", left);
		code = DLQ_EXIT_SOME;
	}
	if (resend->state_error < 0) {
		fprintf(stderr, "evhd dlq: --state %s: %s\n",
			resend->dlq->words->state,
			strerror(-resend->state_error));
		return EX_OSERR;
	}
	if (atomic_load(&resend->is_away)) {
		char why[INSTANCE_WHY_MAX] = "no room in time";
		struct instance *in = unready(resend->dlq->host, false);

		if (in)
			instance_why_not(in, why, sizeof(why));
		fprintf(stderr, "evhd dlq: %s%s%s\n", in ? in->name : "",
			in ? ": " : "", why);
		code = EX_UNAVAILABLE;
	}
	if (was_stopped || code == EX_UNAVAILABLE)
		tell_how_to_go_on(resend->dlq);
	if (code != EX_OK)
		return code;
	if (was_stopped || dlq_tally_n(resend->tally, DLQ_NOT_RETRIED) > 0 ||
	    dlq_tally_n(resend->tally, DLQ_FAILED_AGAIN) > 0)
		return DLQ_EXIT_SOME;
	return EX_OK;
}

static int
resend_run(struct dlq_resend *resend, unsigned *ret_left)
{
	bool was_stopped = false;
	int code;

	code = resend->dlq->words->n_ids > 0 ? retry_ids(resend, &was_stopped)
					     : retry_all(resend, &was_stopped);
	*ret_left = settle(resend, &was_stopped);
	dlq_tally_sum(resend->tally);
	return exit_code(resend, code, was_stopped, *ret_left);
}

/* All of a retry, in memory of its own: what is on its way when nobody waits
 * any longer still comes back to it. */
struct retry {
	struct dlq_state state;
	struct dlq_tally tally;
	struct dlq_resend resend;
};

static int
retry_run(struct retry *retry, struct dlq *dlq)
{
	struct dlq_resend *resend = &retry->resend;
	unsigned left = 0;
	int code, rc;

	resend->dlq = dlq;
	resend->state = &retry->state;
	resend->tally = &retry->tally;
	resend->replay = host_instance(dlq->host, dlq->choice->head)->self;
	resend->store = store_of(dlq);
	dlq_tally_init(&retry->tally, dlq->words->json);
	dlq_resend_init(resend);
	code = resend_run(resend, &left);
	if (left > 0)
		return code;
	dlq_resend_fini(resend);
	dlq_tally_fini(&retry->tally);
	rc = dlq_state_close(&retry->state);
	if (rc < 0)
		fprintf(stderr, "evhd dlq: --state %s: %s\n", dlq->words->state,
			strerror(-rc));
	free(retry);
	return rc < 0 && code == EX_OK ? EX_OSERR : code;
}

int
dlq_retry(struct dlq *dlq)
{
	struct retry *retry = calloc(1, sizeof(*retry));
	char why[512] = "out of memory";
	int code = EX_OSERR, rc = -ENOMEM;

	if (retry)
		rc = dlq_state_open(&retry->state, dlq->words->state, why,
				    sizeof(why));
	if (rc < 0) {
		fprintf(stderr, "evhd dlq: %s\n", why);
		free(retry);
		return code;
	}
	code = ready_await(dlq->host);
	if (code == EX_OK)
		return retry_run(retry, dlq);
	(void)dlq_state_close(&retry->state);
	free(retry);
	return code;
}
