/*
 * test_spool_record.c - events as bytes and back, and what is no event.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crc32c.h"
#include "spool_record.h"

static const struct evh_header headers[] = {
	{ "trace", { "a\0b", 3 } },
	{ "", { "", 0 } },
};

static const struct evh_event full = {
	.id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255 },
	.created_ns = INT64_C(1790000000123456000),
	.name = "user.created",
	.data = { "{\"n\":0.10}", 10 },
	.key = { "k\0y", 3 },
	.headers = headers,
	.n_headers = 2,
	.status = EVH_PENDING,
	.attempts = 7,
	.topic = "t",
	.offset = INT64_C(1) << 40,
	.partition = -1,
};

static void
assert_bytes(struct evh_bytes a, struct evh_bytes b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void
the_checksum_is_castagnolis_with_and_without_the_instruction(void **state)
{
	char text[100];

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_plain(0, "123456789", 9), 0xe3069283);
	for (size_t n = 0; n < sizeof(text); n++) {
		text[n] = (char)(n * 37);
		assert_int_equal(crc32c(5, text, n), crc32c_plain(5, text, n));
	}
}

static void
an_event_comes_back_as_it_was(void **state)
{
	struct spool_bytes bytes = { 0 };
	struct evh_header *back = NULL;
	struct spool_head head;
	struct evh_spec spec;

	(void)state;
	assert_int_equal(spool_record_add(&bytes, &full, 12, 345), 0);
	assert_int_equal(bytes.len, spool_record_size(&full));
	head = spool_record_head(bytes.at);
	assert_true(spool_record_is_whole(bytes.at, &head));
	assert_int_equal(head.number, 12);
	assert_int_equal(head.synced, 345);
	assert_int_equal(spool_record_spec(bytes.at + SPOOL_RECORD_HEAD,
					   head.body_len, &spec, &back),
			 0);
	assert_memory_equal(spec.id, full.id, 16);
	assert_int_equal(spec.created_ns, full.created_ns);
	assert_string_equal(spec.name, full.name);
	assert_bytes(spec.data, full.data);
	assert_bytes(spec.key, full.key);
	assert_int_equal(spec.n_headers, 2);
	assert_string_equal(spec.headers[0].name, "trace");
	assert_bytes(spec.headers[0].value, headers[0].value);
	assert_string_equal(spec.headers[1].name, "");
	assert_int_equal(spec.headers[1].value.len, 0);
	assert_int_equal(spec.status, EVH_PENDING);
	assert_int_equal(spec.attempts, 7);
	assert_string_equal(spec.topic, "t");
	assert_int_equal(spec.offset, full.offset);
	assert_int_equal(spec.partition, -1);
	free(back);
	free(bytes.at);
}

static void
each_flipped_bit_is_seen(void **state)
{
	struct spool_bytes bytes = { 0 };

	(void)state;
	assert_int_equal(spool_record_add(&bytes, &full, 1, 40), 0);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		unsigned char *at = &bytes.at[bit / 8];
		struct spool_head head;

		*at ^= (unsigned char)(1u << bit % 8);
		head = spool_record_head(bytes.at);
		assert_true(head.body_len != bytes.len - SPOOL_RECORD_HEAD ||
			    !spool_record_is_whole(bytes.at, &head));
		*at ^= (unsigned char)(1u << bit % 8);
	}
	free(bytes.at);
}

static void
a_body_that_is_too_short_or_too_long_is_none(void **state)
{
	struct spool_bytes bytes = { 0 };
	struct evh_header *back = NULL;
	struct evh_spec spec;
	size_t len;

	(void)state;
	assert_int_equal(spool_record_add(&bytes, &full, 1, 40), 0);
	len = bytes.len - SPOOL_RECORD_HEAD;
	for (size_t n = 0; n < len; n++) {
		/* A copy of just these bytes, for the sanitizer to see. */
		unsigned char *body = malloc(n + 1);

		assert_non_null(body);
		memcpy(body, bytes.at + SPOOL_RECORD_HEAD, n + 1);
		assert_int_equal(spool_record_spec(body, n, &spec, &back),
				 -EBADMSG);
		free(body);
	}
	bytes.at = realloc(bytes.at, bytes.len + 1);
	assert_int_equal(spool_record_spec(bytes.at + SPOOL_RECORD_HEAD,
					   len + 1, &spec, &back),
			 -EBADMSG);
	free(bytes.at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_checksum_is_castagnolis_with_and_without_the_instruction),
		cmocka_unit_test(an_event_comes_back_as_it_was),
		cmocka_unit_test(each_flipped_bit_is_seen),
		cmocka_unit_test(a_body_that_is_too_short_or_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
