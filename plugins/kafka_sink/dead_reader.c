#include "dead_reader.h"

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define ASK_MS	 10000 /* for metadata and ends, */
#define SLICE_MS 1000  /* between looks whether it is over */
#define POLL_MS	 200
#define QUIET_MS 30000 /* without a message: nobody answers */

/* Properties of the producer that the operator has set are none of a reader's,
 * which is not worth a line of the log each time. */
static void
log_take(struct dead_reader *reader, rd_kafka_event_t *event)
{
	const char *facility, *text;
	int level;

	if (rd_kafka_event_log(event, &facility, &text, &level) != 0 ||
	    strcmp(facility, "CONFWARN") == 0)
		return;
	reader->ctx->log(reader->ctx,
			 level <= LOG_WARNING ? EVH_WARN : EVH_DEBUG,
			 "librdkafka: %s: %s", facility, text);
}

/* What came meanwhile: a login that is refused, say, of which the answer to a
 * question only says that there was none. */
static void
reader_hear(struct dead_reader *reader)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(reader->said, 0)) != NULL) {
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LOG)
			log_take(reader, event);
		else if (rd_kafka_event_error(event) !=
			 RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
			snprintf(reader->trouble, sizeof(reader->trouble), "%s",
				 rd_kafka_event_error_string(event));
		rd_kafka_event_destroy(event);
	}
}

static int
away(struct dead_reader *reader, rd_kafka_resp_err_t err)
{
	bool is_silence = err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
			  err == RD_KAFKA_RESP_ERR__TRANSPORT;

	reader_hear(reader);
	snprintf(reader->why, sizeof(reader->why), "%s",
		 is_silence && reader->trouble[0] != '\0'
			 ? reader->trouble
			 : rd_kafka_err2str(err));
	return err == RD_KAFKA_RESP_ERR__TIMED_OUT ? -ETIMEDOUT : -EAGAIN;
}

/* ---- Opening --------------------------------------------------------------
 */

static int
handle_open(struct dead_reader *reader, struct evh_ctx *ctx,
	    const struct settings *settings)
{
	rd_kafka_conf_t *conf;
	int rc = settings_conf_reader(ctx, settings, &conf);

	if (rc < 0)
		return rc;
	reader->ending = ending_new();
	if (reader->ending == NULL) {
		rd_kafka_conf_destroy(conf);
		return -ENOMEM;
	}
	reader->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reader->why,
				  sizeof(reader->why));
	if (reader->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		return -EAGAIN;
	}
	reader->said = rd_kafka_queue_get_main(reader->rk);
	rd_kafka_set_log_queue(reader->rk, NULL);
	reader->topic = rd_kafka_topic_new(reader->rk, settings->topic, NULL);
	return reader->topic != NULL ? 0 : -ENOMEM;
}

int
dead_reader_ask(struct dead_reader *reader, dead_reader_question *question,
		void *arg)
{
	int64_t due_ms = clock_ms() + ASK_MS;
	rd_kafka_resp_err_t err;

	do {
		int rc = desk_is_over(reader->desk, reader->request);

		if (rc < 0)
			return rc;
		err = question(reader, arg, SLICE_MS);
		/* The second is what some say when nobody is connected yet. */
	} while ((err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
		  err == RD_KAFKA_RESP_ERR__TRANSPORT) &&
		 clock_ms() < due_ms);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : away(reader, err);
}

static rd_kafka_resp_err_t
metadata_ask(struct dead_reader *reader, void *arg, int timeout_ms)
{
	const struct rd_kafka_metadata **ret = arg;

	return rd_kafka_metadata(reader->rk, 0, reader->topic, ret, timeout_ms);
}

/* How many partitions it has; a topic that is missing has no letters. */
static int
parts_make(struct dead_reader *reader)
{
	const struct rd_kafka_metadata *metadata;
	const struct rd_kafka_metadata_topic *topic;
	int rc = dead_reader_ask(reader, metadata_ask, &metadata);

	if (rc < 0)
		return rc;
	topic = &metadata->topics[0];
	if (metadata->topic_cnt == 1 &&
	    topic->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		reader->parts = calloc((size_t)topic->partition_cnt + 1,
				       sizeof(*reader->parts));
		if (reader->parts == NULL)
			rc = -ENOMEM;
		else
			reader->n_parts = topic->partition_cnt;
	} else if (metadata->topic_cnt == 1 &&
		   topic->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
		rc = away(reader, topic->err);
	}
	rd_kafka_metadata_destroy(metadata);
	return rc;
}

static rd_kafka_resp_err_t
ends_ask(struct dead_reader *reader, void *arg, int timeout_ms)
{
	struct dead_part *part = arg;

	return rd_kafka_query_watermark_offsets(
		reader->rk, rd_kafka_topic_name(reader->topic),
		(int32_t)(part - reader->parts), &part->low, &part->high,
		timeout_ms);
}

