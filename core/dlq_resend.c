#include "dlq_resend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "dlq_look.h"
#include "envelope.h"
#include "event_key.h"
#include "host_tables.h"
#include "json.h"
#include "letter.h"
#include "scratch.h"
#include "timer.h"

#define EMIT_MS	    100 /* for room, then it looks whether to stop */
#define AWAY_NS	    INT64_C(30000000000) /* and then a server is away */
#define SLACK_NS    INT64_C(50000000)	 /* of --rate */
#define KEY_ROOM    256
#define HEADERS_MAX 1000

/* Headers that say what an event was as a dead letter. */
static const char *const letters_own[] = {
	"evh-id",    "content-type", "evh-attempts",	"evh-status",
	"evh-error", "evh-source",   "evh-failed-at",	"evh-created-at",
	"evh-name",  "evh-lost",     "evh-lost-sha256", LETTER_REPLAYS_HEADER,
};

/* ---- Is it one to send? ---------------------------------------------------
 */

static bool
is_event(const struct evh_letter *letter)
{
	struct json_span data;

	return !letter->raw &&
	       envelope_name_check(letter->name, strlen(letter->name)) ==
		       ENVELOPE_NAME_OK &&
	       json_check(letter->data.data, letter->data.len, &data, NULL) ==
		       0;
}

/* True when it is not to be sent, and that has been told. */
static bool
is_refused(struct dlq_resend *r, const struct evh_letter *letter,
	   uint32_t replays)
{
	const struct dlq_words *words = r->dlq->words;
	const char *since = NULL;
	char why[96];

	if (dlq_state_has(r->state, letter->id, letter->attempts)) {
		dlq_tally_add(r->tally, letter->id, DLQ_PASSED_OVER,
			      "the state file has it as done");
		return true;
	}
	if (letter->lost_sha256) {
		dlq_tally_add(r->tally, letter->id, DLQ_NOT_RETRIED,
			      "its bytes were too many to be kept: there is "
			      "nothing to send");
		return true;
	}
	if (!is_event(letter)) {
		dlq_tally_add(r->tally, letter->id, DLQ_NOT_RETRIED,
			      "what came is no event: nothing can process it");
		return true;
	}
	if (replays >= words->max_replays) {
		snprintf(why, sizeof(why),
			 "it was retried %" PRIu32 " time%s already and has "
			 "failed again (--max-replays)",
			 replays, replays == 1 ? "" : "s");
		dlq_tally_add(r->tally, letter->id, DLQ_NOT_RETRIED, why);
		return true;
	}
	if (r->store)
		since = dlq_look_superseded(r->store, letter, &r->stop);
	if (since)
		dlq_tally_add(r->tally, letter->id, DLQ_PASSED_OVER, since);
	return since != NULL;
}

/* ---- As an event ----------------------------------------------------------
 */

/* What of an event is made here, while it is emitted. */
struct remade {
	struct evh_spec spec;
	struct evh_header *headers;
	char *key;
	char replays[16];
};

static bool
is_letters_own(const char *name)
{
	for (size_t i = 0; i < sizeof(letters_own) / sizeof(*letters_own); i++)
		if (strcmp(letters_own[i], name) == 0)
			return true;
	return false;
}

static int
headers_remake(struct remade *remade, const struct evh_letter *letter,
	       uint32_t replays)
{
	uint32_t n = 0, max = letter->n_headers;

	if (max > HEADERS_MAX)
		max = HEADERS_MAX;
	remade->headers = calloc(max + 1, sizeof(*remade->headers));
	if (!remade->headers)
		return -ENOMEM;
	for (uint32_t i = 0; i < max; i++)
		if (!is_letters_own(letter->headers[i].name))
			remade->headers[n++] = letter->headers[i];
	snprintf(remade->replays, sizeof(remade->replays), "%" PRIu32,
		 replays + 1);
	remade->headers[n++] =
		(struct evh_header){ LETTER_REPLAYS_HEADER,
				     { remade->replays,
				       strlen(remade->replays) } };
	remade->spec.headers = remade->headers;
	remade->spec.n_headers = n;
	return 0;
}

