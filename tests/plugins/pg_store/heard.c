#include "heard.h"

#include "condition.h"
#include "deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
heard_init(struct heard *heard)
{
	memset(heard, 0, sizeof(*heard));
	pthread_mutex_init(&heard->lock, NULL);
	assert_int_equal(condition_init(&heard->changed), 0);
}

void
heard_fini(struct heard *heard)
{
	size_t i;

	for (i = 0; i < ROWS_MAX; i++)
		free(heard->data[i]);
	pthread_cond_destroy(&heard->changed);
	pthread_mutex_destroy(&heard->lock);
}

static void
row_keep(struct heard *heard, size_t i, const struct evh_row *row)
{
	heard->rows[i] = *row;
	heard->data[i] = malloc(row->data.len + 1);
	assert_non_null(heard->data[i]);
	memcpy(heard->data[i], row->data.data, row->data.len);
	heard->data[i][row->data.len] = '\0';
	snprintf(heard->name[i], sizeof(heard->name[i]), "%s", row->name);
	snprintf(heard->error[i], sizeof(heard->error[i]), "%s",
		 row->error ? row->error : "-");
	snprintf(heard->topic[i], sizeof(heard->topic[i]), "%s",
		 row->topic ? row->topic : "-");
}

void
hear(void *arg, int rc, const struct evh_row *rows, size_t n, int64_t total)
{
	struct heard *heard = arg;
	size_t i;

	pthread_mutex_lock(&heard->lock);
	heard->n_calls++;
	heard->rc = rc;
	heard->n = n;
	heard->total = total;
	for (i = 0; i < n && i < ROWS_MAX; i++)
		row_keep(heard, i, &rows[i]);
	pthread_cond_broadcast(&heard->changed);
	pthread_mutex_unlock(&heard->lock);
}

void
heard_wait(struct heard *heard)
{
	int64_t until = deadline_in(FAKE_WAIT_MS);

	pthread_mutex_lock(&heard->lock);
	while (!heard->n_calls &&
	       condition_wait(&heard->changed, &heard->lock, until))
		;
	pthread_mutex_unlock(&heard->lock);
	assert_int_equal(heard->n_calls, 1);
}

void
heard_get(struct bench *bench, unsigned number, struct heard *heard)
{
	struct fake_event event;

	fake_event_init(&event, number, EVH_PENDING, 0, "");
	heard_init(heard);
	assert_int_equal(
		bench->store->get(bench->store->self, event.ev.id, hear, heard),
		0);
	heard_wait(heard);
	fake_event_fini(&event);
}

void
heard_find(struct bench *bench, const struct evh_query *q, struct heard *heard)
{
	heard_init(heard);
	assert_int_equal(bench->store->find(bench->store->self, q, hear, heard),
			 0);
	heard_wait(heard);
}