int
dead_reader_open(struct dead_reader *reader, struct desk *desk,
		 const struct desk_request *request, struct evh_ctx *ctx,
		 const struct settings *settings)
{
	int rc;

	*reader = (struct dead_reader){ .desk = desk,
					.request = request,
					.ctx = ctx };
	rc = handle_open(reader, ctx, settings);
	if (rc == 0)
		rc = parts_make(reader);
	for (int32_t i = 0; rc == 0 && i < reader->n_parts; i++)
		rc = dead_reader_ask(reader, ends_ask, &reader->parts[i]);
	return rc;
}

void
dead_reader_close(struct dead_reader *reader, struct endings *endings)
{
	if (reader->topic != NULL)
		rd_kafka_topic_destroy(reader->topic);
	if (reader->said != NULL) {
		reader_hear(reader);
		rd_kafka_queue_destroy(reader->said);
	}
	if (reader->rk != NULL)
		endings_add(endings, reader->ending, reader->rk);
	else
		ending_free(reader->ending);
	free(reader->parts);
	*reader = (struct dead_reader){ .desk = reader->desk,
					.request = reader->request };
}

/* ---- A pass ---------------------------------------------------------------
 */

struct pass {
	struct dead_reader *reader;
	rd_kafka_queue_t *queue;
	int32_t n_open;
	int64_t quiet_since_ms;
	dead_reader_fn *fn;
	void *arg;
};

static int
pass_begin(struct pass *pass)
{
	struct dead_reader *reader = pass->reader;

	for (int32_t i = 0; i < reader->n_parts; i++) {
		struct dead_part *part = &reader->parts[i];

		part->is_over = part->low >= part->high;
		if (part->is_over)
			continue;
		if (rd_kafka_consume_start_queue(reader->topic, i, part->low,
						 pass->queue) < 0) {
			part->is_over = true;
			return away(reader, rd_kafka_last_error());
		}
		pass->n_open++;
	}
	return 0;
}

static void
part_end(struct pass *pass, int32_t i)
{
	struct dead_reader *reader = pass->reader;

	if (reader->parts[i].is_over)
		return;
	reader->parts[i].is_over = true;
	rd_kafka_consume_stop(reader->topic, i);
	pass->n_open--;
}

/* A message, or what happened to a partition. */
static int
message_take(struct pass *pass, const rd_kafka_message_t *message)
{
	struct dead_reader *reader = pass->reader;
	struct dead_part *part;
	int rc = 0;

	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
	    message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		/* It tries again by itself; for how long is our business. */
		(void)away(reader, message->err);
		return 0;
	}
	if (message->partition < 0 || message->partition >= reader->n_parts)
		return 0;
	part = &reader->parts[message->partition];
	pass->quiet_since_ms = clock_ms();
	if (part->is_over)
		return 0;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
	    message->offset < part->high)
		rc = pass->fn(pass->arg, message);
	/* fn may have waited for hours. */
	pass->quiet_since_ms = clock_ms();
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ||
	    message->offset >= part->high - 1)
		part_end(pass, message->partition);
	return rc;
}

static int
pass_run(struct pass *pass)
{
	struct dead_reader *reader = pass->reader;
	int rc = 0;

	pass->quiet_since_ms = clock_ms();
	while (rc == 0 && pass->n_open > 0) {
		rd_kafka_message_t *message;

		rc = desk_is_over(reader->desk, reader->request);
		if (rc < 0)
			return rc;
		reader_hear(reader);
		message = rd_kafka_consume_queue(pass->queue, POLL_MS);
		if (message != NULL) {
			rc = message_take(pass, message);
			rd_kafka_message_destroy(message);
		}
		if (rc == 0 && clock_ms() - pass->quiet_since_ms > QUIET_MS) {
			if (reader->why[0] == '\0')
				snprintf(reader->why, sizeof(reader->why), "%s",
					 reader->trouble[0] != '\0'
						 ? reader->trouble
						 : "no broker answers");
			rc = -ETIMEDOUT;
		}
	}
	return rc;
}

int
dead_reader_pass(struct dead_reader *reader, dead_reader_fn *fn, void *arg)
{
	struct pass pass = { .reader = reader,
			     .queue = rd_kafka_queue_new(reader->rk),
			     .fn = fn,
			     .arg = arg };
	int rc = pass_begin(&pass);

	if (rc == 0)
		rc = pass_run(&pass);
	for (int32_t i = 0; i < reader->n_parts; i++)
		part_end(&pass, i);
	rd_kafka_queue_destroy(pass.queue);
	return rc;
}
