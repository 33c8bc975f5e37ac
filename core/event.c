#include "event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_code.h"
#include "event_pool.h"
#include "json.h"
#include "letter.h"
#include "rfc3339.h"
#include "uuid_text.h"

#define MAGIC_LIVE 0x45564c56u
#define MAGIC_FREE 0x65766672u

void *
event_alloc(struct event *ev, size_t n)
{
	ev->is_pinned = true;
	return arena_alloc(&ev->arena, n);
}

/* A copy in the arena, with a NUL behind it. */
static char *
copy_text(struct event *ev, const void *data, size_t len)
{
	char *copy = arena_alloc(&ev->arena, len + 1);

	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

static int
copy_bytes(struct event *ev, struct evh_bytes from, struct evh_bytes *ret)
{
	char *copy;

	if (from.len == 0) {
		*ret = (struct evh_bytes){ "", 0 };
		return 0;
	}
	copy = copy_text(ev, from.data, from.len);
	if (!copy)
		return -ENOMEM;
	*ret = (struct evh_bytes){ copy, from.len };
	return 0;
}

static int
copy_headers(struct event *ev, const struct evh_header *from, uint32_t n)
{
	struct evh_header *headers;

	if (n == 0)
		return 0;
	headers = arena_alloc(&ev->arena, n * sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		headers[i].name =
			copy_text(ev, from[i].name, strlen(from[i].name));
		headers[i].value.data =
			copy_text(ev, from[i].value.data, from[i].value.len);
		headers[i].value.len = from[i].value.len;
		if (!headers[i].name || !headers[i].value.data)
			return -ENOMEM;
	}
	ev->pub.headers = headers;
	ev->pub.n_headers = n;
	return 0;
}

/* All of it but what needs no zeroes, and the holder, which is NULL and others
 * may look at. */
static void
event_clear(struct event *ev)
{
	memset(ev, 0, offsetof(struct event, holder));
	memset((char *)ev + offsetof(struct event, source), 0,
	       offsetof(struct event, saved) - offsetof(struct event, source));
	arena_init(&ev->arena);
	ev->magic = MAGIC_LIVE;
	atomic_init(&ev->owed, 1);
	atomic_init(&ev->joined, 0);
	atomic_init(&ev->hold, EVENT_FREE_OF_HOLD);
}

static size_t
event_measure(const struct event *ev)
{
	size_t size = ev->pub.data.len + ev->pub.key.len;

	for (uint32_t i = 0; i < ev->pub.n_headers; i++)
		size += ev->pub.headers[i].value.len;
	return size;
}

static int
event_fill(struct event *ev, const struct evh_spec *spec)
{
	const char *name = spec->name ? spec->name : "";

	ev->pub.name = copy_text(ev, name, strlen(name));
	if (!ev->pub.name)
		return -ENOMEM;
	if (spec->release) {
		ev->pub.data = spec->data;
		ev->pub.key = spec->key;
	} else if (copy_bytes(ev, spec->data, &ev->pub.data) < 0 ||
		   copy_bytes(ev, spec->key, &ev->pub.key) < 0) {
		return -ENOMEM;
	}
	if (copy_headers(ev, spec->headers, spec->n_headers) < 0)
		return -ENOMEM;
	ev->pub.status = spec->status ? spec->status : EVH_PENDING;
	ev->pub.attempts = spec->attempts;
	ev->attempts_before = spec->attempts;
	ev->pub.created_ns =
		spec->created_ns ? spec->created_ns : timer_wall_ns();
	if (spec->topic) {
		ev->pub.topic = copy_text(ev, spec->topic, strlen(spec->topic));
		if (!ev->pub.topic)
			return -ENOMEM;
		ev->pub.partition = spec->partition;
		ev->pub.offset = spec->offset;
	}
	ev->pub.cookie = spec->cookie;
	return 0;
}

/* What a child has of its parent: id by number, place, lane, cookie. */
static void
event_fill_child(struct event *ev, struct event *parent,
		 const struct evh_spec *spec)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", ++parent->n_children);

	assert(len > 0);
	if (!spec->id)
		uuid_v5(parent->pub.id, number, (size_t)len, ev->pub.id);
	if (!spec->status)
		ev->pub.status = parent->pub.status;
	ev->pub.attempts = parent->pub.attempts;
	ev->attempts_before = parent->attempts_before;
	ev->pub.topic = parent->pub.topic;
	ev->pub.partition = parent->pub.partition;
	ev->pub.offset = parent->pub.offset;
	ev->pub.cookie = parent->pub.cookie;
	ev->origin = parent;
	ev->pipeline = parent->pipeline;
	ev->lane = parent->lane;
	ev->is_ordered = parent->is_ordered;
	ev->born_ns = parent->born_ns;
	ev->is_patient = parent->is_patient;
}

