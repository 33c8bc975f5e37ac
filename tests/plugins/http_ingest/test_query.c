/* What a list may ask for, and each mistake in it. */
#include "query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct query
read_well(const char *raw)
{
	struct query query;
	struct text text = { 0 };

	assert_int_equal(query_read(raw, strlen(raw), &query, &text), 0);
	assert_int_equal(text.len, 0);
	text_fini(&text);
	return query;
}

static void
refuses(const char *raw, const char *detail)
{
	struct query query;
	struct text text = { 0 };

	assert_int_equal(query_read(raw, strlen(raw), &query, &text), -EINVAL);
	text_add(&text, "", 1);
	assert_string_equal(text.at, detail);
	text_fini(&text);
}

static void
nothing_asked_is_the_first_hundred(void **state)
{
	struct query query = read_well("");

	(void)state;
	assert_int_equal(query.limit, 100);
	assert_int_equal(query.offset, 0);
	assert_int_equal(query.status, 0);
	assert_false(query.has_name);
}

static void
parameters_are_decoded(void **state)
{
	struct query query = read_well("st%61tus=failed&name=a%2Eb+c%2b%C3%A9&"
				       "limit=1000&offset=%31");

	(void)state;
	assert_int_equal(query.status, EVH_FAILED);
	assert_true(query.has_name);
	assert_string_equal(query.name, "a.b c+\xc3\xa9");
	assert_int_equal(query.limit, 1000);
	assert_int_equal(query.offset, 1);
	assert_string_equal(read_well("name=100%").name, "100%");
	assert_string_equal(read_well("name=%zz%4").name, "%zz%4");
	assert_string_equal(read_well("name=%ff").name, "\xef\xbf\xbd");
	assert_true(read_well("name=").has_name);
}

static void
of_a_repeated_parameter_the_last_counts(void **state)
{
	(void)state;
	assert_int_equal(read_well("limit=x&&limit=5").limit, 5);
	assert_int_equal(read_well("limit= 7 &").limit, 7);
	assert_int_equal(read_well("limit=%2B7").limit, 7);
}

#define INT_PARSING(name, input)                                               \
	"{\"type\":\"int_parsing\",\"loc\":[\"query\",\"" name "\"],"          \
	"\"msg\":\"Input should be a valid integer, unable to parse string "   \
	"as an integer\",\"input\":\"" input "\"}"
#define GE(name, n, input)                                                     \
	"{\"type\":\"greater_than_equal\",\"loc\":[\"query\",\"" name "\"],"   \
	"\"msg\":\"Input should be greater than or equal to " n "\","          \
	"\"input\":\"" input "\",\"ctx\":{\"ge\":" n "}}"
#define LE(name, n, input)                                                     \
	"{\"type\":\"less_than_equal\",\"loc\":[\"query\",\"" name "\"],"      \
	"\"msg\":\"Input should be less than or equal to " n "\","             \
	"\"input\":\"" input "\",\"ctx\":{\"le\":" n "}}"
#define STATUS(input)                                                          \
	"{\"type\":\"enum\",\"loc\":[\"query\",\"status\"],"                   \
	"\"msg\":\"Input should be 'pending', 'processed', 'failed' or "       \
	"'dropped'\",\"input\":\"" input "\",\"ctx\":{\"expected\":"           \
	"\"'pending', 'processed', 'failed' or 'dropped'\"}}"
#define EXTRA(name, input)                                                     \
	"{\"type\":\"extra_forbidden\",\"loc\":[\"query\",\"" name "\"],"      \
	"\"msg\":\"Extra inputs are not permitted\",\"input\":\"" input "\"}"
#define DETAIL(items) "{\"detail\":[" items "]}"

static void
each_mistake_has_its_item(void **state)
{
	(void)state;
	refuses("limit=x", DETAIL(INT_PARSING("limit", "x")));
	refuses("limit=", DETAIL(INT_PARSING("limit", "")));
	refuses("limit=1.5", DETAIL(INT_PARSING("limit", "1.5")));
	refuses("limit=0", DETAIL(GE("limit", "1", "0")));
	refuses("limit=-1", DETAIL(GE("limit", "1", "-1")));
	refuses("limit=1001", DETAIL(LE("limit", "1000", "1001")));
	refuses("limit=99999999999999999999999",
		DETAIL(LE("limit", "1000", "99999999999999999999999")));
	refuses("offset=-1", DETAIL(GE("offset", "0", "-1")));
	refuses("offset=100001", DETAIL(LE("offset", "100000", "100001")));
	refuses("status=Failed", DETAIL(STATUS("Failed")));
	refuses("status=", DETAIL(STATUS("")));
	refuses("cursor=%22", DETAIL(EXTRA("cursor", "\\\"")));
	refuses("name=%00",
		DETAIL("{\"type\":\"value_error\",\"loc\":[\"query\",\"name\"],"
		       "\"msg\":\"Value error, name must not contain control "
		       "characters\",\"input\":\"\\u0000\","
		       "\"ctx\":{\"error\":{}}}"));
}

static void
every_mistake_is_told_at_once(void **state)
{
	(void)state;
	refuses("y=1&offset=x&limit=0&status=a&x",
		DETAIL(STATUS("a") "," GE("limit", "1", "0") "," INT_PARSING(
			"offset", "x") "," EXTRA("y", "1") "," EXTRA("x", "")));
}

static void
verbose_is_there_or_not(void **state)
{
	(void)state;
	assert_true(query_has("verbose", 7, "verbose"));
	assert_true(query_has("a=1&verbose=0", 13, "verbose"));
	assert_false(query_has("verbosex", 8, "verbose"));
	assert_false(query_has("", 0, "verbose"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_is_the_first_hundred),
		cmocka_unit_test(parameters_are_decoded),
		cmocka_unit_test(of_a_repeated_parameter_the_last_counts),
		cmocka_unit_test(each_mistake_has_its_item),
		cmocka_unit_test(every_mistake_is_told_at_once),
		cmocka_unit_test(verbose_is_there_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
