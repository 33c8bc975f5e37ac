/*
 * spool_keep.c - new events on their way into a spool's log, and what their
 * sources hear.
 */
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "completion.h"
#include "log.h"
#include "metrics.h"
#include "pass.h"
#include "timer.h"

/* A write or an fsync has failed: a new file is tried after so long. */
#define REOPEN_NS INT64_C(1000000000)
/* One write, one fsync, at most. */
#define GROUP_MAX ((size_t)4 << 20)

/* Its sources hear OK, or RETRY.  Takes them. */
static void
answer(struct event_list *list, enum evh_result result)
{
	struct pass own;
	struct pass *pass;
	struct event *ev;

	if (!list->head)
		return;
	pass = pass_begin(&own, NULL, NULL, false);
	while ((ev = event_list_pop(list))) {
		ev->pub.is_spooled = result == EVH_OK;
		completion_end(pass, ev, result);
	}
	pass_end(&own);
}

/* It cannot be written: closed until a new file can be made. */
static void
close_up(struct spool *s, int rc, int64_t now_ns)
{
	bool is_news = s->fault != rc;

	s->fault = rc;
	s->reopen_ns = now_ns + REOPEN_NS;
	pthread_mutex_lock(&s->lock);
	if (*s->log.damage)
		snprintf(s->why_closed, sizeof(s->why_closed), "%s",
			 s->log.damage);
	else
		snprintf(s->why_closed, sizeof(s->why_closed),
			 "spool %s cannot be written: %s", s->config->spool_dir,
			 strerror(-rc));
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->accepts, false);
	if (is_news && !*s->log.damage)
		log_write(EVH_ERROR, NULL,
			  "%s; what it has acknowledged is on the disk, this "
			  "file is not written any more, a new one is tried "
			  "every second",
			  s->why_closed);
	spool_tell(s);
}

static void
open_again(struct spool *s, int64_t now_ns)
{
	int rc = spool_log_begin(&s->log);

	if (rc < 0) {
		close_up(s, rc, now_ns);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->why_closed[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->accepts, !atomic_load(&s->is_dry));
	spool_tell(s);
}

/* One group.  Those that are not in it are refused; 0, or why none is. */
static int
group_add(struct spool *s, struct event_list *list, struct event_list *kept,
	  struct event_list *refused, size_t *ret_size)
{
	int rc = spool_log_begin(&s->log);

	if (rc < 0)
		return rc;
	while (list->head && s->log.group.len < GROUP_MAX) {
		struct event *ev = event_list_pop(list);
		size_t size = spool_record_size(&ev->pub);

		rc = spool_log_add(&s->log, &ev->pub);
		event_list_push(rc < 0 ? refused : kept, ev);
		*ret_size += size;
	}
	return 0;
}

static void
refuse_all(struct spool *s, struct event_list *list)
{
	for (const struct event *ev = list->head; ev; ev = ev->next)
		atomic_fetch_sub(&s->size_queued, spool_record_size(&ev->pub));
	answer(list, EVH_RETRY);
}

static void
keep_group(struct spool *s, struct event_list *list)
{
	struct event_list kept = { 0 }, refused = { 0 };
	int64_t begin_ns = timer_now_ns();
	size_t size = 0;
	int rc = group_add(s, list, &kept, &refused, &size);

	if (rc == 0)
		rc = spool_log_sync(&s->log);
	atomic_store(&s->size, s->log.size);
	atomic_fetch_sub(&s->size_queued, size);
	if (rc < 0) {
		close_up(s, rc, begin_ns);
	} else if (kept.n > 0) {
		s->fault = 0;
		metric_record(s->spooled, kept.n);
		metric_record(s->sync_seconds, timer_now_ns() - begin_ns);
	}
	answer(&kept, rc < 0 ? EVH_RETRY : EVH_OK);
	answer(&refused, EVH_RETRY);
}

static bool
is_closed(const struct spool *s)
{
	return s->fault < 0 && !atomic_load(&s->accepts);
}

void
spool_keep(struct spool *s, struct event_list *list, int64_t now_ns)
{
	if (is_closed(s) && now_ns >= s->reopen_ns)
		open_again(s, now_ns);
	while (list->head && !is_closed(s))
		keep_group(s, list);
	refuse_all(s, list);
}