struct event *
event_new(struct instance *source, const struct evh_spec *spec,
	  struct event *parent)
{
	struct event *ev = event_pool_get();

	if (!ev)
		return NULL;
	event_clear(ev);
	ev->source = source;
	atomic_store_explicit(&ev->holder, source, memory_order_relaxed);
	if (event_fill(ev, spec) < 0) {
		event_free(ev);
		return NULL;
	}
	if (spec->id)
		memcpy(ev->pub.id, spec->id, sizeof(ev->pub.id));
	else if (!parent)
		uuid_v7(ev->pub.created_ns, ev->pub.id);
	if (parent)
		event_fill_child(ev, parent, spec);
	ev->release = spec->release;
	ev->release_arg = spec->release_arg;
	return ev;
}

struct event *
event_copy(struct event *origin)
{
	struct event *ev = event_pool_get();

	if (!ev)
		return NULL;
	event_clear(ev);
	ev->pub = origin->pub;
	ev->source = origin->source;
	ev->origin = origin;
	ev->attempts_before = origin->attempts_before;
	ev->is_failed = origin->is_failed;
	ev->error_code = origin->error_code;
	ev->error_text = origin->error_text;
	ev->size = origin->size;
	return ev;
}

void
event_release(struct event *ev)
{
	if (ev->release)
		ev->release(ev->release_arg);
	ev->release = NULL;
}

void
event_free(struct event *ev)
{
	assert(ev->magic == MAGIC_LIVE);
	event_release(ev);
	arena_fini(&ev->arena);
	ev->magic = MAGIC_FREE;
	atomic_store_explicit(&ev->holder, NULL, memory_order_relaxed);
	event_pool_put(ev);
}

bool
event_is_live(const struct event *ev)
{
	return ev && ev->magic == MAGIC_LIVE;
}

unsigned long
event_count(void)
{
	return event_pool_count();
}

unsigned
event_count_held(const struct instance *holder)
{
	return event_pool_count_held(holder);
}

static struct event_face
face_of(const struct event *ev)
{
	return (struct event_face){ ev->pub.data, ev->pub.key, ev->pub.headers,
				    ev->pub.n_headers };
}

static void
face_put(struct event *ev, const struct event_face *face)
{
	ev->pub.data = face->data;
	ev->pub.key = face->key;
	ev->pub.headers = face->headers;
	ev->pub.n_headers = face->n_headers;
}

/* Before the first change of a try, and the first since emit. */
static void
event_save(struct event *ev)
{
	if (!ev->face_remade) {
		ev->emitted = face_of(ev);
		ev->face_remade = true;
	}
	if (!ev->face_saved) {
		ev->saved = face_of(ev);
		ev->face_saved = true;
		ev->mark = arena_mark(&ev->arena);
		ev->is_pinned = false;
	}
}

void
event_settle(struct event *ev)
{
	ev->face_saved = false;
	ev->face_remade = false;
	ev->size = event_measure(ev);
}

void
event_undo(struct event *ev)
{
	if (ev->face_saved)
		face_put(ev, &ev->saved);
	/* An event may be tried for days: its tries must not add up. */
	if (ev->face_saved && !ev->is_pinned)
		arena_rewind(&ev->arena, &ev->mark);
	ev->face_saved = false;
}

void
event_keep(struct event *ev)
{
	ev->face_saved = false;
}

void
event_remake(struct event *ev)
{
	if (ev->face_remade)
		face_put(ev, &ev->emitted);
	ev->face_saved = false;
	ev->face_remade = false;
}

int
event_set_data(struct event *ev, struct evh_bytes data)
{
	struct evh_bytes copy;

	event_save(ev);
	if (copy_bytes(ev, data, &copy) < 0)
		return -ENOMEM;
	ev->pub.data = copy;
	return 0;
}

