#include "late_word.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "instance.h"
#include "log.h"
#include "pipeline.h"

void
late_word_take(struct late_word *word, const struct instance *in,
	       const struct event *ev)
{
	word->in = in;
	word->pipeline = ev->pipeline->name;
	memcpy(word->pub.id, ev->pub.id, sizeof(word->pub.id));
	word->pub.attempt = ev->pub.attempt;
	word->pub.partition = ev->pub.partition;
	word->pub.offset = ev->pub.offset;
	if (!ev->pub.topic)
		return;
	snprintf(word->topic, sizeof(word->topic), "%s", ev->pub.topic);
	word->pub.topic = word->topic;
}

void
late_word_say(const struct late_word *word)
{
	const struct instance *in = word->in;
	struct log_facts facts = { .pipeline = word->pipeline,
				   .event = &word->pub,
				   .code = "timeout" };

	if (!in)
		return;
	facts.instance = in->name;
	log_write(in->aborts ? EVH_ERROR : EVH_WARN, &facts,
		  "%s for %lld ms, its timeout is %u ms: %s", word->what,
		  (long long)(word->took_ns / NS_PER_MS), in->timeout_ms,
		  word->consequence);
}
