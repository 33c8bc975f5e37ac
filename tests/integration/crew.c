#include "crew.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "api.h"
#include "http_client.h"
#include "table.h"

#define ROW_MS 60000
/* A fault's load leaves room on a small machine, for what restarts and for a
 * slow handler. */
#define LOAD_CLIENTS 16
#define LOAD_RATE    240
#define LOAD_ANSWERS 120
#define LOAD_MS	     60000
#define LOG_TAIL     4000
#define ID_LEN	     36
#define PORT_ENV     "EVENT_HANDLER_SERVICE_API_PORT"
#define SERIES_MAX   256

/* One test at a time. */
static struct crew shared;

/* Both do nothing when the server runs. */
static void
servers_start(void)
{
	world_servers("start-postgres");
	world_servers("start-kafka");
}

static struct crew *
crew_new(void)
{
	char port[16];

	shared = (struct crew){ 0 };
	/* A program that was killed in the midst of a fault leaves one down. */
	servers_start();
	world_init(&shared.w, "crew");
	shared.api_port = daemon_free_port();
	snprintf(port, sizeof(port), "%d", shared.api_port);
	assert_int_equal(setenv(PORT_ENV, port, 1), 0);
	return &shared;
}

int
crew_setup_bare(void **state)
{
	*state = crew_new();
	return 0;
}

int
crew_setup(void **state)
{
	*state = crew_new();
	world_migrate(&shared.w);
	return 0;
}

static void
log_show(const struct daemon *d)
{
	FILE *f = fopen(d->log, "r");
	char text[LOG_TAIL + 1];
	size_t n;

	if (!f)
		return;
	if (fseek(f, -LOG_TAIL, SEEK_END) < 0)
		rewind(f);
	n = fread(text, 1, LOG_TAIL, f);
	text[n] = '\0';
	fclose(f);
	/* cmocka's own printing cuts after a kilobyte. */
	fprintf(stderr, "---- the end of %s's log:\n%s----\n", d->name, text);
}

/* What a failed test has left. */
static void
left_kill(struct crew *crew)
{
	for (unsigned i = 0; i < crew->n; i++) {
		struct daemon *d = &crew->list[i];

		log_show(d);
		if (d->pid <= 0)
			continue;
		/* It may have ended by itself, and may have been reaped. */
		(void)kill(d->pid, SIGKILL);
		(void)waitpid(d->pid, NULL, 0);
		close(d->notify_fd);
		d->pid = 0;
	}
}

int
crew_teardown(void **state)
{
	struct crew *crew = *state;

	if (!crew->has_ended)
		left_kill(crew);
	if (crew->load) {
		load_stop(crew->load);
		load_free(crew->load);
	}
	servers_start();
	world_fini(&crew->w);
	return 0;
}

struct daemon *
crew_start(struct crew *crew, const char *name, const char *shipped,
	   service_changes changes)
{
	struct daemon *d = &crew->list[crew->n];
	char file[64];
	char config[WORLD_PATH_MAX];

	assert_true(crew->n < CREW_MAX);
	snprintf(file, sizeof(file), "%.40s.conf", name);
	service_config(&crew->w, shipped, file, changes, config);
	daemon_start(d, &crew->w, name, config, false);
	d->api_port = crew->api_port;
	crew->n++;
	return d;
}

struct daemon *
crew_ready(struct crew *crew, const char *name, const char *shipped,
	   service_changes changes)
{
	struct daemon *d = crew_start(crew, name, shipped, changes);

	daemon_await_ready(d, CREW_READY_MS);
	return d;
}

void
crew_end(struct crew *crew)
{
	for (unsigned i = 0; i < crew->n; i++)
		if (crew->list[i].pid > 0)
			assert_int_equal(
				daemon_stop(&crew->list[i], CREW_STOP_MS), 0);
	crew->has_ended = true;
}

