#include "ends.h"

#include "event.h"
#include "failure.h"
#include "oracle.h"
#include "reader.h"
#include "walker.h"

#define EMIT_MAX 256

static void
source_done(void *self, struct evh_event *const *evs, int n,
	    enum evh_result result)
{
	struct end *source = self;

	if (source->reader != NULL)
		reader_done(source->reader, evs, n, result);
	else
		client_done(source, evs, n, result);
}

const struct evh_plugin *
ends_plugin(enum evh_kind kind)
{
	static const struct evh_plugin plugins[] = {
		[EVH_SOURCE] = { EVH_PLUGIN_HEAD, .kind = EVH_SOURCE,
				 .name = "source", .version = "1",
				 .done = source_done },
		[EVH_HANDLER] = { EVH_PLUGIN_HEAD, .kind = EVH_HANDLER,
				  .name = "handler", .version = "1",
				  .flush = handler_flush,
				  .process = handler_process },
		[EVH_SINK] = { EVH_PLUGIN_HEAD, .kind = EVH_SINK,
			       .name = "sink", .version = "1",
			       .flush = sink_flush, .submit = sink_submit },
	};

	return &plugins[kind];
}

enum evh_result
ends_answer(struct end *end)
{
	const struct mood *m = &end->mood;
	bool is_handler = end->kind == EVH_HANDLER;
	unsigned drop = is_handler ? m->drop : 0;
	unsigned hold = is_handler ? m->hold : 0;
	unsigned at;

	if (end->scene->is_calm)
		return EVH_OK;
	at = chance_below(end->scene->chance,
			  m->ok + m->retry + m->fail + drop + hold);
	if (at < m->ok)
		return EVH_OK;
	at -= m->ok;
	if (at < m->retry)
		return EVH_RETRY;
	at -= m->retry;
	if (at < m->fail)
		return EVH_FAIL;
	return at - m->fail < drop ? EVH_DROP : EVH_HOLD;
}

int
ends_emit(struct end *source, struct evh_event *const *evs, int n,
	  int timeout_ms)
{
	struct emission *es[EMIT_MAX];
	int k;

	for (int i = 0; i < n; i++) {
		const struct event *inner = (const struct event *)evs[i];

		es[i] = oracle_offer(source, evs[i], inner->error_text != NULL);
		trace("%s offers #%u, lane %d", source->name, es[i]->order,
		      es[i]->lane);
	}
	k = source->emit(source->ctx, evs, n, timeout_ms);
	if (k > n || k == 0)
		failure("emit() of %d events returns %d", n, k);
	oracle_emitted(es, n, k);
	trace("%s: emit() of %d says %d", source->name, n, k);
	return k;
}
