/*
 * test_layout.c - where every member of the public structs lies, on x86-64.
 *
 * A plugin that was compiled yesterday reads its members there tomorrow.  A
 * member added at the end of a struct adds a line here; a line that has to
 * change is a new EVH_ABI.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <evh/plugin.h>
#include <evh/services.h>

/* One fact a line, so that each is looked at by itself. */
/* clang-format off */
#define SIZE(type, n)		{ #type, sizeof(type), n }
#define MEMBER(type, member, n)	{ #type "." #member, offsetof(type, member), n }
#define VALUE(name, n)		{ #name, name, n }

static const struct fact {
	const char *what;
	size_t is, must_be;
} layout[] = {
	SIZE(struct evh_bytes, 16),
	MEMBER(struct evh_bytes, data, 0),
	MEMBER(struct evh_bytes, len, 8),
	SIZE(struct evh_header, 24),
	MEMBER(struct evh_header, name, 0),
	MEMBER(struct evh_header, value, 8),
	SIZE(struct evh_event, 136),
	MEMBER(struct evh_event, id, 0),
	MEMBER(struct evh_event, created_ns, 16),
	MEMBER(struct evh_event, name, 24),
	MEMBER(struct evh_event, data, 32),
	MEMBER(struct evh_event, key, 48),
	MEMBER(struct evh_event, headers, 64),
	MEMBER(struct evh_event, n_headers, 72),
	MEMBER(struct evh_event, status, 76),
	MEMBER(struct evh_event, error, 80),
	MEMBER(struct evh_event, topic, 88),
	MEMBER(struct evh_event, offset, 96),
	MEMBER(struct evh_event, partition, 104),
	MEMBER(struct evh_event, attempt, 108),
	MEMBER(struct evh_event, attempts, 112),
	MEMBER(struct evh_event, cookie, 120),
	MEMBER(struct evh_event, is_spooled, 128),
	SIZE(struct evh_spec, 128),
	MEMBER(struct evh_spec, id, 0),
	MEMBER(struct evh_spec, created_ns, 8),
	MEMBER(struct evh_spec, name, 16),
	MEMBER(struct evh_spec, data, 24),
	MEMBER(struct evh_spec, key, 40),
	MEMBER(struct evh_spec, headers, 56),
	MEMBER(struct evh_spec, n_headers, 64),
	MEMBER(struct evh_spec, status, 68),
	MEMBER(struct evh_spec, attempts, 72),
	MEMBER(struct evh_spec, topic, 80),
	MEMBER(struct evh_spec, offset, 88),
	MEMBER(struct evh_spec, partition, 96),
	MEMBER(struct evh_spec, cookie, 104),
	MEMBER(struct evh_spec, release, 112),
	MEMBER(struct evh_spec, release_arg, 120),
	SIZE(struct evh_ctx, 176),
	MEMBER(struct evh_ctx, size, 0),
	MEMBER(struct evh_ctx, event_size, 4),
	MEMBER(struct evh_ctx, name, 8),
	MEMBER(struct evh_ctx, opt_str, 16),
	MEMBER(struct evh_ctx, opt_int, 24),
	MEMBER(struct evh_ctx, opt_at, 32),
	MEMBER(struct evh_ctx, log, 40),
	MEMBER(struct evh_ctx, metric, 48),
	MEMBER(struct evh_ctx, record, 56),
	MEMBER(struct evh_ctx, ready, 64),
	MEMBER(struct evh_ctx, fatal, 72),
	MEMBER(struct evh_ctx, every, 80),
	MEMBER(struct evh_ctx, event_new, 88),
	MEMBER(struct evh_ctx, event_free, 96),
	MEMBER(struct evh_ctx, event_alloc, 104),
	MEMBER(struct evh_ctx, set_data, 112),
	MEMBER(struct evh_ctx, set_key, 120),
	MEMBER(struct evh_ctx, set_header, 128),
	MEMBER(struct evh_ctx, set_error, 136),
	MEMBER(struct evh_ctx, emit, 144),
	MEMBER(struct evh_ctx, done, 152),
	MEMBER(struct evh_ctx, resume, 160),
	MEMBER(struct evh_ctx, service, 168),
	SIZE(struct evh_option, 40),
	MEMBER(struct evh_option, name, 0),
	MEMBER(struct evh_option, type, 8),
	MEMBER(struct evh_option, def, 16),
	MEMBER(struct evh_option, help, 24),
	MEMBER(struct evh_option, values, 32),
	SIZE(struct evh_command, 24),
	MEMBER(struct evh_command, name, 0),
	MEMBER(struct evh_command, usage, 8),
	MEMBER(struct evh_command, run, 16),
	SIZE(struct evh_plugin, 152),
	MEMBER(struct evh_plugin, abi, 0),
	MEMBER(struct evh_plugin, size, 4),
	MEMBER(struct evh_plugin, spec_size, 8),
	MEMBER(struct evh_plugin, option_size, 12),
	MEMBER(struct evh_plugin, command_size, 16),
	MEMBER(struct evh_plugin, kind, 20),
	MEMBER(struct evh_plugin, threads, 24),
	MEMBER(struct evh_plugin, name, 32),
	MEMBER(struct evh_plugin, version, 40),
	MEMBER(struct evh_plugin, summary, 48),
	MEMBER(struct evh_plugin, options, 56),
	MEMBER(struct evh_plugin, commands, 64),
	MEMBER(struct evh_plugin, create, 72),
	MEMBER(struct evh_plugin, start, 80),
	MEMBER(struct evh_plugin, drain, 88),
	MEMBER(struct evh_plugin, flush, 96),
	MEMBER(struct evh_plugin, stop, 104),
	MEMBER(struct evh_plugin, destroy, 112),
	MEMBER(struct evh_plugin, done, 120),
	MEMBER(struct evh_plugin, process, 128),
	MEMBER(struct evh_plugin, submit, 136),
	MEMBER(struct evh_plugin, service, 144),
	SIZE(struct evh_host, 24),
	MEMBER(struct evh_host, self, 0),
	MEMBER(struct evh_host, state, 8),
	MEMBER(struct evh_host, metrics, 16),
	SIZE(struct evh_row, 104),
	MEMBER(struct evh_row, id, 0),
	MEMBER(struct evh_row, name, 16),
	MEMBER(struct evh_row, data, 24),
	MEMBER(struct evh_row, raw, 40),
	MEMBER(struct evh_row, status, 44),
	MEMBER(struct evh_row, attempts, 48),
	MEMBER(struct evh_row, error, 56),
	MEMBER(struct evh_row, created_ns, 64),
	MEMBER(struct evh_row, processed_ns, 72),
	MEMBER(struct evh_row, topic, 80),
	MEMBER(struct evh_row, offset, 88),
	MEMBER(struct evh_row, partition, 96),
	SIZE(struct evh_query, 40),
	MEMBER(struct evh_query, status, 0),
	MEMBER(struct evh_query, name, 8),
	MEMBER(struct evh_query, before_id, 16),
	MEMBER(struct evh_query, limit, 24),
	MEMBER(struct evh_query, offset, 28),
	MEMBER(struct evh_query, want_total, 32),
	SIZE(struct evh_store, 24),
	MEMBER(struct evh_store, self, 0),
	MEMBER(struct evh_store, get, 8),
	MEMBER(struct evh_store, find, 16),
};

