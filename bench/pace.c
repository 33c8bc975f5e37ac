/*
 * pace.c - posts at a fixed rate and measures what a user sees: the time to
 * the 201, and from the post to the first GET that says `processed`.
 *
 *   pace PORT RATE SECONDS [THREADS]
 *
 * Open loop: each request has its due time, and its time counts from there,
 * so that a server that stands still is not measured less (coordinated
 * omission).  Prints p50, p90, p99 and the maximum in milliseconds.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 64
#define ANSWER_MAX  4096
#define GIVE_UP_NS  INT64_C(30000000000)

struct poster {
	pthread_t thread;
	int port, number, threads, n;
	int64_t begin_ns;
	double rate; /* of all threads */
	int64_t *answer_ns, *processed_ns;
	int n_measured, n_failed;
};

struct text {
	size_t len;
	char at[ANSWER_MAX];
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t
text_add(char *data, size_t size, size_t n, void *arg)
{
	struct text *t = arg;
	size_t add = size * n;

	if (add > sizeof(t->at) - 1 - t->len)
		add = sizeof(t->at) - 1 - t->len;
	memcpy(t->at + t->len, data, add);
	t->len += add;
	t->at[t->len] = '\0';
	return size * n;
}

static void
wait_until(int64_t due_ns)
{
	struct timespec due = { due_ns / 1000000000, due_ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL))
		;
}

/* The id of the 201, or NULL. */
static int
post(struct poster *p, CURL *curl, struct text *t, char id[37])
{
	char url[128];
	long status = 0;
	const char *at;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v1/events",
		 p->port);
	t->len = 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
			 "{\"name\":\"user.created\",\"data\":{\"user_id\":1,"
			 "\"email\":\"someone@example.org\",\"plan\":\"pro\","
			 "\"tags\":[\"a\",\"b\",\"c\"],\"amount\":12.5}}");
	if (curl_easy_perform(curl) != CURLE_OK)
		return -1;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	at = strstr(t->at, "\"id\":\"");
	if (status != 201 || !at || strlen(at) < 42)
		return -1;
	memcpy(id, at + 6, 36);
	id[36] = '\0';
	return 0;
}

static int
await_processed(struct poster *p, CURL *curl, struct text *t, const char *id)
{
	int64_t give_up_ns = now_ns() + GIVE_UP_NS;
	char url[160];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/api/v1/events/%s",
		 p->port, id);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	while (now_ns() < give_up_ns) {
		t->len = 0;
		if (curl_easy_perform(curl) != CURLE_OK)
			return -1;
		if (strstr(t->at, "\"status\":\"processed\""))
			return 0;
		/* Each look costs the service something: not too many. */
		wait_until(now_ns() + 500000);
	}
	return -1;
}

static void *
poster_main(void *arg)
{
	struct poster *p = arg;
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");
	CURL *curl = curl_easy_init();
	struct text t = { 0 };
	char id[37];

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, text_add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t);
	for (int i = p->number; i < p->n; i += p->threads) {
		int64_t due_ns = p->begin_ns + (int64_t)(1e9 * i / p->rate);

		wait_until(due_ns);
		if (post(p, curl, &t, id) < 0) {
			p->n_failed++;
			continue;
		}
		p->answer_ns[p->n_measured] = now_ns() - due_ns;
		if (await_processed(p, curl, &t, id) < 0) {
			p->n_failed++;
			continue;
		}
		p->processed_ns[p->n_measured++] = now_ns() - due_ns;
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return NULL;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Of sorted times, the one that `percent` of all are below. */
static double
ms_at(const int64_t *ns, int n, int percent)
{
	int at = (int)((int64_t)n * percent / 100);

	return (double)ns[at < n ? at : n - 1] / 1e6;
}

static void
print_times(const char *what, int64_t *ns, int n)
{
	qsort(ns, (size_t)n, sizeof(*ns), by_time);
	printf("%s p50 %.2f p90 %.2f p99 %.2f max %.2f ms\n", what,
	       ms_at(ns, n, 50), ms_at(ns, n, 90), ms_at(ns, n, 99),
	       ms_at(ns, n, 100));
}

/* Appends what one thread measured. */
static int
collect(int64_t *to, int n, const int64_t *from, int more)
{
	memcpy(to + n, from, (size_t)more * sizeof(*to));
	return n + more;
}

int
main(int argc, char **argv)
{
	static struct poster posters[THREADS_MAX];
	int threads = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 16;
	int64_t *answers, *processed;
	int total, failed = 0, n = 0, m = 0;

	if (argc < 4 || threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: pace PORT RATE SECONDS [THREADS]\n");
		return 64;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	total = (int)(strtod(argv[2], NULL) * strtod(argv[3], NULL));
	answers = calloc((size_t)total + 1, sizeof(*answers));
	processed = calloc((size_t)total + 1, sizeof(*processed));
	if (!answers || !processed) {
		free(answers);
		free(processed);
		return 1;
	}
	for (int i = 0; i < threads; i++) {
		struct poster *p = &posters[i];

		*p = (struct poster){ .port = (int)strtol(argv[1], NULL, 10),
				      .number = i,
				      .threads = threads,
				      .n = total,
				      .rate = strtod(argv[2], NULL),
				      .begin_ns = now_ns() + 100000000 };
		p->answer_ns = calloc((size_t)total + 1, sizeof(int64_t));
		p->processed_ns = calloc((size_t)total + 1, sizeof(int64_t));
		if (!p->answer_ns || !p->processed_ns ||
		    pthread_create(&p->thread, NULL, poster_main, p) != 0) {
			free(answers);
			free(processed);
			return 1;
		}
	}
	for (int i = 0; i < threads; i++) {
		struct poster *p = &posters[i];

		pthread_join(p->thread, NULL);
		n = collect(answers, n, p->answer_ns, p->n_measured);
		m = collect(processed, m, p->processed_ns, p->n_measured);
		failed += p->n_failed;
		free(p->answer_ns);
		free(p->processed_ns);
	}
	printf("posted %d failed %d\n", n, failed);
	if (n > 0) {
		print_times("answered", answers, n);
		print_times("processed", processed, m);
	}
	free(answers);
	free(processed);
	return failed > 0 || n == 0;
}
