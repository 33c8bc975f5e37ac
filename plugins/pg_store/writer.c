#include "writer.h"

#include "clock.h"
#include "deadline.h"
#include "migrate.h"
#include "schema.h"
#include "session.h"
#include "write_batch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#define SCHEMA_LOOK_MS 1000 /* while it is too old */
#define OTHERS_LOOK_MS 2000 /* while there is nothing else to do */
/* Those who want the connection try again every ten seconds or so. */
#define YIELD_MS 15000

/* ---- Waiting ------------------------------------------------------------ */

/* Returns early when cancelled. */
static void
cancellable_wait(struct writer *writer, int64_t ms)
{
	struct pollfd fd = { .fd = writer->cancel_fd, .events = POLLIN };
	int64_t deadline = deadline_in(ms);

	while (poll(&fd, 1, deadline_left_ms(deadline)) < 0 && errno == EINTR)
		;
}

/* A flush that ran out of time cancels once; stopping cancels for good. */
static void
cancel_reset(struct writer *writer)
{
	eventfd_t n;

	if (!atomic_load(&writer->stopping))
		(void)eventfd_read(writer->cancel_fd, &n);
}

/* ---- Giving back --------------------------------------------------------- */

/* All that is queued goes back, behind what was in hand: whoever shares a key
 * with an event that was not written must not overtake it. */
static void
queue_give_back(struct writer *writer)
{
	struct evh_ctx *ctx = writer->ctx;
	int64_t since;
	size_t n;

	while ((n = queue_take(writer->queue, writer->hand.evs,
			       writer->settings->batch_rows, SIZE_MAX, &since)))
		ctx->done(ctx, writer->hand.evs, (int)n, EVH_RETRY);
}

static void
outage_begin(struct writer *writer, bool by_statement)
{
	queue_close(writer->queue);
	standing_lost(&writer->standing, &writer->failure, by_statement);
	connection_close(&writer->connection);
}

/* ---- Connecting ---------------------------------------------------------- */

static void
migrated_say(void *arg, const char *line)
{
	struct writer *writer = arg;

	writer->ctx->log(writer->ctx, EVH_INFO, "%s", line);
}

static int
schema_migrate(struct writer *writer)
{
	struct migrate migrate = { .say = migrated_say, .say_arg = writer };
	int rc = migrate_open(&migrate, writer->settings, writer->cancel_fd,
			      true);

	if (rc == 0)
		rc = migrate_upgrade(&migrate, MIGRATE_HEAD);
	if (rc) {
		failure_set(&writer->failure, "auto_migrate: %s", migrate.why);
		if (rc != EX_UNAVAILABLE)
			writer->failure.policy = SQLSTATE_CONFIG;
	}
	migrate_close(&migrate);
	return rc ? -EREMOTEIO : 0;
}

/* 0 when the schema will do, 1 when it is too old, or -errno. */
static int
schema_check(struct writer *writer)
{
	char text[sizeof(writer->failure.text)];
	int revision;

	revision =
		schema_revision(&writer->connection,
				deadline_in(writer->settings->write_timeout_ms),
				&writer->failure);
	if (revision < 0)
		return revision;

	if (revision > SCHEMA_REVISION && !writer->warned_of_newer &&
	    writer->number == 0) {
		writer->warned_of_newer = true;
		writer->ctx->log(writer->ctx, EVH_WARN,
				 "the database is at revision %04d, newer than "
				 "the %04d that this evhd knows",
				 revision, SCHEMA_REVISION);
	}
	if (revision >= SCHEMA_REVISION)
		return 0;

	if (writer->settings->auto_migrate)
		return schema_migrate(writer);

	schema_explain(revision, text, sizeof(text));
	failure_set(&writer->failure, "%s", text);
	writer->failure.policy = SQLSTATE_CONFIG;
	return 1;
}

/* Until the schema will do, the connection ends or somebody cancels. */
static int
schema_wait(struct writer *writer)
{
	int rc;

	while ((rc = schema_check(writer)) == 1) {
		standing_lost(&writer->standing, &writer->failure, false);
		cancellable_wait(writer, SCHEMA_LOOK_MS);
		if (atomic_load(&writer->stopping))
			return -ECANCELED;
		cancel_reset(writer);
	}
	return rc;
}

static int
writer_connect(struct writer *writer)
{
	const struct settings *settings = writer->settings;
	struct session_facts facts;
	int rc;

	rc = session_open(&writer->connection, settings, SESSION_WRITE,
			  settings->write_timeout_ms,
			  deadline_in(settings->connect_timeout_ms), &facts,
			  &writer->failure);
	if (rc < 0)
		return rc;

	if (facts.loses_writes && !writer->warned_of_durability &&
	    writer->number == 0) {
		writer->warned_of_durability = true;
		writer->ctx->log(writer->ctx, EVH_WARN,
				 "the server runs with fsync or "
				 "full_page_writes off: a crash of its machine "
				 "loses or damages rows that were answered");
	}
	rc = schema_wait(writer);
	if (rc < 0)
		return rc;
	return write_batch_prepare(&writer->hand,
				   deadline_in(settings->write_timeout_ms));
}

/* One try; waits afterwards when it failed. */
static void
writer_reconnect(struct writer *writer)
{
	int rc = writer_connect(writer);

	if (rc == 0) {
		if (writer->was_connected)
			writer->ctx->record(writer->reconnects, 1);
		writer->was_connected = true;
		queue_open(writer->queue);
		standing_connected(&writer->standing);
		return;
	}

	connection_close(&writer->connection);
	if (rc != -ECANCELED)
		standing_lost(&writer->standing, &writer->failure,
			      writer->standing.is_away &&
				      writer->standing.by_statement);
	if (!atomic_load(&writer->stopping)) {
		cancel_reset(writer);
		cancellable_wait(writer,
				 backoff_next(&writer->standing.backoff));
	}
}

