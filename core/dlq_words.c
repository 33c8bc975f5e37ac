#include "dlq_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "problems.h"
#include "uuid_text.h"

const char dlq_usage[] =
	"list [--where COND] [--limit N] [--json], show ID... [--bytes], "
	"retry ID...|--all|--where COND [--dry-run] [--rate N/s] "
	"[--max-replays N] [--state FILE] [--pipeline NAME], "
	"discard ID...|--before TIME [--dry-run], stats [--where COND]; "
	"--from INSTANCE";

const char dlq_help[] =
	"evhd dlq: dead letters, from a table or a topic alike\n"
	"\n"
	"  evhd dlq -c FILE list      those that failed last, a line each\n"
	"  evhd dlq -c FILE show ID   all there is of one, its bytes too\n"
	"  evhd dlq -c FILE stats     how many of each stage and error\n"
	"  evhd dlq -c FILE retry ID... | --all | --where COND\n"
	"                             through the pipeline that an ingest "
	"heads,\n"
	"                             once more and under their ids\n"
	"  evhd dlq -c FILE discard ID... | --before TIME\n"
	"                             forget them for good (ID: a table's "
	"only)\n"
	"\n"
	"  --from INSTANCE      whose: the sink or store that keeps them\n"
	"  --where COND,...     all must hold:\n"
	"                         name=user.*       a pattern, * for any text\n"
	"                         stage= type= sqlstate=   the whole word, no "
	"pattern\n"
	"                         text=             stands in the message of "
	"the error;\n"
	"                                           to the end, commas too\n"
	"                         since= before=TIME   when they failed\n"
	"                       Upper and lower case differ.  The data is not "
	"searched.\n"
	"  --json               one object a line\n"
	"  --limit N            list: so many (100)\n"
	"  --bytes              show: the bytes that came, and nothing else\n"
	"  --dry-run            retry, discard: only say what would be done\n"
	"  --rate N/s           retry: at most so many a second (/m, /h)\n"
	"  --max-replays N      retry: none that was retried so often (3)\n"
	"  --state FILE         retry: remember in FILE which are done, and "
	"go\n"
	"                       on from there; what has failed anew since then "
	"is\n"
	"                       another dead letter, and is sent\n"
	"  --pipeline NAME      retry: into this pipeline; a source's runs "
	"here\n"
	"\n"
	"TIME is 2026-11-22T18:56:33Z, or so long ago: 90m, 2h, 3d.\n"
	"Exit codes: 0 all done, 64 command line, 65 some were not, 69 a "
	"server\n"
	"is away, 78 configuration.\n";

static const char *const verbs[] = {
	[DLQ_LIST] = "list",	   [DLQ_SHOW] = "show",	  [DLQ_RETRY] = "retry",
	[DLQ_DISCARD] = "discard", [DLQ_STATS] = "stats",
};

#define BIT(verb) (1u << (verb))
#define EVERY                                                                  \
	(BIT(DLQ_LIST) | BIT(DLQ_SHOW) | BIT(DLQ_RETRY) | BIT(DLQ_DISCARD) |   \
	 BIT(DLQ_STATS))

enum option {
	OPTION_FROM,
	OPTION_WHERE,
	OPTION_LIMIT,
	OPTION_JSON,
	OPTION_BYTES,
	OPTION_ALL,
	OPTION_DRY_RUN,
	OPTION_RATE,
	OPTION_MAX_REPLAYS,
	OPTION_STATE,
	OPTION_PIPELINE,
	OPTION_BEFORE,
	OPTIONS,
};

/* What each is called, behind which words it may stand. */
static const struct {
	const char *name;
	unsigned verbs;
	bool has_value;
} options[OPTIONS] = {
	[OPTION_FROM] = { "--from", EVERY, true },
	[OPTION_WHERE] = { "--where",
			   BIT(DLQ_LIST) | BIT(DLQ_RETRY) | BIT(DLQ_STATS),
			   true },
	[OPTION_LIMIT] = { "--limit", BIT(DLQ_LIST), true },
	[OPTION_JSON] = { "--json", EVERY, false },
	[OPTION_BYTES] = { "--bytes", BIT(DLQ_SHOW), false },
	[OPTION_ALL] = { "--all", BIT(DLQ_RETRY), false },
	[OPTION_DRY_RUN] = { "--dry-run", BIT(DLQ_RETRY) | BIT(DLQ_DISCARD),
			     false },
	[OPTION_RATE] = { "--rate", BIT(DLQ_RETRY), true },
	[OPTION_MAX_REPLAYS] = { "--max-replays", BIT(DLQ_RETRY), true },
	[OPTION_STATE] = { "--state", BIT(DLQ_RETRY), true },
	[OPTION_PIPELINE] = { "--pipeline", BIT(DLQ_RETRY), true },
	[OPTION_BEFORE] = { "--before", BIT(DLQ_DISCARD), true },
};

