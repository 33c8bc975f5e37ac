#include "group.h"

#include <string.h>

struct pg_server server;
struct fake_event group_events[GROUP_EVENTS];

int
group_setup(void **state)
{
	(void)state;
	pg_server_start(&server);
	return 0;
}

int
group_teardown(void **state)
{
	(void)state;
	pg_server_stop(&server);
	return 0;
}

void
group_bench_open(struct bench *bench, const char *db, const char *name,
		 const char *value)
{
	bench_create(bench, &server, db, name, value, NULL);
	bench_start(bench);
}

int
group_bench_setup(void **state, const char *db, const char *name,
		  const char *value)
{
	static struct bench bench;

	pg_server_database(&server, db, 0);
	group_bench_open(&bench, db, name, value);
	*state = &bench;
	return 0;
}

int
group_bench_teardown(void **state)
{
	/* A test that failed may have left it so that the next one hangs. */
	pg_server_mend(&server);
	bench_stop(*state);
	bench_destroy(*state);
	return 0;
}

int
group_events_setup(void **state, const char *db)
{
	static struct bench bench;

	pg_server_database(&server, db, 0);
	for (unsigned i = 0; i < GROUP_EVENTS; i++)
		fake_event_init(&group_events[i], i, EVH_PROCESSED, 1, "{}");
	memset(&bench, 0, sizeof(bench));
	*state = &bench;
	return 0;
}

int
group_events_teardown(void **state)
{
	for (unsigned i = 0; i < GROUP_EVENTS; i++)
		fake_event_fini(&group_events[i]);
	return group_bench_teardown(state);
}
