#include "service.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api.h"

/* How a process of ours ends when it was told to and has nothing to say. */
#define EXIT_DRAINED 0

service_changes service_patient = { SERVICE_PATIENT, NULL };

static char *
shipped_read(const char *shipped)
{
	char path[WORLD_PATH_MAX];
	size_t size = 65536;
	char *text = calloc(1, size);
	FILE *f;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%.180s/conf/%.50s", world_source_dir(),
		 shipped);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* Takes text; gives it, malloced, with each `from` become `to`. */
static char *
replace(char *text, const char *from, const char *to)
{
	size_t n = 0;
	const char *at = text;
	char *changed, *end;

	for (const char *p = text; (p = strstr(p, from)); p += strlen(from))
		n++;
	if (n == 0)
		fail_msg("the configuration has no: %s", from);
	changed = calloc(1, strlen(text) + n * strlen(to) + 1);
	assert_non_null(changed);
	end = changed;
	for (const char *p; (p = strstr(at, from)); at = p + strlen(from)) {
		end = mempcpy(end, at, (size_t)(p - at));
		end = mempcpy(end, to, strlen(to));
	}
	memcpy(end, at, strlen(at) + 1);
	free(text);
	return changed;
}

void
service_config(const struct world *w, const char *shipped, const char *file,
	       service_changes changes, char ret[WORLD_PATH_MAX])
{
	char *text = shipped_read(shipped);

	if (strstr(text, "\"event_handler_group\"")) {
		char group[WORLD_NAME_MAX + 2];

		snprintf(group, sizeof(group), "\"%s\"", w->group);
		text = replace(text, "\"event_handler_group\"", group);
	}
	for (; changes && changes[0]; changes += 2)
		text = replace(text, changes[0], changes[1]);
	world_write(w, file, text, ret);
	free(text);
}

void
service_api(struct service *s, struct daemon *d, const char *name,
	    service_changes changes)
{
	char file[64];
	char config[WORLD_PATH_MAX];

	snprintf(file, sizeof(file), "%.40s.conf", name);
	service_config(&s->w, "api.conf", file, changes, config);
	daemon_start(d, &s->w, name, config, true);
	daemon_await_ready(d, SERVICE_READY_MS);
}

/* An API is ready without its store, which may take a moment longer. */
static void
api_begin(struct service *s, const char *what, service_changes changes)
{
	*s = (struct service){ 0 };
	world_init(&s->w, what);
	world_migrate(&s->w);
	service_api(s, &s->api, "api", changes);
	world_await(api_is_healthy, &s->api.api_port, SERVICE_READY_MS,
		    "the API's store is ready");
}

void
service_start_api(struct service *s, const char *what)
{
	api_begin(s, what, service_patient);
}

void
service_consumer(struct service *s, service_changes changes)
{
	char config[WORLD_PATH_MAX];

	service_config(&s->w, "consumer.conf", "consumer.conf", changes,
		       config);
	daemon_start(&s->consumer, &s->w, "consumer", config, false);
	daemon_await_ready(&s->consumer, SERVICE_READY_MS);
}

void
service_start(struct service *s, const char *what)
{
	api_begin(s, what, NULL);
	service_consumer(s, NULL);
}

void
service_stop(struct service *s)
{
	if (s->api.pid > 0)
		assert_int_equal(daemon_stop(&s->api, SERVICE_STOP_MS),
				 EXIT_DRAINED);
	if (s->consumer.pid > 0)
		assert_int_equal(daemon_stop(&s->consumer, SERVICE_STOP_MS),
				 EXIT_DRAINED);
	world_fini(&s->w);
}

/* One group a program: so one service, too. */
static struct service shared;

int
service_setup(void **state)
{
	service_start(&shared, "service");
	*state = &shared;
	return 0;
}

int
service_setup_api(void **state)
{
	service_start_api(&shared, "service");
	*state = &shared;
	return 0;
}

int
service_teardown(void **state)
{
	/* NULL: the set-up has failed, and said why. */
	if (*state)
		service_stop(*state);
	return 0;
}
