#include "dead_query.h"

#include <endian.h>
#include <string.h>

#include "fields.h"
#include "query.h"

#define OID_UUID	2950
#define OID_TIMESTAMPTZ 1184

#define TEXT(x)	  #x
#define NUMBER(x) TEXT(x)

/* As query.c's columns, without the bytes but with what kind they are. */
#define SELECT_HEAD                                                            \
	"SELECT id, name, CASE WHEN data IS NOT NULL THEN json '{}' END,"      \
	" CASE WHEN raw IS NOT NULL THEN bytea '' END, status, error,"         \
	" attempts, created_at, processed_at, kafka_topic, kafka_partition,"   \
	" kafka_offset FROM events WHERE status = 'failed'"                    \
	" AND processed_at >= $3 AND processed_at < $4"

static const struct {
	const char *name, *sql;
} statements[DEAD_STATEMENTS] = {
	[DEAD_NEXT] = { "dead_next",
			SELECT_HEAD " AND (created_at, id) > ($1, $2)"
				    " ORDER BY created_at, id"
				    " LIMIT " NUMBER(DEAD_PAGE) },
	[DEAD_ONE] = { "dead_one",
		       "SELECT id, name, data, raw, status, error, attempts,"
		       " created_at, processed_at, kafka_topic,"
		       " kafka_partition, kafka_offset FROM events"
		       " WHERE id = $1 AND status = 'failed'" },
	[DEAD_FORGET_ONE] = { "dead_forget_one",
			      "DELETE FROM events"
			      " WHERE id = $1 AND status = 'failed'" },
	/* What is being written just now is no dead letter any more. */
	[DEAD_FORGET_BEFORE] = { "dead_forget_before",
				 "DELETE FROM events WHERE id IN"
				 " (SELECT id FROM events"
				 " WHERE status = 'failed'"
				 " AND processed_at < $1"
				 " ORDER BY created_at, id"
				 " LIMIT " NUMBER(DEAD_BATCH) " FOR UPDATE "
							      "SKIP LOCKED)" },
};

const char *
dead_query_sql(enum dead_statement statement)
{
	return statements[statement].sql;
}

const char *
dead_query_name(enum dead_statement statement)
{
	return statements[statement].name;
}

static void
param_add(struct dead_params *params, Oid type, const void *value, size_t len)
{
	int i = params->params.n++;

	params->types[i] = type;
	params->values[i] = value;
	params->lengths[i] = (int)len;
	params->formats[i] = 1;
}

static void
params_init(struct dead_params *params)
{
	*params = (struct dead_params){ 0 };
	params->params = (struct params){ .types = params->types,
					  .values = params->values,
					  .lengths = params->lengths,
					  .formats = params->formats };
}

/* `i`: which of times_be it lies in. */
static void
time_add(struct dead_params *params, int i, int64_t us)
{
	params->times_be[i] = htobe64((uint64_t)us);
	param_add(params, OID_TIMESTAMPTZ, &params->times_be[i],
		  sizeof(params->times_be[i]));
}

static void
id_add(struct dead_params *params)
{
	param_add(params, OID_UUID, params->id, sizeof(params->id));
}

/* Rows have no finer times than microseconds: "earlier than" is the same of a
 * time that was rounded down.  INT64_MIN and INT64_MAX are PostgreSQL's
 * -infinity and infinity. */
void
dead_query_page(const struct dead_cursor *cursor,
		const struct evh_dead_query *query, struct dead_params *ret)
{
	params_init(ret);
	if (cursor->is_set)
		memcpy(ret->id, cursor->id, sizeof(ret->id));
	time_add(ret, 0,
		 cursor->is_set ? fields_time_us(cursor->created_ns)
				: INT64_MIN);
	id_add(ret);
	time_add(ret, 1,
		 query->since_ns ? fields_time_us(query->since_ns) : INT64_MIN);
	time_add(ret, 2,
		 query->before_ns ? fields_time_us(query->before_ns)
				  : INT64_MAX);
}

void
dead_query_id(const unsigned char id[16], struct dead_params *ret)
{
	params_init(ret);
	memcpy(ret->id, id, sizeof(ret->id));
	id_add(ret);
}

void
dead_query_before(int64_t before_ns, struct dead_params *ret)
{
	params_init(ret);
	time_add(ret, 0, fields_time_us(before_ns));
}

void
dead_query_letter(const PGresult *result, int row, int with_data,
		  struct evh_letter *ret)
{
	struct evh_row found;

	query_row(result, row, &found);
	*ret = (struct evh_letter){
		.name = found.name,
		.raw = found.raw,
		.key = { "", 0 },
		.attempts = found.attempts,
		.error = found.error,
		.created_ns = found.created_ns,
		.failed_ns = found.processed_ns,
		.topic = found.topic,
		.offset = found.offset,
		.partition = found.partition,
	};
	if (with_data)
		ret->data = found.data;
	memcpy(ret->id, found.id, sizeof(ret->id));
}
