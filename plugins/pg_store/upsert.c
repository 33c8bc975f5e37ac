#include "upsert.h"

#include "sqlstate.h"

#include <assert.h>
#include <stdio.h>

/* What a row that is there gets of NEW; what stays is what was first written,
 * and the place in the topic is added when it is known. */
#define CHANGE(NEW)                                                            \
	" status = " NEW ".status, error = " NEW ".error,"                     \
	" attempts = GREATEST(e.attempts, " NEW ".attempts),"                  \
	" processed_at = " NEW ".processed_at,"                                \
	" kafka_topic = COALESCE(" NEW ".kafka_topic, e.kafka_topic),"         \
	" kafka_partition ="                                                   \
	" COALESCE(" NEW ".kafka_partition, e.kafka_partition),"               \
	" kafka_offset = COALESCE(" NEW ".kafka_offset, e.kafka_offset)"

/* A row that is in neither state is never written again. */
#define OPEN "('pending', 'failed')"

/* And when. */
#define MAY_CHANGE(NEW)                                                        \
	" CASE " NEW ".status"                                                 \
	" WHEN 'pending' THEN"                                                 \
	" e.status = 'failed' AND e.attempts = " NEW ".attempts"               \
	" WHEN 'failed' THEN"                                                  \
	" e.status IN " OPEN " AND e.attempts < " NEW ".attempts"              \
	" ELSE e.status IN " OPEN " END"

/* The parameters' first seven.  OF is what of the arrays is taken, "" or a
 * slice. */
#define OUTCOME_ARRAYS(OF)                                                     \
	"$1" OF "::uuid[], $2" OF "::text[], $3" OF "::text[],"                \
	" $4" OF "::int4[], $5" OF "::text[], $6" OF "::int4[],"               \
	" $7" OF "::int8[]"
#define OUTCOME	     "id, status, error, attempts, topic, part, pos"
#define PROCESSED_AT "CASE WHEN status <> 'pending' THEN now() END"

#define UPSERT(OF)                                                             \
	"INSERT INTO events AS e (id, status, error, attempts, processed_at,"  \
	" kafka_topic, kafka_partition, kafka_offset, name, data, raw,"        \
	" created_at)"                                                         \
	" SELECT id, status, error::json, attempts, " PROCESSED_AT ","         \
	" topic, part, pos, name, data::json, raw, created_at"                 \
	" FROM unnest(" OUTCOME_ARRAYS(                                        \
		OF) ", $8" OF "::text[],"                                      \
		    " $9" OF "::text[], $10" OF "::bytea[], $11" OF            \
		    "::timestamptz[])"                                         \
		    " AS r (" OUTCOME ", name, data, raw, created_at)"         \
		    " ON CONFLICT (id) DO UPDATE SET" CHANGE(                  \
			    "EXCLUDED") " WHERE" MAY_CHANGE("EXCLUDED")

const char upsert_sql[] = UPSERT("");

const char upsert_update_sql[] = "UPDATE events AS e SET" CHANGE(
	"r") " FROM (SELECT id, status, error::json AS error, attempts,"
	     " " PROCESSED_AT " AS processed_at, topic AS kafka_topic,"
	     " part AS kafka_partition, pos AS kafka_offset, place::int4"
	     " FROM unnest(" OUTCOME_ARRAYS(
		     "") ") WITH ORDINALITY"
			 " AS a (" OUTCOME ", place)) AS r"
			 " WHERE e.id = r.id AND" MAY_CHANGE(
				 "r") " RETURNING r.place";

const char upsert_look_sql[] =
	"SELECT a.place::int4, e.status NOT IN " OPEN
	" FROM unnest($1::uuid[]) WITH ORDINALITY AS a (id, place)"
	" JOIN events AS e ON e.id = a.id";

const char upsert_sieve_sql[] =
	"SELECT place, state FROM pg_temp.evh_upsert_sieve("
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/* What is no row's fault ends all of it, as it would the plain statement.
 * Pieces of 16: of such a batch's rows most are good. */
/* clang-format off */
#define SIEVE								\
	"CREATE OR REPLACE FUNCTION pg_temp.evh_upsert_sieve("		\
	"uuid[], text[], text[], int4[], text[], int4[], int8[],"	\
	" text[], text[], bytea[], timestamptz[],"			\
	" OUT place int4, OUT state text)"				\
	" RETURNS SETOF record LANGUAGE plpgsql AS $evh$ "		\
	"BEGIN "							\
	"FOR at IN 1 .. cardinality($1) BY 16 LOOP "			\
	  "BEGIN "							\
	    UPSERT("[at : at + 15]") "; "				\
	  "EXCEPTION WHEN OTHERS THEN "					\
	    "IF SQLSTATE !~ '%s' THEN RAISE; END IF; "			\
	    "FOR k IN at .. least(at + 15, cardinality($1)) LOOP "	\
	      "BEGIN "							\
		UPSERT("[k : k]") "; "					\
	      "EXCEPTION WHEN OTHERS THEN "				\
		"IF SQLSTATE !~ '%s' THEN RAISE; END IF; "		\
		"place := k; state := SQLSTATE; RETURN NEXT; "		\
	      "END; "							\
	    "END LOOP; "						\
	  "END; "							\
	"END LOOP; "							\
	"END $evh$"
/* clang-format on */

void
upsert_sieve_make_sql(char ret[UPSERT_SIEVE_SQL_MAX])
{
	char pattern[SQLSTATE_PATTERN_MAX];
	int len;

	sqlstate_row_pattern(pattern);
	len = snprintf(ret, UPSERT_SIEVE_SQL_MAX, SIEVE, pattern, pattern);
	assert(len > 0 && len < UPSERT_SIEVE_SQL_MAX);
}