/* A table keeps no key: it is found anew, by the rule that found it first. */
static int
key_remake(struct remade *remade, const struct evh_letter *letter,
	   const char *rule)
{
	struct evh_bytes name = { letter->name, strlen(letter->name) };
	struct json_span data;
	size_t len;

	remade->spec.key = letter->key;
	if (letter->key.len > 0 || strcmp(rule, "none") == 0 ||
	    json_check(letter->data.data, letter->data.len, &data, NULL) < 0)
		return 0;
	remade->key = malloc(KEY_ROOM);
	if (!remade->key)
		return -ENOMEM;
	len = event_key(name, &data, letter->id, rule, remade->key, KEY_ROOM);
	if (len >= KEY_ROOM) {
		free(remade->key);
		remade->key = malloc(len + 1);
		if (!remade->key)
			return -ENOMEM;
		event_key(name, &data, letter->id, rule, remade->key, len + 1);
	}
	remade->spec.key = (struct evh_bytes){ remade->key, len };
	return 0;
}

static void
remade_fini(struct remade *remade)
{
	free(remade->headers);
	free(remade->key);
}

static int
remade_init(struct remade *remade, const struct dlq_choice *choice,
	    const struct evh_letter *letter, uint32_t replays)
{
	int rc;

	*remade = (struct remade){
		.spec = { .id = letter->id,
			  .created_ns = letter->created_ns,
			  .name = letter->name,
			  .data = letter->data,
			  .attempts = letter->attempts,
			  .status = EVH_PENDING },
	};
	if (!choice->is_ingest) {
		/* Processed here, as by the source that it came from. */
		remade->spec.status = EVH_PROCESSED;
		remade->spec.topic = letter->topic;
		remade->spec.partition = letter->partition;
		remade->spec.offset = letter->offset;
	}
	/* What the letter had: the event's own count grows on its way. */
	remade->spec.cookie = letter->attempts;
	rc = headers_remake(remade, letter, replays);
	if (rc == 0)
		rc = key_remake(remade, letter, choice->key_rule);
	if (rc < 0)
		remade_fini(remade);
	return rc;
}

/* ---- On its way -----------------------------------------------------------
 */

/* --rate.  False: told to stop. */
static bool
turn_await(struct dlq_resend *r)
{
	int64_t pause_ns = r->dlq->words->pause_ns;
	int64_t now_ns = timer_now_ns();

	if (pause_ns == 0)
		return !atomic_load(&r->stop);
	pthread_mutex_lock(&r->lock);
	while (now_ns < r->due_ns && !atomic_load(&r->stop)) {
		(void)condition_wait(&r->changed, &r->lock, r->due_ns);
		now_ns = timer_now_ns();
	}
	/* Waits end a little late, which is made up for; a stall is not. */
	if (r->due_ns < now_ns - SLACK_NS)
		r->due_ns = now_ns;
	r->due_ns += pause_ns;
	pthread_mutex_unlock(&r->lock);
	return !atomic_load(&r->stop);
}

static void
in_flight_add(struct dlq_resend *r, int n)
{
	pthread_mutex_lock(&r->lock);
	r->in_flight += (unsigned)n;
	pthread_mutex_unlock(&r->lock);
}

/* 0, or why it is not on its way. */
static int
emit(struct dlq_resend *r, const struct evh_spec *spec)
{
	int64_t until_ns = timer_now_ns() + AWAY_NS;
	int rc;

	in_flight_add(r, 1); /* before done() may come */
	do {
		rc = dlq_replay_emit(r->replay, spec, EMIT_MS);
	} while (rc == -EAGAIN && !atomic_load(&r->stop) &&
		 timer_now_ns() < until_ns);
	if (rc < 0)
		in_flight_add(r, -1);
	if (rc == -EAGAIN && !atomic_load(&r->stop))
		atomic_store(&r->is_away, true);
	return rc;
}

/* What has become of an event that was on its way; and why, if that is not
 * said by then. */
