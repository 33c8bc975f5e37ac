#include "ledger.h"

#include <errno.h>
#include <stdlib.h>

int
ledger_init(struct ledger *l, size_t n)
{
	size_t size = 1;

	while (size < n)
		size *= 2;
	*l = (struct ledger){ .mask = size - 1 };
	l->lines = calloc(size, sizeof(*l->lines));
	if (l->lines == NULL)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	return 0;
}

void
ledger_fini(struct ledger *l)
{
	pthread_mutex_destroy(&l->lock);
	free(l->lines);
	l->lines = NULL;
}

static struct ledger_line *
ledger_line(struct ledger *l, uint64_t n)
{
	return &l->lines[n & l->mask];
}

/* Empty lines at the front are given up; lock held. */
static void
ledger_advance(struct ledger *l)
{
	while (l->head != l->tail && ledger_line(l, l->head)->ev == NULL)
		l->head++;
}

static struct evh_event *
ledger_empty(struct ledger *l, struct ledger_line *line)
{
	struct evh_event *ev = line->ev;

	l->owed--;
	if (line->result == 0)
		l->waiting--;
	*line = (struct ledger_line){ 0 };
	return ev;
}

/* The line, or NULL when nothing is owed for that number any more. */
static struct ledger_line *
ledger_find(struct ledger *l, uint64_t n)
{
	struct ledger_line *line = ledger_line(l, n);

	if (n - l->head >= l->tail - l->head || line->ev == NULL)
		return NULL;
	return line;
}

int
ledger_take(struct ledger *l, struct evh_event *const *evs, int n,
	    uint32_t now_ms, uint64_t *ret_first)
{
	int k;

	pthread_mutex_lock(&l->lock);
	for (k = 0; k < n && !l->closed; k++) {
		if (l->tail - l->head > l->mask)
			break;
		if (k == 0)
			*ret_first = l->tail;
		*ledger_line(l, l->tail++) = (struct ledger_line){
			.ev = evs[k],
			.taken_ms = now_ms,
		};
	}
	l->owed += (size_t)k;
	l->waiting += (size_t)k;
	pthread_mutex_unlock(&l->lock);
	return k;
}

void
ledger_cancel(struct ledger *l, uint64_t first, int n)
{
	pthread_mutex_lock(&l->lock);
	for (int i = 0; i < n; i++) {
		struct ledger_line *line = ledger_find(l, first + (uint64_t)i);

		if (line != NULL)
			ledger_empty(l, line);
	}
	ledger_advance(l);
	pthread_mutex_unlock(&l->lock);
}

void
ledger_close(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_mutex_unlock(&l->lock);
}

void
ledger_open(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->closed = l->owed > l->waiting;
	pthread_mutex_unlock(&l->lock);
}

int
ledger_answer(struct ledger *l, const uint64_t *lines, int n,
	      struct evh_event **ret)
{
	int k = 0;

	pthread_mutex_lock(&l->lock);
	for (int i = 0; i < n; i++) {
		struct ledger_line *line = ledger_find(l, lines[i]);

		if (line != NULL)
			ret[k++] = ledger_empty(l, line);
	}
	ledger_advance(l);
	pthread_mutex_unlock(&l->lock);
	return k;
}

/* Lock held. */
static void
ledger_set(struct ledger *l, struct ledger_line *line, enum evh_result result)
{
	if (line->result == 0)
		l->waiting--;
	line->result = result;
	l->closed = true;
}

struct evh_event *
ledger_mark(struct ledger *l, uint64_t n, enum evh_result result)
{
	struct evh_event *ev = NULL;
	struct ledger_line *line;

	pthread_mutex_lock(&l->lock);
	line = ledger_find(l, n);
	if (line != NULL) {
		ev = line->ev;
		ledger_set(l, line, result);
	}
	pthread_mutex_unlock(&l->lock);
	return ev;
}

size_t
ledger_give_up(struct ledger *l)
{
	size_t n = 0;

	pthread_mutex_lock(&l->lock);
	for (uint64_t i = l->head; i != l->tail && l->waiting > 0; i++) {
		struct ledger_line *line = ledger_line(l, i);

		if (line->ev == NULL || line->result != 0)
			continue;
		ledger_set(l, line, EVH_RETRY);
		n++;
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}

int
ledger_settle(struct ledger *l, struct evh_event **ret, int n,
	      enum evh_result *ret_result)
{
	enum evh_result result = 0;
	int k = 0;

	pthread_mutex_lock(&l->lock);
	while (l->waiting == 0 && l->owed > 0 && k < n) {
		struct ledger_line *line;

		ledger_advance(l);
		line = ledger_line(l, l->head);
		if (k > 0 && line->result != result)
			break;
		result = line->result;
		ret[k++] = ledger_empty(l, line);
	}
	ledger_advance(l);
	pthread_mutex_unlock(&l->lock);
	if (k > 0)
		*ret_result = result;
	return k;
}

size_t
ledger_owed(struct ledger *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->owed;
	pthread_mutex_unlock(&l->lock);
	return n;
}

size_t
ledger_waiting(struct ledger *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->waiting;
	pthread_mutex_unlock(&l->lock);
	return n;
}

uint32_t
ledger_age_ms(struct ledger *l, uint32_t now_ms)
{
	uint32_t age = 0;

	pthread_mutex_lock(&l->lock);
	if (l->owed > 0)
		age = now_ms - ledger_line(l, l->head)->taken_ms;
	pthread_mutex_unlock(&l->lock);
	return age;
}
