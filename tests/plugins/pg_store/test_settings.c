#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "deadline.h"
#include "fake_ctx.h"
#include "resolve.h"
#include "settings.h"
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
setup(void **state)
{
	static struct fake_ctx fake;

	fake_ctx_init(&fake);
	fake_ctx_set(&fake, "host", "pg.example");
	fake_ctx_set(&fake, "user", "me");
	fake_ctx_set(&fake, "password", "s3cret");
	fake_ctx_set(&fake, "dbname", "events");
	*state = &fake;
	return 0;
}

static int
teardown(void **state)
{
	fake_ctx_fini(*state);
	return 0;
}

/* The value that libpq would take: the last one of a keyword. */
static const char *
value_of(const struct settings *settings, const char *keyword)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < settings->n_conninfo; i++)
		if (!strcmp(settings->keywords[i], keyword))
			value = settings->values[i];
	return value;
}

static void
options_become_conninfo(void **state)
{
	static const char *const rows[][2] = {
		{ "host", "pg.example" },
		{ "port", "5432" },
		{ "user", "me" },
		{ "password", "s3cret" },
		{ "dbname", "events" },
		{ "sslmode", "prefer" },
		{ "client_encoding", "UTF8" },
		{ "application_name", "evhd/events" },
		{ "gssencmode", "disable" },
		{ "tcp_user_timeout", "10000" },
	};
	struct settings settings;
	size_t i;

	assert_int_equal(settings_init(&settings, *state), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(value_of(&settings, rows[i][0]),
				    rows[i][1]);
	assert_int_equal(settings.write_timeout_ms, 30000);
	assert_int_equal(settings.writers, 1);
	assert_int_equal(settings.batch_rows, 5000);
	assert_null(settings.migrations);
}

/* The arrays of writers.h have room for no more. */
static void
there_is_one_writer_at_least_and_sixteen_at_most(void **state)
{
	static const struct {
		const char *value;
		int rc;
	} rows[] = {
		{ "0", -EINVAL },  { "1", 0 },	      { "16", 0 },
		{ "17", -EINVAL }, { "-1", -EINVAL }, { "two", -EINVAL },
	};
	const struct evh_option *option = settings_options;
	int64_t number = 0, most = 0;
	char *why = NULL;
	size_t i;

	(void)state;
	while (strcmp(option->name, "writers"))
		option++;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (value_check(option, rows[i].value, &number, &why) !=
		    rows[i].rc)
			fail_msg("writers = %s", rows[i].value);
		if (number > most)
			most = number;
		free(why);
		why = NULL;
	}
	assert_int_equal(most, SETTINGS_WRITERS);
}

static void
a_setting_of_pq_counts_over_ours(void **state)
{
	struct settings settings;

	fake_ctx_set(*state, "pq.tcp_user_timeout", "77");
	fake_ctx_set(*state, "pq.sslrootcert", "ca.pem");
	assert_int_equal(settings_init(&settings, *state), 0);
	assert_string_equal(value_of(&settings, "tcp_user_timeout"), "77");
	assert_string_equal(value_of(&settings, "sslrootcert"), "ca.pem");
}

static void
an_unknown_setting_of_pq_is_refused_by_name(void **state)
{
	struct settings settings;

	fake_ctx_set(*state, "pq.sslrotcert", "ca.pem");
	assert_int_equal(settings_init(&settings, *state), -EINVAL);
	assert_true(fake_ctx_logged(*state,
				    "pq.sslrotcert is no keyword of libpq"));
}

static void
what_has_an_option_is_refused_as_pq(void **state)
{
	struct settings settings;

	fake_ctx_set(*state, "pq.password", "x");
	assert_int_equal(settings_init(&settings, *state), -EINVAL);
	assert_true(fake_ctx_logged(*state, "pq.password is not for here"));
}

static void
outside_of_docker_the_way_to_the_container_is_named(void **state)
{
	struct settings settings;
	char text[400];

	fake_ctx_set(*state, "out_port", "1234");
	assert_int_equal(settings_init(&settings, *state), 0);
	settings_explain_host(&settings, "postgres", "unknown", text,
			      sizeof(text));
	assert_non_null(strstr(text, "localhost:1234"));
	assert_non_null(
		strstr(text, "EVENT_HANDLER_SERVICE_POSTGRES_OUT_PORT"));
}

static void
a_name_that_is_no_containers_gets_no_hint(void **state)
{
	struct settings settings;
	char text[400];

	assert_int_equal(settings_init(&settings, *state), 0);
	settings_explain_host(&settings, "no.such.host", "unknown", text,
			      sizeof(text));
	assert_string_equal(text,
			    "host \"no.such.host\" does not resolve: unknown");
}

static void
in_docker_it_is_not(void **state)
{
	struct settings settings;
	char text[400];

	fake_ctx_set(*state, "is_docker", "yes");
	assert_int_equal(settings_init(&settings, *state), 0);
	settings_explain_host(&settings, "postgres", "unknown", text,
			      sizeof(text));
	assert_string_equal(text,
			    "host \"postgres\" does not resolve: unknown");
}

static void
hosts_resolve_to_lists_of_one_length(void **state)
{
	static const struct {
		const char *hosts, *ret_hosts, *ret_addresses;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", "127.0.0.1" },
		{ "::1", "::1", "::1" },
		{ "/run/postgresql", "/run/postgresql", "" },
		{ "127.0.0.1,/tmp,127.0.0.2", "127.0.0.1,/tmp,127.0.0.2",
		  "127.0.0.1,,127.0.0.2" },
	};
	struct resolved resolved;
	const char *why;
	char host[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(resolve(rows[i].hosts, deadline_in(60000), -1,
					 &resolved, &why, host, sizeof(host)),
				 0);
		assert_string_equal(resolved.hosts, rows[i].ret_hosts);
		assert_string_equal(resolved.addresses, rows[i].ret_addresses);
	}
}

static void
localhost_is_looked_up(void **state)
{
	struct resolved resolved;
	const char *why;
	char host[64];

	(void)state;
	assert_int_equal(resolve("localhost", deadline_in(60000), -1, &resolved,
				 &why, host, sizeof(host)),
			 0);
	assert_non_null(strstr(resolved.addresses, "127.0.0.1"));
}

static void
a_host_that_is_none_is_named(void **state)
{
	struct resolved resolved;
	const char *why = NULL;
	char host[64];

	(void)state;
	/* Longer than a label may be: no name server is asked. */
	assert_int_equal(resolve("127.0.0.1,"
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid",
				 deadline_in(60000), -1, &resolved, &why, host,
				 sizeof(host)),
			 -EHOSTUNREACH);
	assert_non_null(why);
	assert_int_equal(strncmp(host, "aaaa", 4), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(options_become_conninfo),
		cmocka_unit_test(
			there_is_one_writer_at_least_and_sixteen_at_most),
		TEST(a_setting_of_pq_counts_over_ours),
		TEST(an_unknown_setting_of_pq_is_refused_by_name),
		TEST(what_has_an_option_is_refused_as_pq),
		TEST(outside_of_docker_the_way_to_the_container_is_named),
		TEST(a_name_that_is_no_containers_gets_no_hint),
		TEST(in_docker_it_is_not),
		cmocka_unit_test(hosts_resolve_to_lists_of_one_length),
		cmocka_unit_test(localhost_is_looked_up),
		cmocka_unit_test(a_host_that_is_none_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
