#include "dead_forget.h"

#include "clock.h"
#include "dead_letter.h"

#include <errno.h>
#include <stdio.h>

#define DELETE_MS 30000
#define SLICE_MS  200 /* between looks whether it is over */

static int
refused(struct dead_reader *reader, const char *text)
{
	snprintf(reader->why, sizeof(reader->why), "%s", text);
	return -EAGAIN;
}

struct times {
	int64_t before_ms;
	rd_kafka_topic_partition_list_t *list; /* a time, then an offset */
};

static rd_kafka_resp_err_t
times_ask(struct dead_reader *reader, void *arg, int timeout_ms)
{
	struct times *times = arg;

	for (int i = 0; i < times->list->cnt; i++)
		times->list->elems[i].offset = times->before_ms;
	return rd_kafka_offsets_for_times(reader->rk, times->list, timeout_ms);
}

/* Sets each part's end to the first message that is not older. */
static int
ends_find(struct dead_reader *reader, int64_t before_ns)
{
	const char *name = rd_kafka_topic_name(reader->topic);
	struct times times = {
		.before_ms = before_ns / NS_PER_MS,
		.list = rd_kafka_topic_partition_list_new(reader->n_parts),
	};
	int rc;

	for (int32_t i = 0; i < reader->n_parts; i++)
		rd_kafka_topic_partition_list_add(times.list, name, i);
	rc = dead_reader_ask(reader, times_ask, &times);
	for (int i = 0; rc == 0 && i < times.list->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &times.list->elems[i];
		struct dead_part *part = &reader->parts[p->partition];

		if (p->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			rc = refused(reader, rd_kafka_err2str(p->err));
		/* Negative: all of it is older. */
		else if (p->offset >= 0 && p->offset < part->high)
			part->high = p->offset;
	}
	rd_kafka_topic_partition_list_destroy(times.list);
	return rc;
}

struct inspection {
	struct dead_decoder decoder;
	int64_t n;
};

static int
message_inspect(void *arg, const rd_kafka_message_t *message)
{
	struct inspection *inspection = arg;
	int rc = dead_decode(&inspection->decoder, message);

	if (rc < 0)
		return rc;
	inspection->n++;
	return inspection->decoder.is_over ? 0 : -EPERM;
}

/* Is all that would go a dead letter? */
static int
inspect(struct dead_reader *reader, int64_t *ret_n)
{
	struct inspection inspection = { .n = 0 };
	int rc;

	dead_decoder_init(&inspection.decoder);
	rc = dead_reader_pass(reader, message_inspect, &inspection);
	dead_decoder_fini(&inspection.decoder);
	if (rc == -EPERM)
		snprintf(reader->why, sizeof(reader->why),
			 "the topic %s holds messages that are no dead "
			 "letters, so nothing of it is deleted",
			 rd_kafka_topic_name(reader->topic));
	if (rc == 0)
		*ret_n = inspection.n;
	return rc;
}

static int
outcome(struct dead_reader *reader, rd_kafka_event_t *event)
{
	const rd_kafka_topic_partition_list_t *list;
	const rd_kafka_DeleteRecords_result_t *result;

	if (event == NULL) {
		snprintf(reader->why, sizeof(reader->why),
			 "no broker has deleted anything in %d ms", DELETE_MS);
		return -ETIMEDOUT;
	}
	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return refused(reader, rd_kafka_event_error_string(event));
	result = rd_kafka_event_DeleteRecords_result(event);
	if (result == NULL)
		return refused(reader, "no broker says what it deleted");
	list = rd_kafka_DeleteRecords_result_offsets(result);
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return refused(reader,
				       rd_kafka_err2str(list->elems[i].err));
	return 0;
}

/* NULL: it took too long; or, and *ret_rc, it is over. */
static rd_kafka_event_t *
answer_await(struct dead_reader *reader, rd_kafka_queue_t *queue, int *ret_rc)
{
	int64_t due_ms = clock_ms() + DELETE_MS;
	rd_kafka_event_t *event = NULL;
	int rc = 0;

	while (event == NULL && rc == 0 && clock_ms() < due_ms) {
		event = rd_kafka_queue_poll(queue, SLICE_MS);
		rc = desk_is_over(reader->desk, reader->request);
	}
	*ret_rc = event != NULL ? 0 : rc;
	return event;
}

static int
records_delete(struct dead_reader *reader,
	       const rd_kafka_topic_partition_list_t *before)
{
	rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(before);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
	rd_kafka_event_t *event;
	int rc;

	rd_kafka_DeleteRecords(reader->rk, &records, 1, NULL, queue);
	event = answer_await(reader, queue, &rc);
	if (rc == 0)
		rc = outcome(reader, event);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_DeleteRecords_destroy(records);
	return rc;
}

int
dead_forget(struct dead_reader *reader, int64_t before_ns, bool is_dry_run,
	    int64_t *ret_n)
{
	const char *name = rd_kafka_topic_name(reader->topic);
	rd_kafka_topic_partition_list_t *before;
	int64_t n = 0;
	int rc;

	if (reader->n_parts == 0)
		return 0; /* there is no topic */
	rc = ends_find(reader, before_ns);
	if (rc == 0)
		rc = inspect(reader, &n);
	if (rc == 0 && is_dry_run)
		*ret_n = n;
	if (rc < 0 || n == 0 || is_dry_run)
		return rc;
	before = rd_kafka_topic_partition_list_new(reader->n_parts);
	for (int32_t i = 0; i < reader->n_parts; i++)
		if (reader->parts[i].low < reader->parts[i].high)
			rd_kafka_topic_partition_list_add(before, name, i)
				->offset = reader->parts[i].high;
	rc = records_delete(reader, before);
	rd_kafka_topic_partition_list_destroy(before);
	if (rc == 0)
		*ret_n = n;
	return rc;
}
