#include "uuid_text.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define N_IDS	     20000

/* 2026-11-22T18:56:33.556543Z */
#define NOW_NS INT64_C(1795373793556543000)

static uint64_t
id_ms(const unsigned char id[16])
{
	uint64_t ms = 0;
	int i;

	for (i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms;
}

static void
v7_has_its_version_variant_and_milliseconds(void **state)
{
	static const int64_t times[] = { 0,	 1,	    999999, 1000000,
					 NOW_NS, INT64_MAX, -1,	    INT64_MIN };
	unsigned char id[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(times); i++) {
		uuid_v7(times[i], id);
		assert_int_equal(id[6] >> 4, 7);
		assert_int_equal(id[8] >> 6, 2);
		assert_int_equal(id_ms(id),
				 times[i] > 0 ? times[i] / 1000000 : 0);
		assert_int_equal(uuid_type(id), 7);
		assert_int_equal(uuid_variant(id), UUID_VARIANT_DCE);
	}
}

static void
v7_ascends_within_a_thread_and_millisecond(void **state)
{
	unsigned char last[16], id[16];
	int i;

	(void)state;
	uuid_v7(NOW_NS, last);
	for (i = 0; i < N_IDS; i++) {
		/* Nanoseconds move, now and then the millisecond too. */
		uuid_v7(NOW_NS + i * 100, id);
		assert_true(memcmp(last, id, sizeof(id)) < 0);
		memcpy(last, id, sizeof(id));
	}
}

static void
v7_of_an_earlier_time_keeps_its_milliseconds(void **state)
{
	unsigned char later[16], earlier[16];

	(void)state;
	uuid_v7(NOW_NS, later);
	uuid_v7(NOW_NS - 5000000, earlier);
	assert_int_equal(id_ms(later) - id_ms(earlier), 5);
}

static void
v7_begins_each_millisecond_at_random(void **state)
{
	unsigned char ids[64][16];
	size_t i, same = 0;

	(void)state;
	for (i = 0; i < COUNT(ids); i++) {
		uuid_v7(NOW_NS + (int64_t)i * 1000000, ids[i]);
		/* Half of the counter is left to count in. */
		assert_int_equal(ids[i][6] & 0x08, 0);
		if (i > 0)
			same += memcmp(ids[i] + 6, ids[i - 1] + 6, 4) == 0;
	}
	assert_true(same <= 1);
}

struct made {
	unsigned char (*ids)[16];
};

static void *
make_ids(void *arg)
{
	struct made *made = arg;
	int i;

	for (i = 0; i < N_IDS; i++)
		uuid_v7(NOW_NS, made->ids[i]);
	return NULL;
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void
v7_is_unique_between_threads_of_one_millisecond(void **state)
{
	unsigned char(*ids)[16] = calloc(4 * N_IDS, sizeof(*ids));
	pthread_t threads[4];
	struct made made[4];
	size_t i;

	(void)state;
	assert_non_null(ids);
	for (i = 0; i < COUNT(threads); i++) {
		made[i].ids = ids + i * N_IDS;
		assert_int_equal(
			pthread_create(&threads[i], NULL, make_ids, &made[i]),
			0);
	}
	for (i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	qsort(ids, (size_t)4 * N_IDS, sizeof(*ids), compare_ids);
	for (i = 1; i < (size_t)4 * N_IDS; i++)
		assert_int_not_equal(memcmp(ids[i - 1], ids[i], 16), 0);
	free(ids);
}

static void
v7_random_bits_are_all_used(void **state)
{
	unsigned char any[16] = { 0 }, all[16], id[16];
	int i, j;

	(void)state;
	memset(all, 0xFF, sizeof(all));
	for (i = 0; i < 2000; i++) {
		uuid_v7(NOW_NS, id);
		for (j = 0; j < 16; j++) {
			any[j] |= id[j];
			all[j] &= id[j];
		}
	}
	for (j = 10; j < 16; j++) {
		assert_int_equal(any[j], 0xFF);
		assert_int_equal(all[j], 0);
	}
}

static void
v5_is_that_of_the_rfc(void **state)
{
	unsigned char dns[16], id[16];
	char text[UUID_TEXT_LEN];

	(void)state;
	/* RFC 9562, appendix A.4. */
	assert_int_equal(uuid_read("6ba7b810-9dad-11d1-80b4-00c04fd430c8", 36,
				   dns, NULL),
			 0);
	uuid_v5(dns, "www.example.com", 15, id);
	uuid_write(id, text);
	assert_memory_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2", 36);

	/* What Python's uuid.uuid5(NAMESPACE_URL, ...) says. */
	uuid_v5_url("kafka:events/0/42/1795373793556", 31, id);
	uuid_write(id, text);
	assert_memory_equal(text, "5277567a-81b5-556a-bb94-bb9871a03263", 36);
}

static void
ids_are_written_as_libuuid_writes_them(void **state)
{
	unsigned char id[16], again[16];
	char text[UUID_TEXT_LEN + 1], expected[UUID_TEXT_LEN + 1];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uuid_generate_random(id);
		memset(text, 0, sizeof(text));
		uuid_write(id, text);
		uuid_unparse_lower(id, expected);
		assert_string_equal(text, expected);
		assert_int_equal(uuid_read(text, 36, again, NULL), 0);
		assert_memory_equal(again, id, 16);
		uuid_unparse_upper(id, expected);
		assert_int_equal(uuid_read(expected, 36, again, NULL), 0);
		assert_memory_equal(again, id, 16);
	}
}

static void
what_is_no_uuid_is_told_why(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "invalid length: expected length 36, found 0" },
		{ "abc", "invalid length: expected length 36, found 3" },
		{ "019aad2c6c1e7b3a9d5e0f4c1b2a3d4e",
		  "invalid length: expected length 36, found 32" },
		{ "{019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e}",
		  "invalid length: expected length 36, found 38" },
		{ "urn:uuid:019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e",
		  "invalid length: expected length 36, found 45" },
		{ "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4g",
		  "invalid character: expected [0-9a-fA-F], found `g` at 36" },
		{ "x19aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e",
		  "invalid character: expected [0-9a-fA-F], found `x` at 1" },
		{ "019aad2c06c1e-7b3a-9d5e-0f4c1b2a3d4e",
		  "invalid character: expected `-`, found `0` at 9" },
		{ "019aad2c-6c1e-7b3a-9d5e00f4c1b2a3d4e",
		  "invalid character: expected `-`, found `0` at 24" },
		{ "019aad2-c6c1e-7b3a-9d5e-0f4c1b2a3d4e",
		  "invalid character: expected [0-9a-fA-F], found `-` at 8" },
		{ "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4\n",
		  "invalid character: expected [0-9a-fA-F], found 0x0a at 36" },
		{ "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d\xC3\xA4",
		  "invalid character: expected [0-9a-fA-F], found 0xc3 at 35" },
		{ " 19aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e",
		  "invalid character: expected [0-9a-fA-F], found 0x20 at 1" },
	};
	unsigned char id[16], untouched[16];
	const char *why;
	size_t i;

	(void)state;
	memset(id, 0x55, sizeof(id));
	memset(untouched, 0x55, sizeof(untouched));
	for (i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);

		assert_int_equal(uuid_read(rows[i].text, len, id, &why),
				 -EINVAL);
		assert_string_equal(why, rows[i].why);
		assert_int_equal(uuid_read(rows[i].text, len, id, NULL),
				 -EINVAL);
		assert_memory_equal(id, untouched, sizeof(id));
	}
}

