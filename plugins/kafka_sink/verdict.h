/*
 * verdict.h - what a delivery error means for the event.
 *
 * FAIL is for what can never succeed, however often it is sent: the record
 * itself is wrong for this topic.  All else, and all that is not known here,
 * is the server's trouble or its operator's: RETRY.
 */
#ifndef KAFKA_SINK_VERDICT_H
#define KAFKA_SINK_VERDICT_H

#include <evh/plugin.h>

#include <librdkafka/rdkafka.h>

#include <stdbool.h>

/* EVH_OK, EVH_RETRY or EVH_FAIL. [any] */
enum evh_result verdict_of(rd_kafka_resp_err_t err);

/*
 * True when the broker refuses a whole batch for what may be one record's
 * size, so that a smaller batch could pass. [any]
 */
bool verdict_is_size(rd_kafka_resp_err_t err);

#endif
