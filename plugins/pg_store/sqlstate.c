#include "sqlstate.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct rule {
	const char *prefix; /* of the SQLSTATE; the first that fits holds */
	enum sqlstate_policy policy;
	const char *sentence; /* of SQLSTATE_ROW */
};

static const struct rule rules[] = {
	/* Two statements were in each other's way, or one took too long. */
	{ "40", SQLSTATE_AGAIN, NULL },	   /* serialization, deadlock */
	{ "55P03", SQLSTATE_AGAIN, NULL }, /* lock_timeout */
	{ "57014", SQLSTATE_AGAIN, NULL }, /* statement_timeout, cancelled */

	{ "08", SQLSTATE_AWAY, NULL },	  /* connection */
	{ "25", SQLSTATE_AWAY, NULL },	  /* read only: it was demoted */
	{ "26000", SQLSTATE_AWAY, NULL }, /* the prepared statement is gone */
	{ "53", SQLSTATE_AWAY, NULL },	  /* disk, memory, connections full */
	{ "55", SQLSTATE_AWAY, NULL },	  /* object in use */
	{ "57", SQLSTATE_AWAY, NULL },	  /* shut down, crashed, starting */
	{ "58", SQLSTATE_AWAY, NULL },	  /* system, I/O */
	{ "XX", SQLSTATE_AWAY, NULL },	  /* internal */

	{ "0A", SQLSTATE_CONFIG, NULL }, /* not supported by this server */
	{ "28", SQLSTATE_CONFIG, NULL }, /* authorization */
	{ "3D", SQLSTATE_CONFIG, NULL }, /* no such database */
	{ "3F", SQLSTATE_CONFIG, NULL }, /* no such schema */
	{ "42", SQLSTATE_CONFIG, NULL }, /* table, column, permission */

	/* Two rows of one statement for one id: halving parts them. */
	{ "21000", SQLSTATE_ROW, "two rows of one statement have the same id" },
	{ "22001", SQLSTATE_ROW, "a value is longer than its column" },
	{ "22003", SQLSTATE_ROW, "a number is out of its column's range" },
	{ "22008", SQLSTATE_ROW, "a time is out of range" },
	{ "22021", SQLSTATE_ROW, "a text is no UTF-8, or has a NUL in it" },
	{ "22P02", SQLSTATE_ROW, "data is no JSON to PostgreSQL" },
	{ "22P03", SQLSTATE_ROW, "a value is malformed" },
	{ "22P05", SQLSTATE_ROW, "a character has no equivalent" },
	{ "22", SQLSTATE_ROW, "a value is none of its column's type" },
	{ "23502", SQLSTATE_ROW, "a value is missing" },
	{ "23503", SQLSTATE_ROW, "it refers to a row that is not there" },
	{ "23505", SQLSTATE_ROW, "another row has the same unique value" },
	{ "23514", SQLSTATE_ROW, "a check of the table refuses it" },
	{ "23", SQLSTATE_ROW, "a constraint of the table refuses it" },
	{ "44", SQLSTATE_ROW, "the view's check option refuses it" },
	{ "54", SQLSTATE_ROW, "it is beyond a limit of PostgreSQL" },
	{ "P0001", SQLSTATE_ROW, "a trigger of the table refuses it" },
};

static const struct rule *
rule_find(const char *sqlstate)
{
	size_t i;

	if (!sqlstate || strlen(sqlstate) != 5)
		return NULL;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strncmp(rules[i].prefix, sqlstate,
			     strlen(rules[i].prefix)))
			return &rules[i];
	return NULL;
}

enum sqlstate_policy
sqlstate_policy(const char *sqlstate)
{
	const struct rule *rule = rule_find(sqlstate);

	return rule ? rule->policy : SQLSTATE_AWAY;
}

const char *
sqlstate_sentence(const char *sqlstate)
{
	const struct rule *rule = rule_find(sqlstate);

	return rule && rule->sentence ? rule->sentence
				      : "PostgreSQL refuses the row";
}

/* ^(21000|22001|...): no other rule's prefix begins with one of these. */
void
sqlstate_row_pattern(char ret[SQLSTATE_PATTERN_MAX])
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].policy != SQLSTATE_ROW)
			continue;
		len += (size_t)snprintf(ret + len, SQLSTATE_PATTERN_MAX - len,
					"%s%s", len ? "|" : "^(",
					rules[i].prefix);
		assert(len < SQLSTATE_PATTERN_MAX - 1);
	}
	snprintf(ret + len, SQLSTATE_PATTERN_MAX - len, ")");
}