/* What is known while reading. */
struct reading {
	struct dlq_words *words;
	int64_t now_ns;
	char *why;
	size_t size;
};

#define refuse(r, ...) (snprintf((r)->why, (r)->size, __VA_ARGS__), -EINVAL)

static int
number_read(struct reading *r, const char *option, const char *text,
	    uint32_t min, uint32_t *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n > UINT32_MAX ||
	    n < min)
		return refuse(r,
			      "%s %s: this must be a whole number, %u or "
			      "more",
			      option, text, (unsigned)min);
	*ret = (uint32_t)n;
	return 0;
}

/* "100", "100/s", "30/m", "5/h". */
static int
rate_read(struct reading *r, const char *text)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "", NS_PER_S },
		      { "/s", NS_PER_S },
		      { "/m", 60 * NS_PER_S },
		      { "/h", 3600 * NS_PER_S } };
	char *end = NULL;
	unsigned long n = 0;

	errno = 0;
	if (*text >= '0' && *text <= '9')
		n = strtoul(text, &end, 10);
	for (size_t i = 0; end && !errno && n > 0 && n <= 1000000 &&
			   i < sizeof(units) / sizeof(*units);
	     i++)
		if (strcmp(end, units[i].name) == 0) {
			r->words->pause_ns = units[i].ns / (int64_t)n;
			return 0;
		}
	return refuse(r, "--rate %s: this should be like 50/s, 30/m or 5/h",
		      text);
}

static int
where_read(struct reading *r, const char *text)
{
	r->words->has_where = true;
	return dlq_where_add(&r->words->where, text, r->now_ns, r->why,
			     r->size);
}

static int
before_read(struct reading *r, const char *text)
{
	if (dlq_time_parse(text, r->now_ns, &r->words->before_ns) == 0)
		return 0;
	return refuse(r,
		      "--before %s: a time is written 2026-11-22T18:56:33Z, or "
		      "90m, 2h, 3d for so long ago",
		      text);
}

static int
value_read(struct reading *r, enum option option, const char *value)
{
	struct dlq_words *words = r->words;

	switch (option) {
	case OPTION_FROM:
		words->from = value;
		return 0;
	case OPTION_STATE:
		words->state = value;
		return 0;
	case OPTION_PIPELINE:
		words->pipeline = value;
		return 0;
	case OPTION_WHERE:
		return where_read(r, value);
	case OPTION_LIMIT:
		return number_read(r, "--limit", value, 1, &words->limit);
	case OPTION_RATE:
		return rate_read(r, value);
	case OPTION_MAX_REPLAYS:
		return number_read(r, "--max-replays", value, 1,
				   &words->max_replays);
	case OPTION_BEFORE:
		return before_read(r, value);
	case OPTION_JSON:
	case OPTION_BYTES:
	case OPTION_ALL:
	case OPTION_DRY_RUN:
	case OPTIONS:
		break;
	}
	return -EINVAL;
}

static int
flag_read(struct reading *r, enum option option)
{
	struct dlq_words *words = r->words;

	words->json = words->json || option == OPTION_JSON;
	words->bytes = words->bytes || option == OPTION_BYTES;
	words->all = words->all || option == OPTION_ALL;
	words->dry_run = words->dry_run || option == OPTION_DRY_RUN;
	return 0;
}

