#include "load.h"

#include <curl/curl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "table.h"

#define CLIENTS_MAX 64
#define ID_LEN	    36
#define WRONG_MAX   10

struct client {
	struct load *load;
	pthread_t thread;
	unsigned number;
};

struct load {
	int port;
	int n;
	int rate;
	char name[128];
	struct client clients[CLIENTS_MAX];
	atomic_int phase;
	atomic_bool is_stopping;
	atomic_int in_flight;
	atomic_int taken[LOAD_PHASES];
	atomic_int refused;
	atomic_int broken;
	pthread_mutex_t lock; /* guards: ids, n_ids */
	char (*ids)[ID_LEN + 1];
	size_t n_ids, size_ids;
};

static size_t
body_keep(char *data, size_t size, size_t n, void *arg)
{
	char *body = arg;
	size_t len = strlen(body);
	size_t add = size * n < 255 - len ? size * n : 255 - len;

	memcpy(body + len, data, add);
	body[len + add] = '\0';
	return size * n;
}

static void
id_keep(struct load *load, const char *body)
{
	const char *at = strstr(body, "\"id\":\"");

	if (!at || strlen(at) < 6 + ID_LEN)
		return;
	pthread_mutex_lock(&load->lock);
	if (load->n_ids == load->size_ids) {
		load->size_ids = load->size_ids ? 2 * load->size_ids : 1024;
		load->ids =
			realloc(load->ids, load->size_ids * sizeof(*load->ids));
		if (!load->ids)
			abort();
	}
	memcpy(load->ids[load->n_ids], at + 6, ID_LEN);
	load->ids[load->n_ids++][ID_LEN] = '\0';
	pthread_mutex_unlock(&load->lock);
}

static CURL *
client_open(struct client *c, struct curl_slist *headers, char *body)
{
	CURL *curl = curl_easy_init();
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v1/events",
		 c->load->port);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_keep);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	return curl;
}

static void
client_post(struct client *c, CURL *curl, unsigned i, char *body)
{
	struct load *load = c->load;
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "{\"name\":\"%s\",\"data\":{\"client\":%u,"
			   "\"n\":%u}}",
			   load->name, c->number, i);
	long status = 0;
	CURLcode rc;

	body[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
	atomic_fetch_add(&load->in_flight, 1);
	rc = curl_easy_perform(curl);
	atomic_fetch_sub(&load->in_flight, 1);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK) {
		atomic_fetch_add(&load->broken, 1);
	} else if (status == 201) {
		id_keep(load, body);
		atomic_fetch_add(&load->taken[atomic_load(&load->phase)], 1);
	} else {
		atomic_fetch_add(&load->refused, 1);
	}
}

/* A client's share of the rate; refused ones do not hammer either.  The pause
 * is the load itself: a client thinks as long.  Nobody waits for it. */
