#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * From Apache Kafka's Errors.java: what is not a RetriableException there and
 * is said of the record, not of the topic's settings, rights or the cluster.
 * librdkafka 2.0.2 treats each as permanent (rd_kafka_handle_Produce_error).
 */
static const struct {
	rd_kafka_resp_err_t err;
	bool size;
} refused[] = {
	/* RecordTooLargeException: above the topic's max.message.bytes; also
	 * librdkafka's own answer above message.max.bytes. */
	{ RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, true },
	/* RecordBatchTooLargeException: above the topic's segment.bytes. */
	{ RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, true },
	/* InvalidTimestampException: beyond message.timestamp.*.max.ms. */
	{ RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, false },
	/* InvalidRecordException: no key for a compacted topic, for one. */
	{ RD_KAFKA_RESP_ERR_INVALID_RECORD, false },
};

enum evh_result
verdict_of(rd_kafka_resp_err_t err)
{
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return EVH_OK;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (refused[i].err == err)
			return EVH_FAIL;
	}
	return EVH_RETRY;
}

bool
verdict_is_size(rd_kafka_resp_err_t err)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (refused[i].err == err)
			return refused[i].size;
	}
	return false;
}