static void
every_wrong_byte_is_found_in_every_place(void **state)
{
	char text[UUID_TEXT_LEN];
	unsigned char id[16];
	size_t place;
	int byte;

	(void)state;
	for (place = 0; place < UUID_TEXT_LEN; place++) {
		bool hyphen =
			place == 8 || place == 13 || place == 18 || place == 23;

		for (byte = 0; byte < 256; byte++) {
			bool right = hyphen ? byte == '-'
					    : memchr("0123456789abcdefABCDEF",
						     byte, 22) != NULL;

			memcpy(text, "019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e",
			       sizeof(text));
			text[place] = (char)byte;
			assert_int_equal(
				uuid_read(text, sizeof(text), id, NULL),
				right ? 0 : -EINVAL);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v7_has_its_version_variant_and_milliseconds),
		cmocka_unit_test(v7_ascends_within_a_thread_and_millisecond),
		cmocka_unit_test(v7_of_an_earlier_time_keeps_its_milliseconds),
		cmocka_unit_test(v7_begins_each_millisecond_at_random),
		cmocka_unit_test(
			v7_is_unique_between_threads_of_one_millisecond),
		cmocka_unit_test(v7_random_bits_are_all_used),
		cmocka_unit_test(v5_is_that_of_the_rfc),
		cmocka_unit_test(ids_are_written_as_libuuid_writes_them),
		cmocka_unit_test(what_is_no_uuid_is_told_why),
		cmocka_unit_test(every_wrong_byte_is_found_in_every_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
