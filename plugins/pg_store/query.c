#include "query.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "status.h"

#define OID_UUID 2950
#define OID_TEXT 25
#define OID_INT8 20

/* A statement's number, bit by bit: */
#define BIT_NAME     (1u << 0)
#define BIT_BEFORE   (1u << 1)
#define SHIFT_STATUS 2 /* three bits; 0: all */
#define BIT_TOTAL    (1u << 5)
#define GET	     (7u << SHIFT_STATUS) /* a status that there is not */

enum {
	FIELD_ID,
	FIELD_NAME,
	FIELD_DATA,
	FIELD_RAW,
	FIELD_STATUS,
	FIELD_ERROR,
	FIELD_ATTEMPTS,
	FIELD_CREATED,
	FIELD_PROCESSED,
	FIELD_TOPIC,
	FIELD_PARTITION,
	FIELD_OFFSET,
	FIELDS,
};

#define SELECT_ROW                                                             \
	"SELECT id, name, data, raw, status, error, attempts, created_at,"     \
	" processed_at, kafka_topic, kafka_partition, kafka_offset"            \
	" FROM events"

int
query_init_get(struct query *query, const unsigned char id[16])
{
	*query = (struct query){ .is_get = true };
	memcpy(query->id, id, sizeof(query->id));
	return 0;
}

int
query_init_find(struct query *query, const struct evh_query *q)
{
	if ((unsigned)q->status > EVH_DROPPED)
		return -EINVAL;

	*query = (struct query){
		.status = q->status,
		.limit = q->limit ? q->limit : QUERY_LIMIT_MAX,
		.offset = q->offset,
		.want_total = q->want_total != 0,
		.has_before = q->before_id != NULL,
	};
	if (q->before_id)
		memcpy(query->id, q->before_id, sizeof(query->id));
	if (q->name) {
		query->name = strdup(q->name);
		if (!query->name)
			return -ENOMEM;
	}
	return 0;
}

void
query_fini(struct query *query)
{
	free(query->name);
	query->name = NULL;
}

unsigned
query_statement(const struct query *query, bool total)
{
	unsigned statement = (unsigned)query->status << SHIFT_STATUS;

	if (query->is_get)
		return GET;
	if (query->name)
		statement |= BIT_NAME;
	if (total) /* of all that match, wherever the page begins */
		return statement | BIT_TOTAL;
	if (query->has_before)
		statement |= BIT_BEFORE;
	return statement;
}

static void
add(char *sql, size_t size, const char *text)
{
	size_t len = strlen(sql);

	snprintf(sql + len, size - len, "%s", text);
}

void
query_sql(unsigned statement, char *ret, size_t size)
{
	unsigned status = (statement >> SHIFT_STATUS) & 7;
	const char *word = " WHERE ";

	*ret = '\0';
	if (statement == GET) {
		add(ret, size, SELECT_ROW " WHERE id = $1");
		return;
	}

	add(ret, size,
	    statement & BIT_TOTAL ? "SELECT count(*) FROM (SELECT 1 FROM events"
				  : SELECT_ROW);
	if (status) {
		add(ret, size, word);
		add(ret, size, "status = '");
		add(ret, size, status_word((enum evh_status)status));
		add(ret, size, "'");
		word = " AND ";
	}
	if (statement & BIT_NAME) {
		add(ret, size, word);
		add(ret, size, "name = $1");
		word = " AND ";
	}
	if (statement & BIT_TOTAL) {
		add(ret, size, " LIMIT $2) AS matching");
		return;
	}
	if (statement & BIT_BEFORE) {
		add(ret, size, word);
		add(ret, size,
		    "(created_at, id) <"
		    " ((SELECT created_at FROM events WHERE id = $4), $4)");
	}
	add(ret, size, " ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3");
}

static void
param_set(struct query_params *params, int i, Oid type, const void *value,
	  size_t len)
{
	params->types[i] = type;
	params->values[i] = value;
	params->lengths[i] = (int)len;
	params->formats[i] = 1;
}

