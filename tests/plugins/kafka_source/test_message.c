/*
 * test_message.c - what becomes of a message, row by row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"
#include "uuid_text.h"

#define MAX_MESSAGE 200

struct row {
	const char *value; /* NULL: a tombstone */
	const char *name;  /* NULL: it is poison */
	const char *data;
	const char *id; /* NULL: derived */
	int64_t created_ns;
	const char *why; /* of poison, a part of it */
};

#define ID "0198a000-0000-7000-8000-000000000001"
#define MS INT64_C(1700000000123)

static const struct row rows[] = {
	{ "{\"id\":\"" ID "\",\"name\":\"a.b\",\"data\":{\"x\": 1.0},"
	  "\"created_at\":\"2026-11-22T18:56:33.556543Z\"}",
	  "a.b", "{\"x\": 1.0}", ID, INT64_C(1795373793556543000), NULL },
	{ "{\"name\":\"a\"}", "a", "{}", NULL, MS * 1000000, NULL },
	{ "{\"name\":\"a\",\"data\":[1, 2]}", "a", "[1, 2]", NULL, MS * 1000000,
	  NULL },
	{ "{\"other\":{\"name\":\"x\"},\"name\":\"a\",\"data\":null}", "a",
	  "null", NULL, MS * 1000000, NULL },
	{ "{\"id\":\"0198A000-0000-7000-8000-000000000001\",\"name\":\"a\"}",
	  "a", "{}", ID, MS * 1000000, NULL },
	{ "no JSON", NULL, NULL, NULL, MS * 1000000, "not JSON" },
	{ "", NULL, NULL, NULL, MS * 1000000, "empty" },
	{ NULL, NULL, NULL, NULL, MS * 1000000, "empty" },
	{ "[]", NULL, NULL, NULL, MS * 1000000, "object" },
	{ "{\"data\":{}}", NULL, NULL, NULL, MS * 1000000, "name" },
	{ "{\"name\":\"\"}", NULL, NULL, NULL, MS * 1000000, "name" },
	{ "{\"name\":7}", NULL, NULL, NULL, MS * 1000000, "name" },
	{ "{\"name\":\"a\",\"id\":\"7\"}", NULL, NULL, NULL, MS * 1000000,
	  "id" },
	{ "{\"name\":\"a\",\"name\":\"b\"}", NULL, NULL, NULL, MS * 1000000,
	  "JSON" },
	{ "{\"name\":\"\xff\"}", NULL, NULL, NULL, MS * 1000000, "UTF-8" },
};

static struct message
message_of(const char *value)
{
	return (struct message){
		.topic = "events",
		.partition = 3,
		.offset = 42,
		.timestamp_ms = MS,
		.value = { value, value != NULL ? strlen(value) : 0 },
		.key = { "k", 1 },
	};
}

static void
derived(unsigned char ret[16])
{
	static const char place[] = "kafka:events/3/42/1700000000123";

	uuid_v5_url(place, sizeof(place) - 1, ret);
}

static void
check_row(struct message_decoder *d, const struct row *row)
{
	struct message m = message_of(row->value);
	struct evh_spec spec;
	unsigned char id[16];
	int r;

	message_begin(d);
	r = message_decode(d, &m, &spec);
	assert_int_equal(r, row->name == NULL);
	if (row->id != NULL)
		assert_int_equal(uuid_read(row->id, 36, id, NULL), 0);
	else
		derived(id);
	assert_memory_equal(spec.id, id, 16);
	assert_int_equal(spec.created_ns, row->created_ns);
	assert_int_equal(spec.status, EVH_PROCESSED);
	assert_string_equal(spec.topic, "events");
	assert_int_equal(spec.partition, 3);
	assert_int_equal(spec.offset, 42);
	assert_int_equal(spec.key.len, 1);
	if (row->name == NULL) {
		assert_string_equal(spec.name, "");
		assert_int_equal(spec.data.len, m.value.len);
		if (row->value != NULL)
			assert_ptr_equal(spec.data.data, row->value);
		else
			assert_non_null(spec.data.data);
		assert_non_null(strstr(d->poison.text, row->why));
		return;
	}
	assert_string_equal(spec.name, row->name);
	assert_int_equal(spec.data.len, strlen(row->data));
	assert_memory_equal(spec.data.data, row->data, spec.data.len);
}

