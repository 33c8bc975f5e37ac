#include "reader.h"

#include "answer.h"
#include "clock.h"
#include "deadline.h"
#include "query.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AWAY_FIRST_MS 100
#define AWAY_LAST_MS  2000

struct reader_question {
	struct query query;
	evh_rows *fn;
	void *arg;
	int64_t deadline;
};

/* What one thread has. */
struct desk {
	struct reader *reader;
	struct connection connection;
	bool prepared[QUERY_STATEMENTS];
	struct failure failure;
};

/* What evh/services.h lets the asker hear, of what went wrong here: whatever
 * it is, a later try may do. */
static int
rc_public(int rc)
{
	switch (rc) {
	case -ECANCELED:
	case -ESHUTDOWN:
		return -ESHUTDOWN;
	case 0:
	case -ETIMEDOUT:
	case -EMSGSIZE:
		return rc;
	default:
		return -EAGAIN;
	}
}

/* ---- Asking ----------------------------------------------------------------
 */

static int
question_push(struct reader *reader, struct reader_question *question)
{
	size_t max = reader->settings->read_queue;
	int rc = 0;

	pthread_mutex_lock(&reader->lock);
	if (reader->stopping) {
		rc = -ESHUTDOWN;
	} else if (reader->n == max || clock_ns() < reader->away_until) {
		rc = -EAGAIN;
	} else {
		reader->ring[(reader->head + reader->n++) % max] = question;
		pthread_cond_signal(&reader->work);
	}
	pthread_mutex_unlock(&reader->lock);
	return rc;
}

static void
question_free(struct reader_question *question)
{
	query_fini(&question->query);
	free(question);
}

/* Takes over question->query, whose making returned rc. */
static int
question_ask(struct reader *reader, struct reader_question *question, int rc,
	     evh_rows *fn, void *arg)
{
	question->fn = fn;
	question->arg = arg;
	question->deadline = deadline_in(reader->settings->read_timeout_ms);
	if (rc == 0)
		rc = question_push(reader, question);
	if (rc < 0)
		question_free(question);
	return rc_public(rc);
}

int
reader_get(void *self, const unsigned char id[16], evh_rows *fn, void *arg)
{
	struct reader_question *question = calloc(1, sizeof(*question));

	if (!question)
		return rc_public(-ENOMEM);
	return question_ask(self, question,
			    query_init_get(&question->query, id), fn, arg);
}

int
reader_find(void *self, const struct evh_query *q, evh_rows *fn, void *arg)
{
	struct reader_question *question = calloc(1, sizeof(*question));

	if (!question)
		return rc_public(-ENOMEM);
	return question_ask(self, question,
			    query_init_find(&question->query, q), fn, arg);
}

/* ---- Away or there ---------------------------------------------------------
 */

static void
away_note(struct desk *desk)
{
	struct reader *reader = desk->reader;
	bool log;

	pthread_mutex_lock(&reader->lock);
	reader->away_until = deadline_in(backoff_next(&reader->backoff));
	log = !reader->away_logged && !reader->stopping;
	reader->away_logged = true;
	pthread_mutex_unlock(&reader->lock);

	if (log)
		reader->ctx->log(reader->ctx, EVH_WARN,
				 "rows cannot be read: %s", desk->failure.text);
}

static void
there_note(struct desk *desk)
{
	struct reader *reader = desk->reader;
	bool log;

	pthread_mutex_lock(&reader->lock);
	backoff_reset(&reader->backoff);
	reader->away_until = 0;
	log = reader->away_logged;
	reader->away_logged = false;
	pthread_mutex_unlock(&reader->lock);

	if (log)
		reader->ctx->log(reader->ctx, EVH_INFO,
				 "rows can be read again");
}

/* ---- Answering -------------------------------------------------------------
 */

static void
desk_close(struct desk *desk)
{
	connection_close(&desk->connection);
	memset(desk->prepared, 0, sizeof(desk->prepared));
}

static int
desk_open(struct desk *desk, int64_t deadline)
{
	const struct settings *settings = desk->reader->settings;
	struct session_facts facts;

	if (desk->connection.pg)
		return 0;
	return session_open(&desk->connection, settings, SESSION_READ,
			    settings->read_timeout_ms, deadline, &facts,
			    &desk->failure);
}

/* One statement of a question, prepared where it was not. */
static int
statement_run(struct desk *desk, const struct reader_question *question,
	      bool total, struct answer *answer)
{
	unsigned number = query_statement(&question->query, total);
	struct query_params params;
	char name[16], sql[600];
	int rc;

	query_params(&question->query, total, &params);
	snprintf(name, sizeof(name), "q%u", number);
	if (!desk->prepared[number]) {
		query_sql(number, sql, sizeof(sql));
		rc = connection_prepare(&desk->connection, name, sql,
					&params.params, question->deadline,
					&desk->failure);
		if (rc < 0)
			return rc;
		desk->prepared[number] = true;
	}
	return connection_stream(&desk->connection, name, &params.params,
				 question->deadline,
				 total ? answer_take_total : answer_take,
				 answer, &desk->failure);
}