/* Always $1 name, $2 limit, $3 offset, $4 id, as many as the last that the
 * statement may use; those that it does not use are given all the same. */
void
query_params(const struct query *query, bool total, struct query_params *ret)
{
	*ret = (struct query_params){
		.limit_be = htobe64(total ? QUERY_TOTAL_MAX : query->limit),
		.offset_be = htobe64(query->offset),
	};
	ret->params = (struct params){
		.n = query->is_get	 ? 1
		     : total		 ? 2
		     : query->has_before ? 4
					 : 3,
		.types = ret->types,
		.values = ret->values,
		.lengths = ret->lengths,
		.formats = ret->formats,
	};
	if (query->is_get) {
		param_set(ret, 0, OID_UUID, query->id, sizeof(query->id));
		return;
	}
	param_set(ret, 0, OID_TEXT, query->name,
		  query->name ? strlen(query->name) : 0);
	param_set(ret, 1, OID_INT8, &ret->limit_be, sizeof(ret->limit_be));
	param_set(ret, 2, OID_INT8, &ret->offset_be, sizeof(ret->offset_be));
	param_set(ret, 3, OID_UUID, query->id, sizeof(query->id));
}

static int64_t
field_i64(const PGresult *result, int row, int field)
{
	uint64_t big;

	if (PQgetlength(result, row, field) != (int)sizeof(big))
		return 0;
	memcpy(&big, PQgetvalue(result, row, field), sizeof(big));
	return (int64_t)be64toh(big);
}

static int32_t
field_i32(const PGresult *result, int row, int field)
{
	uint32_t big;

	if (PQgetlength(result, row, field) != (int)sizeof(big))
		return 0;
	memcpy(&big, PQgetvalue(result, row, field), sizeof(big));
	return (int32_t)be32toh(big);
}

/* 0 when it is NULL. */
static int64_t
field_time(const PGresult *result, int row, int field)
{
	if (PQgetisnull(result, row, field))
		return 0;
	return (field_i64(result, row, field) + FIELDS_EPOCH_US) * 1000;
}

static const char *
field_text(const PGresult *result, int row, int field)
{
	return PQgetisnull(result, row, field) ? NULL
					       : PQgetvalue(result, row, field);
}

static enum evh_status
field_status(const PGresult *result, int row)
{
	return status_read(PQgetvalue(result, row, FIELD_STATUS),
			   (size_t)PQgetlength(result, row, FIELD_STATUS));
}

void
query_row(const PGresult *result, int row, struct evh_row *ret)
{
	int raw = PQgetisnull(result, row, FIELD_DATA);
	int data = raw ? FIELD_RAW : FIELD_DATA;

	*ret = (struct evh_row){
		.name = PQgetvalue(result, row, FIELD_NAME),
		.data = { PQgetvalue(result, row, data),
			  (size_t)PQgetlength(result, row, data) },
		.raw = raw,
		.status = field_status(result, row),
		.attempts = (uint32_t)field_i32(result, row, FIELD_ATTEMPTS),
		.error = field_text(result, row, FIELD_ERROR),
		.created_ns = field_time(result, row, FIELD_CREATED),
		.processed_ns = field_time(result, row, FIELD_PROCESSED),
		.topic = field_text(result, row, FIELD_TOPIC),
		.offset = field_i64(result, row, FIELD_OFFSET),
		.partition = field_i32(result, row, FIELD_PARTITION),
	};
	if (PQgetlength(result, row, FIELD_ID) == (int)sizeof(ret->id))
		memcpy(ret->id, PQgetvalue(result, row, FIELD_ID),
		       sizeof(ret->id));
}

size_t
query_row_size(const PGresult *result, int row)
{
	size_t size = 0;
	int field;

	for (field = 0; field < FIELDS; field++)
		size += (size_t)PQgetlength(result, row, field);
	return size;
}