static void
each_message_becomes_its_event_or_poison(void **state)
{
	struct message_decoder d;

	(void)state;
	message_decoder_init(&d, MAX_MESSAGE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&d, &rows[i]);
	message_decoder_fini(&d);
}

static void
a_message_beyond_the_limit_is_poison_and_one_at_it_is_not(void **state)
{
	struct message_decoder d;
	char value[MAX_MESSAGE + 2];
	struct evh_spec spec;
	struct message m;

	(void)state;
	message_decoder_init(&d, MAX_MESSAGE);
	memset(value, ' ', sizeof(value));
	memcpy(value, "{\"name\":\"a\"}", 12);
	m = message_of("");
	m.value = (struct evh_bytes){ value, MAX_MESSAGE };
	assert_int_equal(message_decode(&d, &m, &spec), 0);
	m.value.len++;
	assert_int_equal(message_decode(&d, &m, &spec), 1);
	assert_int_equal(spec.data.len, MAX_MESSAGE + 1);
	assert_non_null(strstr(d.poison.text, "larger than 200"));
	message_decoder_fini(&d);
}

static void
the_derived_id_follows_from_every_part_of_the_place(void **state)
{
	struct message m[5];
	unsigned char ids[5][16];
	struct message_decoder d;
	struct evh_spec spec;

	(void)state;
	message_decoder_init(&d, MAX_MESSAGE);
	for (unsigned i = 0; i < 5; i++)
		m[i] = message_of("poison");
	m[1].topic = "event";
	m[2].partition = 4;
	m[3].offset = 43;
	m[4].timestamp_ms = -1;
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(message_decode(&d, &m[i], &spec), 1);
		memcpy(ids[i], spec.id, 16);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(ids[i], ids[j], 16);
	}
	assert_int_equal(spec.created_ns, 0); /* no time: the host's now */
	message_decoder_fini(&d);
}

static void
add(struct message_decoder *d, const char *name, const char *value)
{
	struct evh_bytes bytes = { value, value != NULL ? strlen(value) : 0 };

	assert_int_equal(message_add_header(d, name, bytes), 0);
}

static void
headers_are_passed_on_but_for_the_envelopes_own(void **state)
{
	struct message m = message_of("{\"name\":\"a\"}");
	struct message_decoder d;
	struct evh_spec spec;

	(void)state;
	message_decoder_init(&d, MAX_MESSAGE);
	message_begin(&d);
	add(&d, "evh-id", ID);
	add(&d, "content-type", "application/json");
	add(&d, "evh-attempts", "3");
	add(&d, "none", NULL);
	for (unsigned i = 0; i < 20; i++)
		add(&d, "x", "y");
	assert_int_equal(message_decode(&d, &m, &spec), 0);
	assert_int_equal(spec.attempts, 3);
	assert_int_equal(spec.n_headers, 21);
	assert_string_equal(spec.headers[0].name, "none");
	assert_non_null(spec.headers[0].value.data);
	assert_int_equal(spec.headers[0].value.len, 0);
	assert_string_equal(spec.headers[20].name, "x");
	/* The next message has none of them. */
	message_begin(&d);
	assert_int_equal(message_decode(&d, &m, &spec), 0);
	assert_int_equal(spec.n_headers, 0);
	assert_int_equal(spec.attempts, 0);
	message_decoder_fini(&d);
}

static void
attempts_that_are_no_number_are_ignored(void **state)
{
	static const struct {
		const char *text;
		uint32_t n;
	} cases[] = {
		{ "0", 0 },	     { "7", 7 },
		{ "007", 7 },	     { "4294967295", UINT32_MAX },
		{ "4294967296", 0 }, { "99999999999999999999999999", 0 },
		{ "", 0 },	     { "-1", 0 },
		{ "3 ", 0 },	     { "x", 0 },
		{ NULL, 0 },
	};
	struct message_decoder d;

	(void)state;
	message_decoder_init(&d, MAX_MESSAGE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message_begin(&d);
		add(&d, "evh-attempts", cases[i].text);
		assert_int_equal(d.attempts, cases[i].n);
	}
	message_decoder_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_becomes_its_event_or_poison),
		cmocka_unit_test(
			a_message_beyond_the_limit_is_poison_and_one_at_it_is_not),
		cmocka_unit_test(
			the_derived_id_follows_from_every_part_of_the_place),
		cmocka_unit_test(
			headers_are_passed_on_but_for_the_envelopes_own),
		cmocka_unit_test(attempts_that_are_no_number_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