static int
option_unknown(struct reading *r, const char *word)
{
	const char *names[OPTIONS + 1];
	const char *nearest;
	size_t n = 0;

	for (int i = 0; i < OPTIONS; i++)
		if (options[i].verbs & BIT(r->words->verb))
			names[n++] = options[i].name;
	names[n] = NULL;
	nearest = problems_nearest(word, names);
	if (nearest)
		return refuse(r, "%s has no %s; did you mean %s?",
			      verbs[r->words->verb], word, nearest);
	return refuse(r, "%s has no %s: %s", verbs[r->words->verb], word,
		      dlq_usage);
}

/* Takes argv[*at], and its value. */
static int
option_take(struct reading *r, int argc, char **argv, int *at)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	for (int i = 0; i < OPTIONS; i++) {
		const char *value = equals ? equals + 1 : NULL;

		if (!(options[i].verbs & BIT(r->words->verb)) ||
		    strlen(options[i].name) != len ||
		    memcmp(options[i].name, word, len) != 0)
			continue;
		if (options[i].has_value && !value && *at + 1 < argc)
			value = argv[++*at];
		if (options[i].has_value && value)
			return value_read(r, (enum option)i, value);
		if (!options[i].has_value && !value)
			return flag_read(r, (enum option)i);
		return refuse(r, "%s %s", options[i].name,
			      value ? "takes no value" : "needs a value");
	}
	return option_unknown(r, word);
}

static int
id_take(struct reading *r, int argc, const char *word)
{
	struct dlq_words *words = r->words;
	const char *why = "";

	if (words->verb == DLQ_LIST || words->verb == DLQ_STATS)
		return refuse(r, "%s takes no \"%s\": %s", verbs[words->verb],
			      word, dlq_usage);
	if (!words->ids) {
		words->ids = calloc((size_t)argc, sizeof(*words->ids));
		if (!words->ids) {
			snprintf(r->why, r->size, "out of memory");
			return -ENOMEM;
		}
	}
	if (uuid_read(word, strlen(word), words->ids[words->n_ids], &why) < 0)
		return refuse(r, "\"%s\" is no id: %s", word, why);
	words->n_ids++;
	return 0;
}

/* What is missing, or said twice. */
static int
words_check(struct reading *r)
{
	const struct dlq_words *words = r->words;
	bool all = words->all || words->has_where;

	switch (words->verb) {
	case DLQ_SHOW:
		if (words->n_ids == 0)
			return refuse(r, "show which? evhd dlq show ID");
		if (words->bytes && (words->n_ids > 1 || words->json))
			return refuse(r, "--bytes shows those of one id alone");
		break;
	case DLQ_RETRY:
		if (all == (words->n_ids > 0))
			return refuse(r, "retry what: ID..., or --all, or "
					 "--where COND?");
		break;
	case DLQ_DISCARD:
		if ((words->before_ns != 0) == (words->n_ids > 0))
			return refuse(r, "discard what: ID..., or --before "
					 "TIME?");
		break;
	case DLQ_LIST:
	case DLQ_STATS:
		break;
	}
	return 0;
}

static int
verb_read(struct reading *r, const char *word)
{
	for (int v = DLQ_LIST; v <= DLQ_STATS; v++)
		if (word && strcmp(word, verbs[v]) == 0) {
			r->words->verb = (enum dlq_verb)v;
			return 0;
		}
	return refuse(r, "dlq what: %s", dlq_usage);
}

int
dlq_words_parse(int argc, char **argv, int64_t now_ns, struct dlq_words *ret,
		char *ret_why, size_t size)
{
	struct reading r = {
		.words = ret, .now_ns = now_ns, .why = ret_why, .size = size
	};
	int rc;

	*ret = (struct dlq_words){ .limit = DLQ_LIST_LIMIT,
				   .max_replays = DLQ_MAX_REPLAYS };
	rc = verb_read(&r, argc > 1 ? argv[1] : NULL);
	for (int i = 2; rc == 0 && i < argc; i++) {
		if (argv[i][0] == '-')
			rc = option_take(&r, argc, argv, &i);
		else if (ret->has_where && strchr(argv[i], '='))
			rc = where_read(&r, argv[i]);
		else
			rc = id_take(&r, argc, argv[i]);
	}
	return rc == 0 ? words_check(&r) : rc;
}

void
dlq_words_fini(struct dlq_words *words)
{
	dlq_where_fini(&words->where);
	free(words->ids);
	words->ids = NULL;
}