/* ---- Writing ------------------------------------------------------------- */

static bool
is_ordered(const struct evh_event *ev)
{
	return ev->key.len || ev->topic;
}

/*
 * What has waited for half of write_timeout is answered without being tried:
 * a statement that is begun with too little time ends in a lost connection,
 * and then nothing is written at all.  Returns true when it has answered all
 * that was in hand.
 */
static bool
late_answer(struct writer *writer, int64_t since)
{
	struct evh_ctx *ctx = writer->ctx;
	int64_t half = writer->settings->write_timeout_ms * NS_PER_MS / 2;
	bool ordered = false;
	size_t i;

	if (!deadline_over(since + half))
		return false;

	for (i = 0; i < writer->hand.n; i++)
		ordered = ordered || is_ordered(writer->hand.evs[i]);
	if (ordered)
		queue_close(writer->queue);
	ctx->done(ctx, writer->hand.evs, (int)writer->hand.n, EVH_RETRY);
	if (ordered) {
		queue_give_back(writer);
		queue_open(writer->queue);
	}
	return true;
}

static void
take_and_write(struct writer *writer)
{
	const struct settings *settings = writer->settings;
	enum write_outcome outcome;
	int64_t since = 0;

	writer->hand.n =
		queue_take(writer->queue, writer->hand.evs,
			   settings->batch_rows, settings->batch_bytes, &since);
	if (!writer->hand.n)
		return;

	writer->hand.deadline = since + settings->write_timeout_ms * NS_PER_MS;
	if (late_answer(writer, since)) {
		queue_answered(writer->queue);
		return;
	}

	outcome = write_batch_run(&writer->hand);
	if (outcome != WRITE_BATCH_DONE)
		outage_begin(writer, outcome == WRITE_BATCH_REFUSED);
	write_batch_answer(&writer->hand);
	if (outcome == WRITE_BATCH_DONE)
		standing_committed(&writer->standing);
	else
		queue_give_back(writer);
	queue_answered(writer->queue);
	cancel_reset(writer);
	if (outcome != WRITE_BATCH_DONE)
		cancellable_wait(writer,
				 backoff_next(&writer->standing.backoff));
}

/* Its connection is for somebody else, who is given time to take it. */
static void
yield(struct writer *writer)
{
	queue_close(writer->queue);
	queue_give_back(writer);
	queue_answered(writer->queue);
	connection_close(&writer->connection);
	cancellable_wait(writer, YIELD_MS);
}

/* Nothing to write: until there is, or the server hangs up, or a cancel. */
static void
writer_idle(struct writer *writer)
{
	int look_ms = writer->settings->writers > 1 ? OTHERS_LOOK_MS : -1;
	int n;
	struct pollfd fds[] = {
		{ .fd = writer->queue->wake_fd, .events = POLLIN },
		{ .fd = connection_fd(&writer->connection), .events = POLLIN },
		{ .fd = writer->cancel_fd, .events = POLLIN },
	};

	if (!queue_sleep(writer->queue))
		return;
	n = poll(fds, 3, look_ms);
	if (n < 0)
		return;
	if (n == 0 && standing_yields(&writer->standing)) {
		yield(writer);
		return;
	}

	queue_woke(writer->queue);
	if (fds[2].revents)
		cancel_reset(writer);
	if (fds[1].revents &&
	    connection_look(&writer->connection, &writer->failure) < 0) {
		outage_begin(writer, false);
		queue_give_back(writer);
		queue_answered(writer->queue);
	}
}

static void *
writer_main(void *arg)
{
	struct writer *writer = arg;
	char name[16]; /* with its NUL, Linux has room for no more */

	snprintf(name, sizeof(name), "evh-pg-write/%u", writer->number);
	pthread_setname_np(pthread_self(), name);
	while (!atomic_load(&writer->stopping)) {
		if (!writer->connection.pg) {
			writer_reconnect(writer);
			continue;
		}
		writer_idle(writer);
		if (writer->connection.pg)
			take_and_write(writer);
	}

	queue_close(writer->queue);
	queue_give_back(writer);
	queue_answered(writer->queue);
	connection_close(&writer->connection);
	return NULL;
}

/* ---- Life ------------------------------------------------------------------
 */

static void
writer_free(struct writer *writer)
{
	write_batch_fini(&writer->hand);
	close(writer->cancel_fd);
}

int
writer_start(struct writer *writer, unsigned number, struct evh_ctx *ctx,
	     const struct settings *settings, struct queue *queue,
	     struct outage *outage)
{
	int rc;

	*writer = (struct writer){
		.number = number,
		.ctx = ctx,
		.settings = settings,
		.queue = queue,
		.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (writer->cancel_fd < 0)
		return -errno;
	writer->connection.cancel_fd = writer->cancel_fd;
	rc = write_batch_init(&writer->hand, ctx, &writer->connection,
			      &writer->failure, settings->batch_rows);
	if (rc < 0) {
		close(writer->cancel_fd);
		return rc;
	}
	standing_init(&writer->standing, outage);
	writer->reconnects =
		ctx->metric(ctx, EVH_COUNTER, "store_reconnects", NULL,
			    "connections made anew for writing");

	rc = -pthread_create(&writer->thread, NULL, writer_main, writer);
	if (rc < 0)
		writer_free(writer);
	return rc;
}

void
writer_cancel(struct writer *writer)
{
	eventfd_write(writer->cancel_fd, 1);
}

void
writer_quit(struct writer *writer)
{
	atomic_store(&writer->stopping, true);
	writer_cancel(writer);
}

void
writer_join(struct writer *writer)
{
	pthread_join(writer->thread, NULL);
	writer_free(writer);
}