double
crew_metric(struct daemon *d, const char *series)
{
	struct http_answer a = http_call(daemon_admin_port(d), "GET",
					 "/metrics", NULL, 0, NULL);
	char line[SERIES_MAX];
	const char *at;
	double value = -1;

	snprintf(line, sizeof(line), "\n%s ", series);
	at = strstr(a.body, line);
	if (at)
		value = strtod(at + strlen(line), NULL);
	http_answer_fini(&a);
	return value;
}

struct awaited {
	struct daemon *d;
	const char *series;
	double least, value;
};

static bool
has_value(void *arg)
{
	struct awaited *a = arg;

	a->value = crew_metric(a->d, a->series);
	return a->value >= a->least;
}

double
crew_await_metric(struct daemon *d, const char *series, double least,
		  int timeout_ms)
{
	struct awaited a = { .d = d, .series = series, .least = least };

	world_await(has_value, &a, timeout_ms, series);
	return a.value;
}

struct reasoned {
	struct daemon *d;
	const char *reason;
};

static bool
says_reason(void *arg)
{
	struct reasoned *r = arg;
	struct http_answer a = http_call(daemon_admin_port(r->d), "GET",
					 "/readyz?verbose", NULL, 0, NULL);
	bool says = a.status == 503 && strstr(a.body, r->reason);

	http_answer_fini(&a);
	return says;
}

void
crew_await_reason(struct daemon *d, const char *reason)
{
	struct reasoned r = { d, reason };

	world_await(says_reason, &r, ROW_MS, reason);
}

void
crew_run(int exit_code, const char *says, const char *const *args)
{
	char *out;
	int rc = daemon_run(&out, args);

	if (rc != exit_code || (says && !strstr(out, says))) {
		fprintf(stderr, "---- evhd %s %s ... said:\n%s----\n", args[0],
			args[0] && args[1] ? args[1] : "", out);
		fail_msg("exit code %d, not %d, or it did not say: %s", rc,
			 exit_code, says ? says : "");
	}
	free(out);
}

void
crew_load_begin(struct crew *crew)
{
	crew->load = load_start(crew->api_port, LOAD_CLIENTS, "user.created",
				LOAD_RATE);
	load_await(crew->load, 0, LOAD_ANSWERS, LOAD_MS);
}

static bool
is_in_flight(void *arg)
{
	return load_in_flight(arg) > 0;
}

int
crew_load_strike(struct crew *crew)
{
	world_await(is_in_flight, crew->load, LOAD_MS, "a request in flight");
	load_phase(crew->load, 1);
	return load_in_flight(crew->load);
}

void
crew_load_end(struct crew *crew, const char *what, int in_flight)
{
	load_phase(crew->load, 2);
	load_await(crew->load, 2, LOAD_ANSWERS, LOAD_MS);
	load_stop(crew->load);
	load_report(crew->load, what, in_flight);
	load_check(crew->load, &crew->w, "processed", LOAD_MS);
}

struct post {
	int port;
	const char *name, *data;
	char id[API_ID_MAX];
};

static bool
is_taken(void *arg)
{
	struct post *post = arg;

	return api_try(post->port, post->name, post->data, post->id);
}

void
crew_post(struct crew *crew, const char *name, const char *data,
	  char ret_id[37])
{
	struct post post = { .port = crew->api_port,
			     .name = name,
			     .data = data };

	world_await(is_taken, &post, ROW_MS, "a POST is taken");
	snprintf(ret_id, ID_LEN + 1, "%.36s", post.id);
}

char *
crew_row(struct crew *crew, const char *id, const char *column)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "SELECT %s FROM events WHERE id = '%s'",
		 column, id);
	return table_ask(&crew->w, sql);
}

void
crew_await_row(struct crew *crew, const char *id, const char *status)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM events WHERE id = '%s' AND "
		 "status = '%s'",
		 id, status);
	table_await(&crew->w, sql, 1, ROW_MS);
}

void
crew_check_row(struct crew *crew, const char *id, const char *column,
	       const char *expected)
{
	char *value = crew_row(crew, id, column);

	if (strcmp(value, expected) != 0)
		fail_msg("%s of %s is \"%s\", not \"%s\"", column, id, value,
			 expected);
	free(value);
}