static void
client_pace(const struct load *load, int refused_before)
{
	int64_t pause_us = 0;

	if (load->rate > 0)
		pause_us = INT64_C(1000000) * load->n / load->rate;
	else if (atomic_load(&load->refused) + atomic_load(&load->broken) >
		 refused_before)
		pause_us = 20000;
	if (pause_us > 0) {
		struct timespec pause = { pause_us / 1000000,
					  (pause_us % 1000000) * 1000 };

		nanosleep(&pause, NULL);
	}
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	struct load *load = c->load;
	struct curl_slist *headers = NULL;
	char body[256];
	CURL *curl;

	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	curl = client_open(c, headers, body);
	for (unsigned i = 0; !atomic_load(&load->is_stopping); i++) {
		int before = atomic_load(&load->refused) +
			     atomic_load(&load->broken);

		client_post(c, curl, i, body);
		client_pace(load, before);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return NULL;
}

struct load *
load_start(int port, int n, const char *name, int rate)
{
	struct load *load = calloc(1, sizeof(*load));

	assert_non_null(load);
	assert_in_range(n, 1, CLIENTS_MAX);
	load->port = port;
	load->n = n;
	load->rate = rate;
	snprintf(load->name, sizeof(load->name), "%s", name);
	pthread_mutex_init(&load->lock, NULL);
	for (int i = 0; i < n; i++) {
		load->clients[i].load = load;
		load->clients[i].number = (unsigned)i;
		assert_int_equal(pthread_create(&load->clients[i].thread, NULL,
						client_main, &load->clients[i]),
				 0);
	}
	return load;
}

void
load_phase(struct load *load, int phase)
{
	atomic_store(&load->phase, phase);
}

struct expected {
	struct load *load;
	int phase, n;
};

static bool
is_taken(void *arg)
{
	struct expected *e = arg;

	return load_taken(e->load, e->phase) >= e->n;
}

void
load_await(struct load *load, int phase, int n, int timeout_ms)
{
	struct expected e = { load, phase, n };
	char what[64];

	snprintf(what, sizeof(what), "%d answers 201 in phase %d", n, phase);
	world_await(is_taken, &e, timeout_ms, what);
}

int
load_in_flight(struct load *load)
{
	return atomic_load(&load->in_flight);
}

void
load_stop(struct load *load)
{
	if (atomic_exchange(&load->is_stopping, true))
		return;
	for (int i = 0; i < load->n; i++)
		pthread_join(load->clients[i].thread, NULL);
}

int
load_taken(const struct load *load, int phase)
{
	return atomic_load(&load->taken[phase]);
}

int
load_refused(const struct load *load)
{
	return atomic_load(&load->refused);
}

int
load_broken(const struct load *load)
{
	return atomic_load(&load->broken);
}

void
load_report(const struct load *load, const char *what, int in_flight)
{
	print_message("%s: 201 before %d, during %d, after %d; refused %d, "
		      "broken %d; in flight when it struck %d\n",
		      what, load_taken(load, 0), load_taken(load, 1),
		      load_taken(load, 2), load_refused(load),
		      load_broken(load), in_flight);
	assert_true(load_taken(load, 0) > 0);
	assert_true(load_taken(load, 2) > 0);
	assert_true(in_flight > 0);
}

/* All ids as one array literal, for a statement. */
static char *
ids_array(const struct load *load)
{
	size_t size = load->n_ids * (ID_LEN + 1) + 16;
	char *text = malloc(size);
	size_t at = 1;

	assert_non_null(text);
	text[0] = '{';
	for (size_t i = 0; i < load->n_ids; i++) {
		memcpy(text + at, load->ids[i], ID_LEN);
		at += ID_LEN;
		text[at++] = ',';
	}
	if (load->n_ids > 0)
		at--;
	text[at++] = '}';
	text[at] = '\0';
	return text;
}

/* What is wrong with the ids of this list, malloced; "" when nothing is. */
static char *
ids_wrong(const struct world *w, const char *array, const char *status)
{
	size_t size = strlen(array) + 512;
	char *sql = malloc(size);
	char *wrong;

	assert_non_null(sql);
	snprintf(sql, size,
		 "SELECT string_agg(id || ' ' || coalesce(status, 'absent'), "
		 "', ') FROM (SELECT t.id, status FROM unnest('%s'::uuid[]) "
		 "AS t(id) LEFT JOIN events USING (id) WHERE status IS NULL "
		 "%s%s%s LIMIT %d) AS wrong",
		 array, status ? "OR status <> '" : "", status ? status : "",
		 status ? "'" : "", WRONG_MAX);
	wrong = table_ask(w, sql);
	free(sql);
	return wrong;
}

struct check {
	const struct world *w;
	const char *array, *status;
};

static bool
is_right(void *arg)
{
	struct check *check = arg;
	char *wrong = ids_wrong(check->w, check->array, check->status);
	bool right = *wrong == '\0';

	free(wrong);
	return right;
}

/* Two answers with one id would be one row for two events. */
static void
ids_check_once(const struct world *w, const char *array)
{
	size_t size = strlen(array) + 256;
	char *sql = malloc(size);

	assert_non_null(sql);
	snprintf(sql, size,
		 "SELECT count(*) - count(DISTINCT id) FROM "
		 "unnest('%s'::uuid[]) AS t(id)",
		 array);
	assert_int_equal(table_count(w, sql), 0);
	free(sql);
}

void
load_check(const struct load *load, const struct world *w, const char *status,
	   int timeout_ms)
{
	char *array = ids_array(load);
	struct check check = { w, array, status };
	long due_ms = world_now_ms() + timeout_ms;
	/* Between two looks at all of them, until the time is over: the table
	 * tells nobody when it changes. */
	const struct timespec pause = { 0, 100 * 1000 * 1000 };

	while (!is_right(&check) && world_now_ms() < due_ms)
		nanosleep(&pause, NULL);
	if (!is_right(&check))
		fail_msg("answered 201 and not %s after %d ms: %s",
			 status ? status : "in the table", timeout_ms,
			 ids_wrong(w, array, status));
	ids_check_once(w, array);
	free(array);
}

void
load_free(struct load *load)
{
	pthread_mutex_destroy(&load->lock);
	free(load->ids);
	free(load);
}
