#include "upsert.h"

#include "sqlstate.h"

#include <assert.h>
#include <stdio.h>

/*
 * $5 status, $7 attempts.  name, data, raw and created_at stay those first
 * written; the place in the topic is added when it is known.  OF is what of the
 * arrays is taken, "" or a slice.
 */
#define UPSERT(OF)                                                             \
	"INSERT INTO events AS e (id, name, data, raw, status, error,"         \
	" attempts, created_at, processed_at, kafka_topic, kafka_partition,"   \
	" kafka_offset)"                                                       \
	" SELECT id, name, data::json, raw, status, error::json, attempts,"    \
	" created_at,"                                                         \
	" CASE WHEN status <> 'pending' THEN now() END, topic, part, pos"      \
	" FROM unnest($1" OF "::uuid[], $2" OF "::text[], $3" OF "::text[],"   \
	" $4" OF "::bytea[], $5" OF "::text[], $6" OF "::text[],"              \
	" $7" OF "::int4[], $8" OF "::timestamptz[], $9" OF "::text[],"        \
	" $10" OF "::int4[], $11" OF "::int8[])"                               \
	" AS r (id, name, data, raw, status, error,"                           \
	" attempts, created_at, topic, part, pos)"                             \
	" ON CONFLICT (id) DO UPDATE SET"                                      \
	" status = EXCLUDED.status, error = EXCLUDED.error,"                   \
	" attempts = GREATEST(e.attempts, EXCLUDED.attempts),"                 \
	" processed_at = EXCLUDED.processed_at,"                               \
	" kafka_topic = COALESCE(EXCLUDED.kafka_topic, e.kafka_topic),"        \
	" kafka_partition ="                                                   \
	" COALESCE(EXCLUDED.kafka_partition, e.kafka_partition),"              \
	" kafka_offset = COALESCE(EXCLUDED.kafka_offset, e.kafka_offset)"      \
	" WHERE CASE EXCLUDED.status"                                          \
	" WHEN 'pending' THEN"                                                 \
	" e.status = 'failed' AND e.attempts = EXCLUDED.attempts"              \
	" WHEN 'failed' THEN"                                                  \
	" e.status IN ('pending', 'failed') AND"                               \
	" e.attempts < EXCLUDED.attempts"                                      \
	" ELSE e.status IN ('pending', 'failed') END"

const char upsert_sql[] = UPSERT("");

const char upsert_sieve_sql[] =
	"SELECT place, state FROM pg_temp.evh_upsert_sieve("
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/* What is no row's fault ends all of it, as it would the plain statement.
 * Pieces of 16: of such a batch's rows most are good. */
/* clang-format off */
#define SIEVE								\
	"CREATE OR REPLACE FUNCTION pg_temp.evh_upsert_sieve("		\
	"uuid[], text[], text[], bytea[], text[], text[], int4[],"	\
	" timestamptz[], text[], int4[], int8[],"			\
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
