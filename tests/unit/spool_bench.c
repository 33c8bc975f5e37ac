#include "spool_bench.h"

#include <time.h>

#include "bad_disk.h"
#include "spool.h"
#include "timer.h"

#define AWAIT_NS INT64_C(60000000000)

static struct spool_bench *
bench_of(struct rig_element *el)
{
	return el->on_done ? (struct spool_bench *)((char *)el -
						    offsetof(struct spool_bench,
							     src))
			   : (struct spool_bench *)((char *)el -
						    offsetof(struct spool_bench,
							     out));
}

static void
note_spooled(struct rig_element *el, struct evh_event *const *evs, int n,
	     enum evh_result result)
{
	for (int i = 0; i < n; i++)
		if (result == EVH_OK && evs[i]->is_spooled)
			atomic_fetch_add(&bench_of(el)->n_spooled, 1);
}

static int
take(struct rig_element *el, struct evh_event *const *evs, int n)
{
	struct spool_bench *b = bench_of(el);
	enum evh_result result;

	for (int i = 0; i < n; i++) {
		pthread_mutex_lock(&el->lock);
		b->numbers[el->n_seen++] = evs[i]->created_ns;
		result = b->result;
		if (result == EVH_OK && evs[i]->created_ns == b->failing)
			result = EVH_FAIL;
		if (result == 0)
			el->held[el->n_held++] = evs[i];
		pthread_cond_broadcast(&el->changed);
		pthread_mutex_unlock(&el->lock);
		if (result != 0)
			el->ctx->done(el->ctx, &evs[i], 1, result);
	}
	return n;
}

void
chain_fill(struct spool_bench *b)
{
	b->rig = rig_new();
	b->src = (struct rig_element){ .name = "src",
				       .kind = EVH_SOURCE,
				       .on_done = note_spooled };
	b->out = (struct rig_element){ .name = "out",
				       .kind = EVH_SINK,
				       .submit = take };
	b->result = EVH_OK;
	b->failing = 0;
	atomic_store(&b->n_spooled, 0);
	rig_add(b->rig, &b->src);
	rig_add(b->rig, &b->out);
}

void
chain_open(struct spool_bench *b, struct config_pipeline config)
{
	static char *chain[] = { (char *)"src", (char *)"out", NULL };

	chain_fill(b);
	b->look = (struct rig_element){ .name = "look",
					.kind = EVH_HANDLER,
					.process = rig_note };
	rig_add(b->rig, &b->look);
	if (!config.chain)
		config.chain = chain;
	config.spool_dir = b->dir.path;
	b->p = rig_pipeline(b->rig, config);
	rig_start(b->rig);
}

int
chain_make(void **state)
{
	struct spool_bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	tempdir_init(&b->dir);
	bad_disk_mend();
	*state = b;
	return 0;
}

int
chain_remove(void **state)
{
	struct spool_bench *b = *state;

	tempdir_fini(&b->dir);
	free(b);
	return 0;
}

int
chain_put_keyed(struct spool_bench *b, int64_t number, const char *key)
{
	const struct evh_spec spec = { .name = "e",
				       .data = { "{}", 2 },
				       .key = { key, strlen(key) },
				       .created_ns = number,
				       .cookie = (uintptr_t)number };

	return rig_emit_spec(&b->src, &spec);
}

int
chain_put(struct spool_bench *b, int64_t number)
{
	return chain_put_keyed(b, number, "k");
}

void
chain_sink_leaves(struct spool_bench *b)
{
	b->out.ctx->ready(b->out.ctx, "away");
}

void
chain_sink_returns(struct spool_bench *b)
{
	b->out.ctx->ready(b->out.ctx, NULL);
}

void
chain_sink_says(struct spool_bench *b, enum evh_result result)
{
	pthread_mutex_lock(&b->out.lock);
	b->result = result;
	pthread_mutex_unlock(&b->out.lock);
}

void
chain_spool(struct spool_bench *b, int n)
{
	chain_sink_leaves(b);
	for (int64_t i = 1; i <= n; i++)
		assert_int_equal(chain_put(b, i), 1);
	rig_await_heard(&b->src, n);
}

void
chain_spool_singly(struct spool_bench *b, int n)
{
	chain_sink_leaves(b);
	for (int i = 1; i <= n; i++) {
		assert_int_equal(chain_put(b, i), 1);
		rig_await_heard(&b->src, i);
	}
}

int64_t
chain_number(struct spool_bench *b, int i)
{
	int64_t number;

	pthread_mutex_lock(&b->out.lock);
	assert_true(i < b->out.n_seen);
	number = b->numbers[i];
	pthread_mutex_unlock(&b->out.lock);
	return number;
}

/* Looks at another thread's state, again and again. */
static void
await_state(struct spool_bench *b, bool (*fn)(const struct spool_state *))
{
	const struct timespec pause = { 0, 1000000 };
	int64_t until_ns = timer_now_ns() + AWAIT_NS;
	struct spool_state state;

	for (;;) {
		spool_state(b->p->spool, &state);
		if (fn(&state))
			return;
		assert_true(timer_now_ns() < until_ns);
		nanosleep(&pause, NULL);
	}
}

static bool
is_empty(const struct spool_state *state)
{
	return state->n_records == 0 && !state->is_holding;
}

static bool
is_wrong(const struct spool_state *state)
{
	return *state->why != '\0';
}

static bool
is_right(const struct spool_state *state)
{
	return *state->why == '\0';
}

void
chain_await_empty(struct spool_bench *b)
{
	await_state(b, is_empty);
}

void
chain_await_wrong(struct spool_bench *b)
{
	await_state(b, is_wrong);
}

void
chain_await_right(struct spool_bench *b)
{
	await_state(b, is_right);
}

/* done() goes on for a moment behind what the rig notes of it. */
void
chain_expect_spooled(struct spool_bench *b, int n)
{
	const struct timespec pause = { 0, 1000000 };
	int64_t until_ns = timer_now_ns() + AWAIT_NS;

	while (atomic_load(&b->n_spooled) < n && timer_now_ns() < until_ns)
		nanosleep(&pause, NULL);
	assert_int_equal(atomic_load(&b->n_spooled), n);
}
