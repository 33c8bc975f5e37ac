#include "stale_copy.h"

static const char end_sql[] =
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
	" WHERE datname = current_database() AND usename = current_user"
	" AND state = 'active' AND wait_event = 'ClientRead'"
	" AND query LIKE '" STALE_COPY_BEGIN "%'"
	" AND query_start < clock_timestamp()"
	" - make_interval(secs => substring(query FROM"
	" ' -- ([0-9]+) ms$')::float8 / 1000)";

int
stale_copy_end(struct write_batch *hand)
{
	return connection_run(hand->connection, end_sql, hand->deadline, NULL,
			      hand->failure);
}
