#include "dead.h"

#include "dead_query.h"
#include "deadline.h"
#include "session.h"

#include <letter.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For one statement, and for connecting: an operator waits, no client. */
#define STATEMENT_MS 60000

/* One request at work. */
struct visit {
	struct dead *dead;
	const struct desk_request *request;
	struct desk_outcome *outcome;
	struct connection connection;
	bool prepared[DEAD_STATEMENTS];
	struct failure failure;
	bool had_enough; /* the letter's callback */
};

static int
visit_open(struct visit *visit)
{
	const struct settings *settings = visit->dead->settings;
	struct session_facts facts;

	return session_open(
		&visit->connection, settings,
		visit->request->is_discard ? SESSION_DISCARD : SESSION_READ,
		STATEMENT_MS, deadline_in(settings->connect_timeout_ms), &facts,
		&visit->failure);
}

static int
visit_ask(struct visit *visit, enum dead_statement statement,
	  const struct dead_params *params, PGresult **ret)
{
	const char *name = dead_query_name(statement);
	int64_t deadline = deadline_in(STATEMENT_MS);
	int rc;

	if (!visit->prepared[statement]) {
		rc = connection_prepare(
			&visit->connection, name, dead_query_sql(statement),
			&params->params, deadline, &visit->failure);
		if (rc < 0)
			return rc;
		visit->prepared[statement] = true;
	}
	return connection_execute(&visit->connection, name, &params->params,
				  deadline, ret, &visit->failure);
}

static int
letter_give(struct visit *visit, const struct evh_letter *letter)
{
	int rc = desk_give(&visit->dead->desk, visit->request, letter,
			   visit->outcome);

	visit->had_enough = rc == -ECANCELED;
	return rc;
}

/* With its bytes, read anew; one that has not failed any more is left out. */
static int
whole_give(struct visit *visit, const unsigned char id[16])
{
	struct evh_letter letter;
	struct dead_params params;
	PGresult *result;
	int rc;

	dead_query_id(id, &params);
	rc = visit_ask(visit, DEAD_ONE, &params, &result);
	if (rc < 0)
		return rc;
	if (PQntuples(result) == 1) {
		dead_query_letter(result, 0, visit->request->query.want_data,
				  &letter);
		if (letter_fits(&visit->request->query, &letter))
			rc = letter_give(visit, &letter);
	}
	PQclear(result);
	return rc;
}

static bool
is_enough(const struct visit *visit)
{
	uint32_t limit = visit->request->query.limit;

	return limit > 0 && visit->outcome->n >= limit;
}

static int
page_give(struct visit *visit, const PGresult *page, struct dead_cursor *cursor)
{
	const struct evh_dead_query *query = &visit->request->query;
	struct evh_letter letter;
	int rc = 0;

	for (int i = 0; rc == 0 && i < PQntuples(page); i++) {
		if (is_enough(visit))
			return 0;
		dead_query_letter(page, i, 0, &letter);
		cursor->created_ns = letter.created_ns;
		memcpy(cursor->id, letter.id, sizeof(cursor->id));
		cursor->is_set = 1;
		if (!letter_fits(query, &letter))
			continue;
		rc = query->want_data ? whole_give(visit, letter.id)
				      : letter_give(visit, &letter);
	}
	return rc;
}

static int
pages_give(struct visit *visit)
{
	struct dead_cursor cursor = { 0 };
	int n = DEAD_PAGE, rc = 0;

	while (rc == 0 && n == DEAD_PAGE && !is_enough(visit)) {
		struct dead_params params;
		PGresult *page;

		dead_query_page(&cursor, &visit->request->query, &params);
		rc = visit_ask(visit, DEAD_NEXT, &params, &page);
		if (rc < 0)
			break;
		n = PQntuples(page);
		rc = page_give(visit, page, &cursor);
		PQclear(page);
	}
	return rc;
}

static int
letters_forget(struct visit *visit)
{
	const struct evh_dead_query *query = &visit->request->query;
	struct dead_params params;
	PGresult *result;
	long n;
	int rc;

	if (query->id)
		dead_query_id(query->id, &params);
	else
		dead_query_before(query->before_ns, &params);
	do {
		rc = visit_ask(visit,
			       query->id ? DEAD_FORGET_ONE : DEAD_FORGET_BEFORE,
			       &params, &result);
		if (rc < 0)
			return rc;
		n = strtol(PQcmdTuples(result), NULL, 10);
		PQclear(result);
		visit->outcome->n += n;
		if (query->id || n == 0)
			return 0;
		rc = desk_is_over(&visit->dead->desk, visit->request);
	} while (rc == 0);
	return rc; /* told how many, and that these are not all */
}

/* What evh/services.h lets the asker hear. */
static int
visit_settle(struct visit *visit, int rc)
{
	int over = desk_is_over(&visit->dead->desk, visit->request);

	if (rc == 0 || visit->had_enough || rc == -ENOMEM)
		return rc;
	snprintf(visit->outcome->why, sizeof(visit->outcome->why), "%s",
		 visit->failure.text);
	if (over < 0)
		return over;
	return rc == -ETIMEDOUT ? rc : -EAGAIN;
}

static int
dead_work(void *keeper, const struct desk_request *request,
	  struct desk_outcome *ret)
{
	struct dead *dead = keeper;
	struct visit visit = { .dead = dead,
			       .request = request,
			       .outcome = ret,
			       .connection = { .cancel_fd =
						       dead->desk.stop_fd } };
	int rc = visit_open(&visit);

	if (rc == 0 && request->is_discard && !request->is_dry_run)
		rc = letters_forget(&visit);
	else if (rc == 0 && request->query.id)
		rc = whole_give(&visit, request->query.id);
	else if (rc == 0)
		rc = pages_give(&visit);
	connection_close(&visit.connection);
	return visit_settle(&visit, rc);
}

int
dead_start(struct dead *dead, const struct settings *settings)
{
	dead->settings = settings;
	return desk_start(&dead->desk, "evh-pg-dead", dead_work, dead);
}

void
dead_stop(struct dead *dead)
{
	desk_stop(&dead->desk);
}
