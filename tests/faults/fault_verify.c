/*
 * fault_verify.c - compares a ledger with the table of events, with the
 * effects that effects.sql wrote down, and with a topic of dead letters.
 *
 *   fault_verify --ledger FILE [--drain SECONDS] [--unordered]
 *                [--dead-brokers HOST:PORT,... --dead-topic TOPIC]
 *                [--dead-both]
 *
 *   lost        got its 2xx (or was put), and is neither in the table nor dead
 *   duplicated  had its effect twice, or is in the table twice
 *   phantom     in the table, and nobody sent it
 *   inverted    had its effect after a later one of its key
 *   stuck       still pending, and not dead in the topic either
 *   misjudged   dead without being poison, or poison and not dead; `slow`
 *               events are none, nor are `mended` ones, which have failed
 *               first and are processed in the end
 *   apart       with --dead-both: dead in the table or in the topic alone
 *
 * The database is that of libpq's environment.  Waits first until nothing is on
 * its way, or until for --drain seconds (60) it has not become less.
 * --unordered: inverted ones are counted, and fail nothing.  Prints one line
 * of JSON.  Exit code: 0 all are zero, 1 they are not, 64 command line, 69 it
 * could not be found out.
 */
#include <errno.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dead_letters.h"
#include "ledger_table.h"

#define EXIT_WRONG   1
#define EXIT_USAGE   64
#define EXIT_UNKNOWN 69
#define CONNECT_TRY  60
#define DEAD_MS	     30000

struct verify {
	const char *ledger, *dead_brokers, *dead_topic;
	long drain_s;
	bool is_unordered, is_in_both;
	PGconn *pg;
};

struct finding {
	const char *name;
	const char *sql; /* one column: what names the event */
};

/* Rows of a load are known by what the load wrote into them, whatever id they
 * got; rows of messages that were put, by their place. */
static const struct finding findings[] = {
	{ "lost",
	  "SELECT coalesce(t.id::text, t.k || '/' || t.n) FROM l_taken t"
	  " LEFT JOIN events e ON e.id = t.id"
	  " LEFT JOIN l_dead d ON d.id = t.id"
	  " WHERE e.id IS NULL AND d.id IS NULL"
	  " UNION ALL SELECT part || ':' || pos FROM l_put p"
	  " WHERE NOT EXISTS (SELECT FROM events e"
	  " WHERE e.kafka_partition = part AND e.kafka_offset = pos)"
	  " AND NOT EXISTS (SELECT FROM l_dead d"
	  " WHERE d.part = p.part AND d.pos = p.pos)" },
	{ "duplicated",
	  "SELECT id::text FROM fault_effects f WHERE status <> 'failed'"
	  " OR NOT EXISTS (SELECT FROM l_sent s WHERE s.k = f.k"
	  " AND s.n = f.n AND kind = 'mended') GROUP BY id"
	  " HAVING count(*) > 1"
	  " UNION SELECT k || '/' || n FROM fault_effects"
	  " WHERE k IS NOT NULL GROUP BY k, n HAVING count(DISTINCT id) > 1"
	  " UNION SELECT t.k || '/' || t.n FROM l_taken t"
	  " GROUP BY t.k, t.n HAVING count(DISTINCT t.id) > 1" },
	{ "phantom",
	  "SELECT e.id::text FROM events e WHERE name LIKE 'fault.load%'"
	  " AND NOT EXISTS (SELECT FROM l_sent s"
	  " WHERE s.k = e.data->>'k' AND s.n = (e.data->>'n')::bigint)"
	  " UNION ALL SELECT e.id::text FROM events e"
	  " WHERE name NOT LIKE 'fault.load%'"
	  " AND NOT EXISTS (SELECT FROM l_put p WHERE p.part ="
	  " e.kafka_partition AND p.pos = e.kafka_offset)" },
	{ "inverted",
	  "SELECT k || '/' || least_n FROM (SELECT k, least_n,"
	  " max(most_n) OVER (PARTITION BY k ORDER BY first_seq ROWS BETWEEN"
	  " UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM"
	  " (SELECT k, xid, min(n) AS least_n, max(n) AS most_n,"
	  " min(seq) AS first_seq FROM fault_effects f WHERE k IS NOT NULL"
	  " AND status = 'processed' AND NOT EXISTS (SELECT FROM l_unknown u"
	  " WHERE u.k = f.k AND u.n = f.n) AND NOT EXISTS (SELECT FROM l_sent s"
	  " WHERE s.k = f.k AND s.n = f.n AND kind = 'mended')"
	  " GROUP BY k, xid) AS tx) AS o"
	  " WHERE before > least_n" },
	{ "stuck", "SELECT id::text FROM events e WHERE status = 'pending'"
		   " AND NOT EXISTS (SELECT FROM l_dead d WHERE d.id = e.id)" },
	{ "misjudged",
	  "SELECT e.id::text FROM events e JOIN l_sent s"
	  " ON s.k = e.data->>'k' AND s.n = (e.data->>'n')::bigint"
	  " WHERE name LIKE 'fault.load%' AND status <> 'pending'"
	  " AND (status <> 'processed') <> (kind NOT IN ('-', 'slow',"
	  " 'mended'))"
	  " UNION ALL SELECT DISTINCT d.id::text FROM l_dead d JOIN l_taken t"
	  " ON t.id = d.id JOIN l_sent s ON s.k = t.k AND s.n = t.n"
	  " WHERE kind IN ('-', 'slow')"
	  " UNION ALL SELECT part || ':' || pos || ' ' || kind"
	  " FROM l_put p JOIN events e"
	  " ON e.kafka_partition = part AND e.kafka_offset = pos"
	  " WHERE status <> 'failed'" },
};