int
event_set_key(struct event *ev, struct evh_bytes key)
{
	struct evh_bytes copy;

	event_save(ev);
	if (copy_bytes(ev, key, &copy) < 0)
		return -ENOMEM;
	ev->pub.key = copy;
	return 0;
}

/* The headers are replaced as a whole, so that undoing is one pointer. */
int
event_set_header(struct event *ev, const char *name, const char *value)
{
	struct evh_header *headers;
	uint32_t n = 0;

	if (!name || !*name)
		return -EINVAL;
	event_save(ev);
	headers = arena_alloc(&ev->arena,
			      (ev->pub.n_headers + 1) * sizeof(*headers));
	if (!headers)
		return -ENOMEM;
	for (uint32_t i = 0; i < ev->pub.n_headers; i++)
		if (strcmp(ev->pub.headers[i].name, name) != 0)
			headers[n++] = ev->pub.headers[i];
	if (value) {
		size_t len = strlen(value);

		headers[n].name = copy_text(ev, name, strlen(name));
		headers[n].value.data = copy_text(ev, value, len);
		headers[n].value.len = len;
		if (!headers[n].name || !headers[n].value.data)
			return -ENOMEM;
		n++;
	}
	ev->pub.headers = headers;
	ev->pub.n_headers = n;
	return 0;
}

int
event_set_error(struct event *ev, const char *code, const char *text)
{
	size_t code_size = code ? strlen(code) + 1 : 1;
	size_t text_size = strlen(text) + 1;
	size_t size = code_size + text_size;
	char *memory;

	if (size > ev->error_room) {
		/* Doubled, so that longer and longer ones do not add up. */
		if (size < 2 * ev->error_room)
			size = 2 * ev->error_room;
		memory = event_alloc(ev, size);
		if (!memory)
			return -ENOMEM;
		ev->error_memory = memory;
		ev->error_room = size;
	}
	memcpy(ev->error_memory, code ? code : "", code_size);
	memcpy(ev->error_memory + code_size, text, text_size);
	ev->error_code = ev->error_memory;
	ev->error_text = ev->error_memory + code_size;
	return 0;
}

/* How often `dlq retry` has sent it, as its header says. */
static uint32_t
replays_of(const struct event *ev)
{
	for (uint32_t i = 0; i < ev->pub.n_headers; i++) {
		const struct evh_header *header = &ev->pub.headers[i];

		if (strcmp(header->name, LETTER_REPLAYS_HEADER) == 0)
			return letter_count_read(header->value.data,
						 header->value.len);
	}
	return 0;
}

int
event_render_error(struct event *ev, const char *stage, const char *type,
		   const char *text)
{
	static const char no_memory[] =
		"{\"stage\":\"host\",\"type\":\"handler\","
		"\"message\":\"out of memory\"}";
	const char *code = ev->error_code ? ev->error_code : "";
	size_t stage_len = json_quote(stage, strlen(stage), NULL, 0);
	size_t text_len = json_quote(text, strlen(text), NULL, 0);
	size_t size = stage_len + text_len + 128;
	char *json = event_alloc(ev, size);
	uint32_t replays = replays_of(ev);
	size_t at = 0;

	if (!json) {
		ev->pub.error = no_memory;
		return -ENOMEM;
	}
	at += (size_t)snprintf(json, size, "{\"stage\":");
	at += json_quote(stage, strlen(stage), json + at, size - at);
	at += (size_t)snprintf(json + at, size - at,
			       ",\"type\":\"%s\",\"message\":", type);
	at += json_quote(text, strlen(text), json + at, size - at);
	if (error_code_is_sqlstate(code))
		at += (size_t)snprintf(json + at, size - at,
				       ",\"sqlstate\":\"%s\"", code);
	if (replays > 0)
		at += (size_t)snprintf(
			json + at, size - at,
			",\"" LETTER_REPLAYS_MEMBER "\":%" PRIu32, replays);
	snprintf(json + at, size - at, "}");
	ev->pub.error = json;
	return 0;
}

enum evh_result
event_join(enum evh_result a, enum evh_result b)
{
	/* How far from finished; 0 is "nothing said yet". */
	static const int weight[] = {
		[EVH_DROP] = 1, [EVH_OK] = 2, [EVH_FAIL] = 3, [EVH_RETRY] = 4
	};

	return weight[b] > weight[a] ? b : a;
}
