#include "dead_topic.h"

#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define WAIT_MS 60000

struct world
dead_topic(const struct crew *crew)
{
	struct world dead = crew->w;

	snprintf(dead.name, sizeof(dead.name), "%.50s.dead", crew->w.name);
	return dead;
}

int
dead_topic_teardown(void **state)
{
	struct world dead = dead_topic(*state);

	topic_delete(&dead);
	return crew_teardown(state);
}

struct counted {
	struct world w;
	int64_t n;
};

static bool
has_count(void *arg)
{
	struct counted *counted = arg;

	return topic_count(&counted->w) >= counted->n;
}

void
dead_topic_await(const struct crew *crew, int64_t n)
{
	struct counted counted = { dead_topic(crew), n };

	world_await(has_count, &counted, WAIT_MS, "dead letters in the topic");
	assert_int_equal(topic_count(&counted.w), n);
}