static int
question_run(struct desk *desk, const struct reader_question *question,
	     struct answer *answer)
{
	int rc = desk_open(desk, question->deadline);

	if (rc == 0)
		rc = statement_run(desk, question, false, answer);
	if (rc == 0 && question->query.want_total)
		rc = statement_run(desk, question, true, answer);
	return rc;
}

/* Did the server go while nobody asked it anything?  Then it may be back. */
static bool
is_stale(const struct desk *desk, int rc)
{
	return (rc == -ECONNRESET || rc == -EREMOTEIO) &&
	       PQstatus(desk->connection.pg) == CONNECTION_BAD;
}

/*
 * After a question that failed: is the connection still good, and is the
 * server away?  One that is only slow for this question is not, or an
 * expensive list would shut out everybody else.  Returns the rc to answer.
 */
static int
trouble_settle(struct desk *desk, int rc)
{
	if (rc == -EREMOTEIO && desk->failure.policy == SQLSTATE_AGAIN)
		return -ETIMEDOUT; /* the server's own limit for it */

	if (rc == -EMSGSIZE || rc == -ENOMEM ||
	    (rc == -ETIMEDOUT && desk->connection.pg)) {
		desk_close(desk);
		return rc;
	}
	desk_close(desk);
	away_note(desk);
	return rc;
}

static int
question_try(struct desk *desk, const struct reader_question *question,
	     struct answer *answer)
{
	bool was_open = desk->connection.pg != NULL;
	int rc;

	if (deadline_over(question->deadline))
		return -ETIMEDOUT; /* it waited too long for a turn */

	rc = question_run(desk, question, answer);
	if (rc < 0 && was_open && is_stale(desk, rc)) {
		desk_close(desk);
		answer_clear(answer);
		rc = question_run(desk, question, answer);
	}
	if (rc == 0)
		there_note(desk);
	else
		rc = trouble_settle(desk, rc);
	return rc;
}

static void
question_answer(struct desk *desk, struct reader_question *question)
{
	struct answer answer;
	int rc;

	answer_init(&answer, desk->reader->settings->read_bytes);
	rc = question_try(desk, question, &answer);
	answer_give(&answer, rc_public(rc), question->fn, question->arg);
	answer_fini(&answer);
	question_free(question);
}

/* The next question; NULL when stopping and all are answered. */
static struct reader_question *
question_pop(struct reader *reader, bool *ret_stopping)
{
	struct reader_question *question = NULL;

	pthread_mutex_lock(&reader->lock);
	while (!reader->n && !reader->stopping)
		pthread_cond_wait(&reader->work, &reader->lock);
	if (reader->n) {
		question = reader->ring[reader->head];
		reader->head =
			(reader->head + 1) % reader->settings->read_queue;
		reader->n--;
	}
	*ret_stopping = reader->stopping;
	pthread_mutex_unlock(&reader->lock);
	return question;
}

static void *
reader_main(void *arg)
{
	struct reader *reader = arg;
	struct desk desk = { .reader = reader,
			     .connection = { .cancel_fd = reader->cancel_fd } };
	struct reader_question *question;
	bool stopping;

	pthread_setname_np(pthread_self(), "evh-pg-read");
	while ((question = question_pop(reader, &stopping))) {
		if (!stopping) {
			question_answer(&desk, question);
			continue;
		}
		question->fn(question->arg, -ESHUTDOWN, NULL, 0, -1);
		question_free(question);
	}
	desk_close(&desk);
	return NULL;
}

/* ---- Life ------------------------------------------------------------------
 */

int
reader_start(struct reader *reader, struct evh_ctx *ctx,
	     const struct settings *settings)
{
	int rc = 0;

	*reader = (struct reader){
		.ctx = ctx,
		.settings = settings,
		.ring = calloc(settings->read_queue, sizeof(*reader->ring)),
		.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.threads = calloc(settings->read_connections,
				  sizeof(*reader->threads)),
	};
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->work, NULL);
	backoff_init(&reader->backoff, AWAY_FIRST_MS, AWAY_LAST_MS);
	if (!reader->ring || !reader->threads)
		rc = -ENOMEM;
	else if (reader->cancel_fd < 0)
		rc = -errno;

	while (rc == 0 && reader->n_threads < settings->read_connections) {
		rc = -pthread_create(&reader->threads[reader->n_threads], NULL,
				     reader_main, reader);
		if (rc == 0)
			reader->n_threads++;
	}
	if (rc < 0)
		reader_stop(reader);
	return rc;
}

void
reader_stop(struct reader *reader)
{
	size_t i;

	pthread_mutex_lock(&reader->lock);
	reader->stopping = true;
	pthread_cond_broadcast(&reader->work);
	pthread_mutex_unlock(&reader->lock);
	if (reader->cancel_fd >= 0)
		eventfd_write(reader->cancel_fd, 1);
	for (i = 0; i < reader->n_threads; i++)
		pthread_join(reader->threads[i], NULL);

	if (reader->cancel_fd >= 0)
		close(reader->cancel_fd);
	pthread_cond_destroy(&reader->work);
	pthread_mutex_destroy(&reader->lock);
	free(reader->threads);
	free(reader->ring);
}
