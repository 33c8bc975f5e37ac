/*
 * outage.h - the sentence that says why there is no broker.
 */
#ifndef KAFKA_OUTAGE_H
#define KAFKA_OUTAGE_H

#include <librdkafka/rdkafka.h>

#include <stddef.h>

#define OUTAGE_TEXT 512

/*
 * From librdkafka's last error and its text (0 and NULL when it has said
 * nothing yet).  Outside of Docker, a name that does not resolve is most often
 * the compose file's: then the sentence names outside_port, which leads there,
 * and its variable; 0 in a container. [any]
 */
void outage_text(const char *brokers, int outside_port, rd_kafka_resp_err_t err,
		 const char *text, char *ret, size_t size);

#endif
