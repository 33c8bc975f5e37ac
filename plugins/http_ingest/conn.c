#include "conn.h"

#include "http.h"
#include "linger.h"
#include "loop.h"
#include "refusal.h"
#include "request.h"

#include <stdlib.h>
#include <sys/socket.h>

static void
list_remove(struct conn *conn)
{
	struct conn_list *list;

	if (conn->phase == CONN_GONE)
		return;
	list = &conn->loop->lists[conn->phase];
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		list->first = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	else
		list->last = conn->prev;
	conn->prev = conn->next = NULL;
	conn->phase = CONN_GONE;
}

static unsigned
phase_ms(const struct settings *set, enum conn_phase phase)
{
	switch (phase) {
	case CONN_IDLE:
		return set->idle_timeout_ms;
	case CONN_HEAD:
		return set->header_timeout_ms;
	case CONN_WORK:
		return set->answer_timeout_ms;
	case CONN_BODY:
	case CONN_REPLY: /* whoever reads no faster than that is let go */
	case CONN_GONE:
		break;
	}
	return set->body_timeout_ms;
}

void
conn_phase_set(struct conn *conn, enum conn_phase phase)
{
	struct loop *loop = conn->loop;
	struct conn_list *list;

	list_remove(conn);
	if (phase == CONN_GONE || conn->ended)
		return;
	list = &loop->lists[phase];
	conn->deadline_ms = loop->now_ms + phase_ms(&loop->http->set, phase);
	conn->phase = phase;
	conn->prev = list->last;
	if (list->last != NULL)
		list->last->next = conn;
	else
		list->first = conn;
	list->last = conn;
}

struct conn *
conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static struct conn *
conn_new(struct loop *loop, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL || info == NULL) {
		free(conn);
		return NULL;
	}
	conn->loop = loop;
	conn->mhd = mhd;
	conn->fd = info->connect_fd;
	conn->phase = CONN_GONE;
	conn_phase_set(conn, CONN_HEAD);
	loop->n_conns++;
	meters_connection(&loop->http->meters, 1);
	return conn;
}

static void
conn_free(struct conn *conn)
{
	struct loop *loop = conn->loop;

	refusal_closing(conn);
	list_remove(conn);
	if (conn->linger)
		linger_add(loop, conn->fd);
	loop->n_conns--;
	meters_connection(&loop->http->meters, -1);
	free(conn);
}

void
conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
	    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = conn_new(cls, mhd);
	} else if (*socket_context != NULL) {
		conn_free(*socket_context);
		*socket_context = NULL;
	}
}

/* Nothing will come of it any more: libmicrohttpd sees the end of the stream
 * in its next pass, and closes. */
static void
conn_abort(struct conn *conn)
{
	conn->ended = true;
	list_remove(conn);
	shutdown(conn->fd, SHUT_RDWR);
}

static void
expire_one(struct conn *conn)
{
	switch (conn->phase) {
	case CONN_IDLE:
	case CONN_HEAD:
		if (refusal_has_begun(conn))
			refusal_send(conn, REPLY_TOO_SLOW);
		conn_abort(conn);
		break;
	case CONN_BODY:
		refusal_send(conn, REPLY_TOO_SLOW);
		conn_abort(conn);
		break;
	case CONN_WORK:
		list_remove(conn);
		request_late(conn->request);
		break;
	case CONN_REPLY:
	case CONN_GONE:
		conn_abort(conn);
		break;
	}
}

void
conn_expire(struct loop *loop)
{
	for (int i = 0; i < N_CONN_PHASES; i++) {
		struct conn_list *list = &loop->lists[i];

		while (list->first != NULL &&
		       list->first->deadline_ms <= loop->now_ms)
			expire_one(list->first);
	}
}

int64_t
conn_deadline(const struct loop *loop)
{
	int64_t earliest = INT64_MAX;

	for (int i = 0; i < N_CONN_PHASES; i++) {
		const struct conn *first = loop->lists[i].first;

		if (first != NULL && first->deadline_ms < earliest)
			earliest = first->deadline_ms;
	}
	return earliest;
}
