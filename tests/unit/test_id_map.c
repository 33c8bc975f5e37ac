/*
 * test_id_map.c - a number for each of many ids.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "id_map.h"

#define MANY 20000

static void
id_of(uint32_t i, unsigned char ret[16])
{
	memset(ret, 0, 16);
	memcpy(ret + 12, &i, sizeof(i));
}

static void
each_of_many_ids_has_the_number_it_was_given_last(void **state)
{
	struct id_map map;
	unsigned char id[16];
	uint64_t value;

	(void)state;
	id_map_init(&map, MANY);
	id_of(0, id);
	assert_false(id_map_get(&map, id, &value));
	for (uint32_t i = 0; i < MANY; i++) {
		id_of(i, id);
		assert_int_equal(id_map_put(&map, id, i), 0);
	}
	for (uint32_t i = 0; i < MANY; i += 2) {
		id_of(i, id);
		assert_int_equal(id_map_put(&map, id, i + 1000000), 0);
	}
	assert_int_equal(map.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		id_of(i, id);
		assert_true(id_map_get(&map, id, &value));
		assert_int_equal(value, i % 2 ? i : i + 1000000);
	}
	id_of(MANY, id);
	assert_false(id_map_get(&map, id, &value));
	id_map_fini(&map);
}

static void
beyond_its_bound_it_takes_no_new_ones(void **state)
{
	struct id_map map;
	unsigned char id[16];

	(void)state;
	id_map_init(&map, 2);
	for (uint32_t i = 0; i < 2; i++) {
		id_of(i, id);
		assert_int_equal(id_map_put(&map, id, i), 0);
	}
	assert_int_equal(id_map_put(&map, id, 7), 0);
	id_of(2, id);
	assert_int_equal(id_map_put(&map, id, 2), -E2BIG);
	id_map_fini(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_of_many_ids_has_the_number_it_was_given_last),
		cmocka_unit_test(beyond_its_bound_it_takes_no_new_ones),
	};

	return cmocka_run_group_tests_name("id_map", tests, NULL, NULL);
}
