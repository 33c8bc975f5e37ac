/*
 * test_dlq_words.c - what may stand behind `evhd dlq`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dlq_words.h"

#define ID_A	"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4e"
#define ID_B	"019aad2c-6c1e-7b3a-9d5e-0f4c1b2a3d4f"
#define NOW_NS	INT64_C(1800000000000000000)
#define SECOND	INT64_C(1000000000)
#define N_WORDS 12

struct said {
	struct dlq_words words;
	char why[640];
	int rc;
};

/* Parses "dlq" and these words. */
static void
parse(struct said *said, const char *const *words)
{
	char *argv[N_WORDS + 2] = { (char *)(uintptr_t) "dlq" };
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	said->why[0] = '\0';
	said->rc = dlq_words_parse(argc, argv, NOW_NS, &said->words, said->why,
				   sizeof(said->why));
}

#define parsed(said, ...)                                                      \
	do {                                                                   \
		static const char *const list[] = { __VA_ARGS__, NULL };       \
                                                                               \
		parse(said, list);                                             \
		if ((said)->rc != 0)                                           \
			fail_msg("refused: %s", (said)->why);                  \
	} while (0)

#define refused(text, ...)                                                     \
	do {                                                                   \
		static const char *const list[] = { __VA_ARGS__, NULL };       \
		struct said other;                                             \
                                                                               \
		parse(&other, list);                                           \
		dlq_words_fini(&other.words);                                  \
		assert_true(other.rc < 0);                                     \
		if (!strstr(other.why, text))                                  \
			fail_msg("it says \"%s\"", other.why);                 \
	} while (0)

static void
each_word_is_known_with_its_options(void **state)
{
	struct said said;

	(void)state;
	parsed(&said, "list");
	assert_int_equal(said.words.verb, DLQ_LIST);
	assert_int_equal(said.words.limit, DLQ_LIST_LIMIT);
	dlq_words_fini(&said.words);
	parsed(&said, "list", "--limit", "5", "--json", "--from=dlq");
	assert_int_equal(said.words.limit, 5);
	assert_true(said.words.json);
	assert_string_equal(said.words.from, "dlq");
	dlq_words_fini(&said.words);
	parsed(&said, "show", ID_A, ID_B);
	assert_int_equal(said.words.verb, DLQ_SHOW);
	assert_int_equal(said.words.n_ids, 2);
	assert_int_equal(said.words.ids[1][15], 0x4f);
	dlq_words_fini(&said.words);
	parsed(&said, "retry", "--all", "--dry-run", "--max-replays", "7",
	       "--state", "f", "--pipeline", "p");
	assert_int_equal(said.words.verb, DLQ_RETRY);
	assert_true(said.words.all && said.words.dry_run);
	assert_int_equal(said.words.max_replays, 7);
	assert_string_equal(said.words.state, "f");
	assert_string_equal(said.words.pipeline, "p");
	dlq_words_fini(&said.words);
	parsed(&said, "discard", "--before", "2h");
	assert_true(said.words.before_ns == NOW_NS - 7200 * SECOND);
	dlq_words_fini(&said.words);
	parsed(&said, "stats", "--where", "stage=s");
	assert_int_equal(said.words.verb, DLQ_STATS);
	dlq_words_fini(&said.words);
}

static void
a_rate_is_so_many_a_second_minute_or_hour(void **state)
{
	struct said said;

	(void)state;
	parsed(&said, "retry", "--all", "--rate", "50/s");
	assert_true(said.words.pause_ns == SECOND / 50);
	dlq_words_fini(&said.words);
	parsed(&said, "retry", "--all", "--rate", "50");
	assert_true(said.words.pause_ns == SECOND / 50);
	dlq_words_fini(&said.words);
	parsed(&said, "retry", "--all", "--rate=30/m");
	assert_true(said.words.pause_ns == 2 * SECOND);
	dlq_words_fini(&said.words);
	refused("--rate 0/s", "retry", "--all", "--rate", "0/s");
	refused("--rate -1", "retry", "--all", "--rate", "-1");
	refused("--rate 5/d", "retry", "--all", "--rate", "5/d");
	refused("--rate 99999999999999999999", "retry", "--all", "--rate",
		"99999999999999999999");
}

static void
conditions_are_all_to_hold(void **state)
{
	const struct evh_dead_query *q;
	struct said said;

	(void)state;
	parsed(&said, "list", "--where", "name=user.*,stage=welcome",
	       "type=handler", "--where", "sqlstate=22P05,since=90m",
	       "before=2026-11-22T18:56:33Z", "text=a, b=c");
	q = &said.words.where.query;
	assert_string_equal(q->name, "user.*");
	assert_string_equal(q->stage, "welcome");
	assert_string_equal(q->type, "handler");
	assert_string_equal(q->sqlstate, "22P05");
	assert_string_equal(q->text, "a, b=c");
	assert_true(q->since_ns == NOW_NS - 5400 * SECOND);
	assert_true(q->before_ns == INT64_C(1795373793) * SECOND);
	dlq_words_fini(&said.words);
}

static void
what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
	(void)state;
	refused("dlq what", "lst");
	refused("did you mean --limit?", "list", "--limt", "3");
	refused("this must be a whole number", "list", "--limit", "0");
	refused("this must be a whole number", "list", "--limit", "3x");
	refused("list has no --all", "list", "--all");
	refused("list takes no", "list", ID_A);
	refused("--limit needs a value", "list", "--limit");
	refused("--json takes no value", "list", "--json=yes");
	refused("did you mean \"stage\"", "list", "--where", "stag=x");
	refused("name= is said twice", "list", "--where", "name=a,name=b");
	refused("stage= what", "list", "--where", "stage=");
	refused("is no condition", "list", "--where", "name=a,,stage=b");
	refused("is no condition", "list", "--where", "name");
	refused("a time is written", "list", "--where", "since=yesterday");
	refused("a time is written", "list", "--where", "since=5");
	refused("a time is written", "discard", "--before", "2026-13-01");
	refused("show which", "show");
	refused("is no id", "show", "7");
	refused("--bytes", "show", ID_A, ID_B, "--bytes");
	refused("retry what", "retry");
	refused("retry what", "retry", ID_A, "--all");
	refused("discard what", "discard");
	refused("discard what", "discard", ID_A, "--before", "2h");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_is_known_with_its_options),
		cmocka_unit_test(a_rate_is_so_many_a_second_minute_or_hour),
		cmocka_unit_test(conditions_are_all_to_hold),
		cmocka_unit_test(
			what_makes_no_sense_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests_name("dlq_words", tests, NULL, NULL);
}