static const struct fact enums[] = {
	VALUE(EVH_PENDING, 1), VALUE(EVH_PROCESSED, 2),
	VALUE(EVH_FAILED, 3), VALUE(EVH_DROPPED, 4),
	VALUE(EVH_OK, 1), VALUE(EVH_DROP, 2), VALUE(EVH_RETRY, 3),
	VALUE(EVH_FAIL, 4), VALUE(EVH_HOLD, 5),
	VALUE(EVH_DEBUG, 1), VALUE(EVH_INFO, 2), VALUE(EVH_WARN, 3),
	VALUE(EVH_ERROR, 4),
	VALUE(EVH_COUNTER, 1), VALUE(EVH_GAUGE, 2), VALUE(EVH_HISTOGRAM, 3),
	VALUE(EVH_SOURCE, 1), VALUE(EVH_HANDLER, 2), VALUE(EVH_SINK, 3),
	VALUE(EVH_SERVICE, 4),
	VALUE(EVH_SERIAL, 1), VALUE(EVH_PARALLEL, 2),
	VALUE(EVH_STR, 1), VALUE(EVH_INT, 2), VALUE(EVH_BOOL, 3),
	VALUE(EVH_SIZE, 4), VALUE(EVH_MSEC, 5), VALUE(EVH_SECRET, 6),
	VALUE(EVH_LIST, 7), VALUE(EVH_MAP, 8), VALUE(EVH_INSTANCE, 9),
	VALUE(EVH_ABI, 1),
};
/* clang-format on */

static void
facts_check(const struct fact *facts, size_t n)
{
	size_t n_wrong = 0;

	for (size_t i = 0; i < n; i++)
		if (facts[i].is != facts[i].must_be) {
			print_error("%s is %zu, and was %zu\n", facts[i].what,
				    facts[i].is, facts[i].must_be);
			n_wrong++;
		}
	assert_int_equal(n_wrong, 0);
}

static void
no_member_has_moved(void **state)
{
	(void)state;
#if !defined(__x86_64__)
	skip(); /* the numbers are those of x86-64 */
#endif
	facts_check(layout, sizeof(layout) / sizeof(*layout));
}

static void
no_enum_has_another_value(void **state)
{
	(void)state;
	facts_check(enums, sizeof(enums) / sizeof(*enums));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_member_has_moved),
		cmocka_unit_test(no_enum_has_another_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
