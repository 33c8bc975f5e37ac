#include "ledger_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char tables_sql[] =
	"CREATE TEMP TABLE l_line (word text, a text, b text, c text);"
	"CREATE TEMP TABLE l_dead (id uuid, part int, pos bigint)";

static const char split_sql[] =
	"CREATE TEMP TABLE l_sent AS SELECT a AS k, b::bigint AS n, c AS kind"
	" FROM l_line WHERE word = 'sent';"
	"CREATE TEMP TABLE l_taken AS SELECT a AS k, b::bigint AS n,"
	" nullif(c, '-')::uuid AS id FROM l_line WHERE word = 'taken';"
	"CREATE TEMP TABLE l_unknown AS SELECT a AS k, b::bigint AS n"
	" FROM l_line WHERE word = 'unknown';"
	"CREATE TEMP TABLE l_put AS SELECT a::int AS part, b::bigint AS pos,"
	" c AS kind FROM l_line WHERE word = 'put';"
	"CREATE INDEX ON l_sent (k, n);"
	"CREATE INDEX ON l_taken (id);"
	"CREATE INDEX ON l_unknown (k, n);"
	"CREATE INDEX ON l_put (part, pos);"
	"ANALYZE l_sent; ANALYZE l_taken; ANALYZE l_unknown; ANALYZE l_put";

PGresult *
ledger_table_ask(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	    status == PGRES_COPY_IN)
		return result;
	fprintf(stderr, "fault_verify: %s%s\n", PQerrorMessage(pg), sql);
	PQclear(result);
	return NULL;
}

static int
done(PGconn *pg, const char *sql)
{
	PGresult *result = ledger_table_ask(pg, sql);

	if (!result)
		return -EIO;
	PQclear(result);
	return 0;
}

int
ledger_table_make(PGconn *pg)
{
	return done(pg, tables_sql);
}

/* "sent KEY N KIND" is already what COPY wants, given the delimiter; fields
 * that a line does not have become empty. */
static int
line_copy(PGconn *pg, char *line, size_t len)
{
	static const char words[] = " sent taken unknown put ";
	char word[16] = " ";
	size_t word_len = strcspn(line, " \n");
	unsigned fields = 1;
	char row[320];
	int n;

	if (line[len - 1] != '\n')
		return 0; /* torn by the end of its writer: it counts for
			     nothing */
	line[--len] = '\0';
	for (const char *at = line; *at; at++)
		fields += *at == ' ';
	if (word_len + 3 > sizeof(word) || fields > 4)
		return -EBADMSG;
	memcpy(word + 1, line, word_len);
	memcpy(word + 1 + word_len, " ", 2);
	if (!strstr(words, word))
		return -EBADMSG;
	n = snprintf(row, sizeof(row), "%s%.*s\n", line, (int)(4 - fields),
		     "   ");
	return PQputCopyData(pg, row, n) == 1 ? 0 : -EIO;
}

static int
lines_copy(PGconn *pg, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &size, f)) > 0) {
		rc = line_copy(pg, line, (size_t)len);
		if (rc < 0)
			fprintf(stderr, "fault_verify: ledger: %s\n", line);
	}
	free(line);
	return rc;
}

int
ledger_table_fill(PGconn *pg, const char *path)
{
	FILE *f = fopen(path, "re");
	PGresult *result;
	int rc;

	if (!f) {
		rc = -errno;
		fprintf(stderr, "fault_verify: %s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = done(pg, "COPY l_line FROM STDIN (DELIMITER ' ', NULL '')");
	if (rc == 0)
		rc = lines_copy(pg, f);
	fclose(f);
	if (rc == 0 && PQputCopyEnd(pg, NULL) != 1)
		rc = -EIO;
	while (rc == 0 && (result = PQgetResult(pg))) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			rc = -EIO;
		PQclear(result);
	}
	if (rc == -EIO)
		fprintf(stderr, "fault_verify: %s", PQerrorMessage(pg));
	return rc < 0 ? rc : done(pg, split_sql);
}
