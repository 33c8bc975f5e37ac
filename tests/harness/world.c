#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon.h"
#include "table.h"
#include "topic.h"

#define CONFIG_MAX 65536

const char *
world_env(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value)
		fail_msg("%s is not set: run the tests by `make test`, or "
			 "eval \"$(scripts/servers env)\" first",
			 name);
	return value;
}

const char *
world_build_dir(void)
{
	return world_env("EVH_BUILD_DIR");
}

const char *
world_source_dir(void)
{
	return world_env("EVH_SOURCE_DIR");
}

long
world_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
world_await(bool (*fn)(void *arg), void *arg, int timeout_ms, const char *what)
{
	long due_ms = world_now_ms() + timeout_ms;
	/* Between two looks at another process's state. */
	const struct timespec pause = { 0, 20 * 1000 * 1000 };

	while (!fn(arg)) {
		if (world_now_ms() >= due_ms)
			fail_msg("not within %d ms: %s", timeout_ms, what);
		nanosleep(&pause, NULL);
	}
}

static void
conninfo_write(char *ret, size_t size, const char *dbname)
{
	snprintf(ret, size,
		 "host=%s port=%s user=%s password=%s dbname=%s "
		 "connect_timeout=60",
		 world_env("EVENT_HANDLER_SERVICE_POSTGRES_HOST"),
		 world_env("EVENT_HANDLER_SERVICE_POSTGRES_PORT"),
		 world_env("EVENT_HANDLER_SERVICE_POSTGRES_USER"),
		 world_env("EVENT_HANDLER_SERVICE_POSTGRES_PASSWORD"), dbname);
}

/* Outside of the world's own database. */
static void
server_do(const char *sql)
{
	char conninfo[WORLD_PATH_MAX * 2];
	PGconn *conn;
	PGresult *result;

	conninfo_write(conninfo, sizeof(conninfo), "postgres");
	conn = PQconnectdb(conninfo);
	result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
}

void
world_init(struct world *w, const char *what)
{
	static unsigned number;
	char sql[256];

	*w = (struct world){ 0 };
	snprintf(w->name, sizeof(w->name), "t_%.24s_%d_%u", what, (int)getpid(),
		 ++number);
	snprintf(w->group, sizeof(w->group), "g_%.60s", w->name + 2);
	snprintf(w->brokers, sizeof(w->brokers), "%s:%s",
		 world_env("EVENT_HANDLER_SERVICE_KAFKA_HOST"),
		 world_env("EVENT_HANDLER_SERVICE_KAFKA_PORT"));
	snprintf(w->dir, sizeof(w->dir), "/tmp/evh-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\"", w->name);
	server_do(sql);
	conninfo_write(w->conninfo, sizeof(w->conninfo), w->name);
	assert_int_equal(
		setenv("EVENT_HANDLER_SERVICE_POSTGRES_DB", w->name, 1), 0);
	assert_int_equal(setenv("EVENT_HANDLER_SERVICE_TOPIC_NAME", w->name, 1),
			 0);
}

void
world_migrate(const struct world *w)
{
	char config[WORLD_PATH_MAX];
	const char *args[] = {
		"migrate", "-c", config, "upgrade", "head", NULL
	};
	char *out;

	world_config(w, "consumer.conf", "migrate.conf", NULL, config);
	if (daemon_run(&out, args) != 0)
		fail_msg("evhd migrate: %s", out);
	free(out);
}

static void
dir_remove(const char *dir)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

void
world_fini(struct world *w)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "DROP DATABASE \"%s\" WITH (FORCE)",
		 w->name);
	server_do(sql);
	topic_delete(w);
	dir_remove(w->dir);
}

void
world_write(const struct world *w, const char *file, const char *text,
	    char ret[WORLD_PATH_MAX])
{
	FILE *f;

	snprintf(ret, WORLD_PATH_MAX, "%.200s/%.50s", w->dir, file);
	f = fopen(ret, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The shipped consumer group becomes the world's. */
static void
config_set_group(char *ret, size_t size, const char *text, const char *group)
{
	static const char shipped[] = "\"event_handler_group\"";
	const char *at;
	size_t len = 0;

	while ((at = strstr(text, shipped))) {
		len += (size_t)snprintf(ret + len, size - len, "%.*s\"%s\"",
					(int)(at - text), text, group);
		assert_true(len < size);
		text = at + strlen(shipped);
	}
	len += (size_t)snprintf(ret + len, size - len, "%s", text);
	assert_true(len < size);
}

void
world_config(const struct world *w, const char *shipped, const char *file,
	     const char *extra, char ret[WORLD_PATH_MAX])
{
	char path[WORLD_PATH_MAX];
	static char text[CONFIG_MAX];
	static char grouped[CONFIG_MAX];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%.180s/conf/%.50s", world_source_dir(),
		 shipped);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	fclose(f);
	config_set_group(grouped, sizeof(grouped), text, w->group);
	len = strlen(grouped);
	snprintf(grouped + len, sizeof(grouped) - len, "\n%s",
		 extra ? extra : "");
	world_write(w, file, grouped, ret);
}

void
world_servers(const char *word)
{
	const char *script = world_env("EVH_SERVERS");
	const char *dir = world_env("EVH_SERVERS_DIR");
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		execl(script, script, "--dir", dir, word, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("scripts/servers %s failed", word);
}