static enum dlq_outcome
outcome_of(const struct evh_event *ev, enum evh_result result,
	   const char **ret_why)
{
	*ret_why = NULL;
	switch (result) {
	case EVH_OK:
		return DLQ_RETRIED;
	case EVH_DROP:
		if (ev->status == EVH_DROPPED)
			return DLQ_RETRIED;
		if (ev->status == EVH_FAILED)
			return DLQ_FAILED_AGAIN;
		*ret_why = "the pipeline does not take it, or has failed it "
			   "again";
		return DLQ_NOT_RETRIED;
	case EVH_FAIL:
		*ret_why = "nobody new keeps it";
		return DLQ_FAILED_AGAIN;
	case EVH_RETRY:
		*ret_why = "it did not get through in time: a server is away";
		return DLQ_NOT_RETRIED;
	case EVH_HOLD:
		break;
	}
	*ret_why = "it did not get through";
	return DLQ_NOT_RETRIED;
}

static void
stop_locked(struct dlq_resend *r)
{
	atomic_store(&r->stop, true);
	pthread_cond_broadcast(&r->changed);
}

static void
resend_done(void *arg, const struct evh_event *ev, enum evh_result result)
{
	struct dlq_resend *r = arg;
	struct host *host = r->dlq->host;
	const char *why;
	enum dlq_outcome outcome = outcome_of(ev, result, &why);
	int rc = 0;

	dlq_tally_add(r->tally, ev->id, outcome, why);
	pthread_mutex_lock(&r->lock);
	if (outcome == DLQ_RETRIED)
		rc = dlq_state_add(r->state, ev->id, (uint32_t)ev->cookie);
	if (rc < 0) {
		r->state_error = rc;
		stop_locked(r);
	}
	/* With the last one the resend may be gone, but not the host. */
	r->in_flight--;
	pthread_mutex_unlock(&r->lock);
	host_wake(host);
}

static int
letter_send(struct dlq_resend *r, const struct evh_letter *letter,
	    uint32_t replays)
{
	struct remade remade;
	int rc = remade_init(&remade, r->dlq->choice, letter, replays);

	if (rc == 0) {
		rc = emit(r, &remade.spec);
		remade_fini(&remade);
	}
	if (rc == -ENOMEM)
		dlq_tally_add(r->tally, letter->id, DLQ_NOT_RETRIED,
			      "out of memory");
	/* Otherwise nothing can be sent any more, and whoever waits is told. */
	return rc == -ENOMEM ? 0 : rc;
}

int
dlq_resend_letter(void *arg, const struct evh_letter *letter)
{
	struct dlq_resend *r = arg;
	EVH_SCRATCH struct letter_error error;

	if (atomic_load(&r->stop))
		return -ECANCELED;
	letter_error_read(letter->error, &error);
	if (is_refused(r, letter, error.replays))
		return 0;
	if (atomic_load(&r->stop)) /* while it looked */
		return -ECANCELED;
	if (r->dlq->words->dry_run) {
		dlq_tally_add(r->tally, letter->id, DLQ_WOULD_RETRY, NULL);
		return 0;
	}
	if (!turn_await(r))
		return -ECANCELED;
	return letter_send(r, letter, error.replays);
}

/* ---- Life -----------------------------------------------------------------
 */

void
dlq_resend_init(struct dlq_resend *resend)
{
	pthread_mutex_init(&resend->lock, NULL);
	(void)condition_init(&resend->changed);
	resend->replay->done = resend_done;
	resend->replay->arg = resend;
}

void
dlq_resend_fini(struct dlq_resend *resend)
{
	pthread_cond_destroy(&resend->changed);
	pthread_mutex_destroy(&resend->lock);
}

void
dlq_resend_stop(void *arg)
{
	struct dlq_resend *resend = arg;

	pthread_mutex_lock(&resend->lock);
	stop_locked(resend);
	pthread_mutex_unlock(&resend->lock);
}

unsigned
dlq_resend_in_flight(struct dlq_resend *resend)
{
	unsigned n;

	pthread_mutex_lock(&resend->lock);
	n = resend->in_flight;
	pthread_mutex_unlock(&resend->lock);
	return n;
}
