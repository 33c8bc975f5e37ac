#include "stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
end_note(struct stand_end *end, const struct evh_event *ev)
{
	size_t at = 0;

	snprintf(end->key, sizeof(end->key), "%.*s", (int)ev->key.len,
		 ev->key.data ? (const char *)ev->key.data : "");
	snprintf(end->error, sizeof(end->error), "%s",
		 ev->error ? ev->error : "");
	end->headers[0] = '\0';
	for (uint32_t i = 0; i < ev->n_headers; i++) {
		const struct evh_header *header = &ev->headers[i];

		at += (size_t)snprintf(end->headers + at,
				       sizeof(end->headers) - at, "%s=%.*s;",
				       header->name, (int)header->value.len,
				       (const char *)header->value.data);
		assert_true(at < sizeof(end->headers));
	}
}

static int
end_submit(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct stand_end *end = (struct stand_end *)el;

	for (int i = 0; i < n; i++) {
		pthread_mutex_lock(&el->lock);
		end_note(end, evs[i]);
		pthread_mutex_unlock(&el->lock);
		(void)rig_note(el, evs[i]);
	}
	el->ctx->done(el->ctx, evs, n, EVH_OK);
	return n;
}

static void
end_add(struct stand *st, struct stand_end *end, const char *name)
{
	*end = (struct stand_end){
		.el = { .name = name, .kind = EVH_SINK, .submit = end_submit },
	};
	rig_add(st->rig, &end->el);
}

void
stand_up(struct stand *st, const char *plugin, const char *const *settings,
	 unsigned workers)
{
	static char *chain[] = { "src", "handler", "out", NULL };
	static char *on_fail[] = { "failed", NULL };
	static char *on_drop[] = { "dropped", NULL };

	memset(st, 0, sizeof(*st));
	st->rig = rig_new();
	st->src = (struct rig_element){ .name = "src", .kind = EVH_SOURCE };
	rig_add(st->rig, &st->src);
	assert_int_equal(rig_add_plugin(st->rig, "handler", plugin, settings),
			 0);
	end_add(st, &st->out, "out");
	end_add(st, &st->failed, "failed");
	end_add(st, &st->dropped, "dropped");
	rig_pipeline(st->rig, (struct config_pipeline){ .chain = chain,
							.on_fail = on_fail,
							.on_drop = on_drop,
							.workers = workers });
	rig_start(st->rig);
}

void
stand_down(struct stand *st)
{
	rig_free(st->rig);
	st->rig = NULL;
}

int
stand_try(const char *plugin, const char *const *settings)
{
	struct rig *rig = rig_new();
	int err = rig_add_plugin(rig, "handler", plugin, settings);

	rig_free(rig);
	return err;
}

void
stand_emit(struct stand *st, const char *name, const char *data)
{
	struct evh_spec spec = { .name = name,
				 .data = { data, strlen(data) },
				 .cookie = st->n_emitted++ };

	assert_int_equal(rig_emit_spec(&st->src, &spec), 1);
}

void
stand_emit_header(struct stand *st, const char *name, const char *value)
{
	struct evh_header header = { name, { value, strlen(value) } };
	struct evh_spec spec = { .name = "test.event",
				 .data = { "{}", 2 },
				 .headers = &header,
				 .n_headers = 1,
				 .cookie = st->n_emitted++ };

	assert_int_equal(rig_emit_spec(&st->src, &spec), 1);
}

void
stand_await(struct stand *st, int n)
{
	rig_await_heard(&st->src, n);
}

void
stand_assert_ends(const struct stand *st, int out, int dropped, int failed)
{
	assert_int_equal(st->out.el.n_seen, out);
	assert_int_equal(st->dropped.el.n_seen, dropped);
	assert_int_equal(st->failed.el.n_seen, failed);
}
