/*
 * dead_topic.h - the dead letter topic beside a crew's own.
 */
#ifndef EVH_TESTS_DEAD_TOPIC_H
#define EVH_TESTS_DEAD_TOPIC_H

#include "crew.h"

#include <stdint.h>

/* Where a kafka_sink "dlq" of the crew's files keeps them. */
#define DEAD_TOPIC_NAME "topic = \"${EVENT_HANDLER_SERVICE_TOPIC_NAME}.dead\"\n"
#define DEAD_TOPIC_BROKERS                                                     \
	"brokers = \"${EVENT_HANDLER_SERVICE_KAFKA_HOST}:"                     \
	"${EVENT_HANDLER_SERVICE_KAFKA_PORT}\"\n"
/* Changes that add the sink, with these brokers and what else it has. */
#define DEAD_TOPIC_SINK(brokers, more)                                         \
	"\nstore \"events\" {",                                                \
		"\nsink \"dlq\" {\nplugin = \"kafka_sink\"\n" DEAD_TOPIC_NAME  \
			brokers more "}\n\nstore \"events\" {"
/* And changes that fail what is called bad. */
#define DEAD_TOPIC_FAILS                                                       \
	CREW_HANDLER("\tplugin = \"fail\"\n\tmatch = \"bad.*\"\n"              \
		     "\tmessage = \"no such user\"")

/* The topic, as topic.h wants it. */
struct world dead_topic(const struct crew *crew);
/* Waits until so many dead letters are in it, and no more. */
void dead_topic_await(const struct crew *crew, int64_t n);
/* The crew's, with the topic, which goes with the crew that used it. */
int dead_topic_teardown(void **state);

#endif