static const struct finding apart = {
	"apart", "SELECT id::text FROM events e WHERE status = 'failed'"
		 " AND NOT EXISTS (SELECT FROM l_dead d WHERE d.id = e.id)"
		 " UNION ALL SELECT DISTINCT d.id::text FROM l_dead d WHERE"
		 " NOT EXISTS (SELECT FROM events e WHERE e.id = d.id"
		 " AND status = 'failed')"
};

#define N_FINDINGS (sizeof(findings) / sizeof(findings[0]))

static const char on_its_way_sql[] =
	"SELECT (SELECT count(*) FROM l_taken t LEFT JOIN events e"
	" ON e.id = t.id WHERE (e.id IS NULL OR e.status = 'pending')"
	" AND NOT EXISTS (SELECT FROM l_dead d WHERE d.id = t.id))"
	" + (SELECT count(*) FROM events e WHERE status = 'pending'"
	" AND NOT EXISTS (SELECT FROM l_dead d WHERE d.id = e.id))"
	" + (SELECT count(*) FROM events e JOIN l_sent s"
	" ON s.k = e.data->>'k' AND s.n = (e.data->>'n')::bigint"
	" WHERE kind = 'mended' AND name LIKE 'fault.load%'"
	" AND status = 'failed')"
	" + (SELECT count(*) FROM l_put p WHERE"
	" NOT EXISTS (SELECT FROM events e WHERE"
	" e.kafka_partition = part AND e.kafka_offset = pos)"
	" AND NOT EXISTS (SELECT FROM l_dead d"
	" WHERE d.part = p.part AND d.pos = p.pos))";

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Between two looks at a table, which tells nobody when it changes. */
static void
pause_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* -1 when it could not be asked. */
static long
number_ask(PGconn *pg, const char *sql)
{
	PGresult *result = ledger_table_ask(pg, sql);
	long n = -1;

	if (result && PQntuples(result) == 1)
		n = strtol(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return n;
}

static int
dead_refresh(struct verify *verify)
{
	PGresult *result;

	if (!verify->dead_topic)
		return 0;
	result = ledger_table_ask(verify->pg, "TRUNCATE l_dead");
	PQclear(result);
	if (!result)
		return -EIO;
	return dead_letters_read(verify->pg, verify->dead_brokers,
				 verify->dead_topic, DEAD_MS);
}

/* Until nothing is on its way, or it becomes no less: both are fine here.
 * A slow machine takes its time, what is stuck stays. */
static int
drain(struct verify *verify)
{
	long least = LONG_MAX;
	int64_t due_ms = 0;
	long n;

	for (;;) {
		int rc = dead_refresh(verify);

		if (rc < 0)
			return rc;
		n = number_ask(verify->pg, on_its_way_sql);
		if (n < 0)
			return -EIO;
		if (n < least) {
			least = n;
			due_ms = now_ms() + verify->drain_s * 1000;
		}
		if (n == 0 || now_ms() >= due_ms)
			return 0;
		pause_ms(300);
	}
}

/* A database that was struck may need a moment. */
static int
connect_again(struct verify *verify)
{
	for (int i = 0; i < CONNECT_TRY; i++) {
		verify->pg = PQconnectdb("application_name=fault_verify");
		if (PQstatus(verify->pg) == CONNECTION_OK)
			return 0;
		if (i == CONNECT_TRY - 1)
			fprintf(stderr, "fault_verify: %s",
				PQerrorMessage(verify->pg));
		PQfinish(verify->pg);
		pause_ms(500);
	}
	verify->pg = NULL;
	return -ECONNREFUSED;
}

/* How many there are, and the first twenty; -1 when it could not be asked. */
static long
finding_print(PGconn *pg, const struct finding *finding)
{
	char sql[2048];
	PGresult *result;
	long n;

	snprintf(sql, sizeof(sql),
		 "SELECT count(*), coalesce(json_agg(w) FILTER (WHERE i <= 20),"
		 " '[]') FROM (SELECT w, row_number() OVER () AS i FROM (%s)"
		 " AS f (w)) AS g",
		 finding->sql);
	result = ledger_table_ask(pg, sql);
	if (!result)
		return -1;
	n = strtol(PQgetvalue(result, 0, 0), NULL, 10);
	printf("\"%s\":{\"count\":%ld,\"ids\":%s},", finding->name, n,
	       PQgetvalue(result, 0, 1));
	PQclear(result);
	return n;
}

static int
findings_print(struct verify *verify)
{
	int rc = 0;

	putchar('{');
	for (size_t i = 0; i < N_FINDINGS; i++) {
		long n = finding_print(verify->pg, &findings[i]);

		if (n < 0)
			return EXIT_UNKNOWN;
		if (n > 0 && !(verify->is_unordered &&
			       strcmp(findings[i].name, "inverted") == 0))
			rc = EXIT_WRONG;
	}
	if (verify->is_in_both) {
		long n = finding_print(verify->pg, &apart);

		if (n < 0)
			return EXIT_UNKNOWN;
		if (n > 0)
			rc = EXIT_WRONG;
	}
	printf("\"taken\":%ld,\"rows\":%ld,\"dead\":%ld,\"put\":%ld}\n",
	       number_ask(verify->pg, "SELECT count(*) FROM l_taken"),
	       number_ask(verify->pg, "SELECT count(*) FROM events"),
	       number_ask(verify->pg, "SELECT (SELECT count(*) FROM l_dead) +"
				      " (SELECT count(*) FROM events"
				      " WHERE status = 'failed')"),
	       number_ask(verify->pg, "SELECT count(*) FROM l_put"));
	return rc;
}

static int
verify_all(struct verify *verify)
{
	if (connect_again(verify) < 0 || ledger_table_make(verify->pg) < 0 ||
	    ledger_table_fill(verify->pg, verify->ledger) < 0 ||
	    drain(verify) < 0)
		return EXIT_UNKNOWN;
	return findings_print(verify);
}

static const struct option options[] = {
	{ "ledger", required_argument, NULL, 'l' },
	{ "drain", required_argument, NULL, 'd' },
	{ "unordered", no_argument, NULL, 'u' },
	{ "dead-brokers", required_argument, NULL, 'b' },
	{ "dead-topic", required_argument, NULL, 't' },
	{ "dead-both", no_argument, NULL, '2' },
	{ 0 },
};

int
main(int argc, char **argv)
{
	struct verify verify = { .drain_s = 60 };
	int option;
	int rc;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			verify.ledger = optarg;
		else if (option == 'd')
			verify.drain_s = strtol(optarg, NULL, 10);
		else if (option == 'u')
			verify.is_unordered = true;
		else if (option == 'b')
			verify.dead_brokers = optarg;
		else if (option == 't')
			verify.dead_topic = optarg;
		else if (option == '2')
			verify.is_in_both = true;
		else
			return EXIT_USAGE;
	}
	if (!verify.ledger || !verify.dead_topic != !verify.dead_brokers) {
		fprintf(stderr, "fault_verify: what it wants is told at the "
				"top of fault_verify.c\n");
		return EXIT_USAGE;
	}
	rc = verify_all(&verify);
	PQfinish(verify.pg);
	return rc;
}
