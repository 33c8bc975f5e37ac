/*
 * test_plugin.c - the plugin as evhd loads it, behind a fake ctx and a fake
 * evh.host/1, asked by libcurl and by bare sockets.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <evh/plugin.h>
#include <evh/services.h>

#define WAIT_MS 60000 /* what the plugin does, on any machine */

/* ---- The other side of the ABI ------------------------------------------- */

struct bench {
	struct evh_ctx ctx;
	struct evh_host host;
	bool no_host;
	atomic_bool ready;
	char listen[64];
	int64_t connections;
	/* What was logged last, but for debug. */
	enum evh_level level;
	char logged[256];
	char debugged[256]; /* by MHD's thread */

	const struct evh_plugin *plugin;
	void *self;
	char url[128];
	unsigned short port;
};

static struct bench *
bench_of(struct evh_ctx *ctx)
{
	return (struct bench *)((char *)ctx - offsetof(struct bench, ctx));
}

static const char *
fake_opt_str(struct evh_ctx *ctx, const char *name)
{
	assert_string_equal(name, "listen");
	return bench_of(ctx)->listen;
}

static int64_t
fake_opt_int(struct evh_ctx *ctx, const char *name)
{
	assert_string_equal(name, "connections");
	return bench_of(ctx)->connections;
}

static void EVH_PRINTF(3, 4) fake_log(struct evh_ctx *ctx, enum evh_level level,
				      const char *fmt, ...)
{
	struct bench *bench = bench_of(ctx);
	va_list args;

	va_start(args, fmt);
	if (level == EVH_DEBUG) { /* from MHD's thread */
		vsnprintf(bench->debugged, sizeof(bench->debugged), fmt, args);
		va_end(args);
		return;
	}
	vsnprintf(bench->logged, sizeof(bench->logged), fmt, args);
	va_end(args);
	bench->level = level;
}

static const void *
fake_service(struct evh_ctx *ctx, const char *name, const char *id)
{
	assert_null(name);
	assert_string_equal(id, "evh.host/1");
	return bench_of(ctx)->no_host ? NULL : &bench_of(ctx)->host;
}

static const char state_ready[] = "{\"status\":\"ready\",\"reasons\":[]}";
static const char state_not[] =
	"{\"status\":\"not ready\",\"reasons\":[\"kafka: "
	"away\"],\"checks\":{}}";

static int
fake_state(void *self, evh_put *put, void *arg)
{
	struct bench *bench = self;
	bool ready = atomic_load(&bench->ready);
	const char *text = ready ? state_ready : state_not;

	if (put) {
		put(arg, text, 10);
		put(arg, text + 10, strlen(text) - 10);
	}
	return ready ? 0 : -EAGAIN;
}

static int
fake_metrics(void *self, evh_put *put, void *arg)
{
	char line[32];
	int i, n;

	(void)self;
	for (i = 0; i < 20000; i++) { /* more than a socket takes at once */
		n = snprintf(line, sizeof(line), "evh_m{i=\"%05d\"} 1\n", i);
		put(arg, line, (size_t)n);
	}
	return 0;
}

static struct bench *
bench_new(const char *listen)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char file[512];
	void *so;

	assert_non_null(bench);
	assert_non_null(getenv("EVH_BUILD_DIR"));
	snprintf(file, sizeof(file), "%s/plugins/admin.so",
		 getenv("EVH_BUILD_DIR"));
	so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		fail_msg("%s", dlerror());
	bench->plugin = dlsym(so, "evh_plugin");
	assert_non_null(bench->plugin);

	bench->ctx = (struct evh_ctx){
		.size = sizeof(struct evh_ctx),
		.event_size = sizeof(struct evh_event),
		.name = "admin",
		.opt_str = fake_opt_str,
		.opt_int = fake_opt_int,
		.log = fake_log,
		.service = fake_service,
	};
	bench->host = (struct evh_host){ bench, fake_state, fake_metrics };
	bench->connections = 32;
	snprintf(bench->listen, sizeof(bench->listen), "%s", listen);
	return bench;
}

static void
bench_start(struct bench *bench)
{
	static const char said[] = "admin listening on ";

	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self), 0);
	assert_int_equal(bench->plugin->start(bench->self), 0);
	assert_int_equal(bench->level, EVH_INFO);
	assert_memory_equal(bench->logged, said, sizeof(said) - 1);
	snprintf(bench->url, sizeof(bench->url), "%s",
		 bench->logged + sizeof(said) - 1);
	bench->port =
		(unsigned short)strtoul(strrchr(bench->url, ':') + 1, NULL, 10);
}

static int
bench_make(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");

	bench_start(bench);
	*state = bench;
	return 0;
}

static int
bench_remove(void **state)
{
	struct bench *bench = *state;

	bench->plugin->stop(bench->self, 1000);
	bench->plugin->destroy(bench->self);
	free(bench);
	return 0;
}

/* ---- The client ------------------------------------------------------------
 */

struct got {
	CURL *curl;
	char body[1 << 20];
	size_t len;
	char headers[4096];
	size_t headers_len;
	long status;
	long connects;
};

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct got *got = arg;

	if (one * n >= sizeof(got->body) - got->len)
		return 0;
	memcpy(got->body + got->len, data, one * n);
	got->len += one * n;
	got->body[got->len] = '\0';
	return n;
}

static size_t
on_header(char *data, size_t one, size_t n, void *arg)
{
	struct got *got = arg;

	if (one * n >= sizeof(got->headers) - got->headers_len)
		return 0;
	memcpy(got->headers + got->headers_len, data, one * n);
	got->headers_len += one * n;
	got->headers[got->headers_len] = '\0';
	return n;
}

static struct got *
got_new(void)
{
	struct got *got = calloc(1, sizeof(*got));

	assert_non_null(got);
	got->curl = curl_easy_init();
	assert_non_null(got->curl);
	return got;
}

static void
got_free(struct got *got)
{
	curl_easy_cleanup(got->curl);
	free(got);
}

/* Over the connection of the last time, if it is still there. */
static CURLcode
ask(struct got *got, const struct bench *bench, const char *method,
    const char *target, const char *body)
{
	char url[512];
	CURLcode rc;

	snprintf(url, sizeof(url), "%s%s", bench->url, target);
	got->len = got->headers_len = 0;
	got->body[0] = '\0';
	curl_easy_reset(got->curl);
	curl_easy_setopt(got->curl, CURLOPT_URL, url);
	curl_easy_setopt(got->curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(got->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(got->curl, CURLOPT_TIMEOUT_MS, (long)WAIT_MS);
	curl_easy_setopt(got->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(got->curl, CURLOPT_WRITEDATA, got);
	curl_easy_setopt(got->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(got->curl, CURLOPT_HEADERDATA, got);
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(got->curl, CURLOPT_NOBODY, 1L);
	else if (body)
		curl_easy_setopt(got->curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(got->curl, CURLOPT_CUSTOMREQUEST, method);
	rc = curl_easy_perform(got->curl);
	curl_easy_getinfo(got->curl, CURLINFO_RESPONSE_CODE, &got->status);
	curl_easy_getinfo(got->curl, CURLINFO_NUM_CONNECTS, &got->connects);
	return rc;
}

static void
answers(struct got *got, const struct bench *bench, const char *method,
	const char *target, long status, const char *body)
{
	assert_int_equal(ask(got, bench, method, target, NULL), CURLE_OK);
	assert_int_equal(got->status, status);
	assert_string_equal(got->body, body);
}

static int
socket_to(const struct bench *bench)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(bench->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void
socket_send(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

/* Reads until the other side closes, or for timeout_ms; false then. */
static bool
socket_read(int fd, char *ret, size_t size, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	for (;;) {
		ret[len] = '\0';
		if (poll(&poll_fd, 1, timeout_ms) <= 0)
			return false;
		n = recv(fd, ret + len, size - 1 - len, 0);
		if (n <= 0)
			return true;
		len += (size_t)n;
	}
}

/* Reads until an answer with this text has come, with a minute's patience. */
static void
socket_hears(int fd, const char *what, char *ret, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	ret[0] = '\0';
	while (!strstr(ret, what)) {
		assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
		n = recv(fd, ret + len, size - 1 - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
		ret[len] = '\0';
	}
}

/* ---- Pages ------------------------------------------------------------------
 */

static void
pages_are_served_over_one_connection(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	assert_non_null(strstr(got->headers, "application/json"));
	assert_int_equal(got->connects, 1);
	answers(got, bench, "GET", "/readyz", 503,
		"{\"status\":\"not ready\",\"reasons\":[\"kafka: away\"]}");
	answers(got, bench, "GET", "/readyz?verbose", 503, state_not);
	answers(got, bench, "GET", "/readyz?x=1&verbose=1", 503, state_not);
	atomic_store(&bench->ready, true);
	answers(got, bench, "GET", "/readyz", 200, "{\"status\":\"ready\"}");
	answers(got, bench, "GET", "/readyz?verbose", 200, state_ready);
	answers(got, bench, "GET", "/nowhere", 404,
		"{\"detail\":\"Not Found\"}");
	answers(got, bench, "GET", "/live%7a", 404,
		"{\"detail\":\"Not Found\"}");
	answers(got, bench, "GET", "/livez/", 404,
		"{\"detail\":\"Not Found\"}");
	assert_int_equal(got->connects, 0);
	got_free(got);
}

static void
a_page_of_any_length_comes_whole(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	assert_int_equal(ask(got, bench, "GET", "/metrics", NULL), CURLE_OK);
	assert_int_equal(got->status, 200);
	assert_non_null(strstr(got->headers, "Content-Type: text/plain; "
					     "version=0.0.4; charset=utf-8"));
	assert_int_equal(got->len, 20000 * 19);
	assert_string_equal(got->body + got->len - 19,
			    "evh_m{i=\"19999\"} 1\n");
	got_free(got);
}

static void
head_is_get_without_the_body(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	answers(got, bench, "HEAD", "/readyz", 503, "");
	assert_non_null(strstr(got->headers, "Content-Length: 48\r\n"));
	answers(got, bench, "HEAD", "/nowhere", 404, "");
	got_free(got);
}

static void
another_method_gets_405_and_what_is_allowed(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();

	answers(got, bench, "DELETE", "/metrics", 405,
		"{\"detail\":\"Method Not Allowed\"}");
	assert_non_null(strstr(got->headers, "Allow: GET, HEAD\r\n"));
	got_free(got);
}

static void
a_body_is_not_read_and_ends_the_connection(void **state)
{
	static const char *const requests[] = {
		"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n"
		"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
	};
	struct bench *bench = *state;
	char text[4096];
	size_t i;

	for (i = 0; i < 3; i++) {
		int fd = socket_to(bench);

		socket_send(fd, requests[i]);
		assert_true(socket_read(fd, text, sizeof(text), WAIT_MS));
		assert_memory_equal(
			text, i == 0 ? "HTTP/1.1 405" : "HTTP/1.1 200", 12);
		assert_non_null(strstr(text, "Connection: close\r\n"));
		assert_null(strstr(text, "404"));
		close(fd);
	}
}

static void
headers_beyond_the_limit_are_refused(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	char text[4096], line[1024];
	int i, fd = socket_to(bench);

	memset(line, 'a', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	socket_send(fd, "GET /livez HTTP/1.1\r\nHost: a\r\n");
	for (i = 0; i < 20; i++)
		if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			break;
	assert_true(socket_read(fd, text, sizeof(text), WAIT_MS));
	assert_null(strstr(text, "alive"));
	close(fd);
	answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	got_free(got);
}

static void
without_a_host_there_is_still_livez(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	struct got *got = got_new();

	(void)state;
	bench->no_host = true;
	bench_start(bench);
	answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	answers(got, bench, "GET", "/metrics", 501,
		"{\"detail\":\"This evhd does not offer it\"}");
	got_free(got);
	bench_remove((void **)&bench);
}

/* ---- Connections ------------------------------------------------------------
 */

static void
one_that_says_nothing_holds_up_nobody_and_is_closed_after_5_s(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	struct timespec before, after;
	int fd = socket_to(bench), half = socket_to(bench);
	char text[256];

	clock_gettime(CLOCK_MONOTONIC, &before);
	socket_send(half, "GET /livez HTT");
	answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	assert_true(socket_read(half, text, sizeof(text), WAIT_MS));
	assert_true(socket_read(fd, text, sizeof(text), WAIT_MS));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 4, WAIT_MS / 1000);
	close(fd);
	close(half);
	got_free(got);
}

static void
beyond_the_limit_the_longest_without_an_answer_goes(void **state)
{
	static const char request[] = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
	struct bench *bench = bench_new("127.0.0.1:0");
	char text[1024];
	int silent, kept, third;

	(void)state;
	bench->connections = 2;
	bench_start(bench);
	silent = socket_to(bench);
	socket_send(silent, "GET /li");
	kept = socket_to(bench);
	socket_send(kept, request);
	socket_hears(kept, "alive", text, sizeof(text));
	socket_send(silent, "vez HT"); /* no end of it */

	third = socket_to(bench);
	socket_send(third, request);
	socket_hears(third, "alive", text, sizeof(text));
	assert_true(socket_read(silent, text, sizeof(text), WAIT_MS));
	assert_string_equal(text, "");
	socket_send(kept, request);
	socket_hears(kept, "alive", text, sizeof(text));
	close(silent);
	close(kept);
	close(third);
	bench_remove((void **)&bench);
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
a_start_that_fails_leaves_no_socket(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	struct rlimit before, tight;
	unsigned n_open;

	(void)state;
	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self), 0);
	n_open = count_fds();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)dup(0) + 1; /* room for the listener alone */
	close((int)tight.rlim_cur - 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_true(bench->plugin->start(bench->self) < 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(count_fds(), n_open);
	assert_string_equal(bench->logged, "libmicrohttpd does not start");
	bench->plugin->destroy(bench->self);
	free(bench);
}

static void
of_the_librarys_messages_only_the_form_is_logged(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0");
	char text[1024];
	int fd;

	(void)state;
	bench_start(bench);
	fd = socket_to(bench);
	socket_send(fd, "GET /livez HTTP/1.1\r\nSecret: \r\nno colon\r\n\r\n");
	assert_true(socket_read(fd, text, sizeof(text), WAIT_MS));
	close(fd);
	bench->plugin->stop(bench->self, 1000); /* its thread has ended */
	bench->plugin->destroy(bench->self);
	assert_memory_equal(bench->debugged, "libmicrohttpd: ", 15);
	assert_non_null(strchr(bench->debugged, '%'));
	free(bench);
}

/* Returns NULL when all was well. */
static void *
ask_many(void *arg)
{
	struct got *got = got_new();
	unsigned wrong = 0;
	int i;

	for (i = 0; i < 20; i++) {
		if (ask(got, arg, "GET", "/metrics", NULL) != CURLE_OK ||
		    got->len != 20000 * 19)
			wrong++;
		if (ask(got, arg, "GET", "/readyz?verbose", NULL) != CURLE_OK ||
		    got->status != 503)
			wrong++;
	}
	got_free(got);
	return wrong > 0 ? arg : NULL;
}

static void
several_clients_at_once_are_all_served(void **state)
{
	pthread_t threads[4];
	void *wrong;
	int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, ask_many, *state), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

static void
its_thread_has_a_name(void **state)
{
	struct bench *bench = *state;
	struct got *got = got_new();
	struct dirent *entry;
	char file[300], name[32];
	bool found = false;
	DIR *dir;

	answers(got, bench, "GET", "/livez", 200, "{\"status\":\"alive\"}");
	got_free(got);
	dir = opendir("/proc/self/task");
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		FILE *f;

		snprintf(file, sizeof(file), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(file, "re");
		if (f && fgets(name, sizeof(name), f))
			found |= strcmp(name, "admin\n") == 0;
		if (f)
			fclose(f);
	}
	closedir(dir);
	assert_true(found);
}

/* ---- Life
 * --------------------------------------------------------------------- */

static bool
port_is_free(unsigned short port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	assert_true(fd >= 0);
	is_free = bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return is_free;
}

/* The first of two below those that the kernel gives to anybody who asks. */
static unsigned short
two_free_ports(void)
{
	unsigned short port = (unsigned short)(20000 + getpid() % 5000 * 2);

	while (!port_is_free(port) || !port_is_free(port + 1)) {
		port = (unsigned short)(port + 2);
		assert_true(port < 32000);
	}
	return port;
}

static void
replicas_share_a_range_until_no_port_is_free(void **state)
{
	struct got *got = got_new();
	struct bench *bench[3];
	unsigned short port;
	char listen[64];
	int i;

	(void)state;
	port = two_free_ports();
	snprintf(listen, sizeof(listen), "127.0.0.1:%u-%u", port, port + 1u);
	for (i = 0; i < 3; i++)
		bench[i] = bench_new(listen);

	bench_start(bench[0]);
	bench_start(bench[1]);
	assert_int_equal(bench[0]->port, port);
	assert_int_equal(bench[1]->port, port + 1);
	answers(got, bench[1], "GET", "/livez", 200, "{\"status\":\"alive\"}");

	assert_int_equal(
		bench[2]->plugin->create(&bench[2]->ctx, &bench[2]->self), 0);
	assert_int_equal(bench[2]->plugin->start(bench[2]->self), -EADDRINUSE);
	assert_int_equal(bench[2]->level, EVH_ERROR);
	assert_non_null(strstr(bench[2]->logged, "no free port"));
	assert_non_null(strstr(bench[2]->logged, listen));
	bench[2]->plugin->destroy(bench[2]->self);
	free(bench[2]);

	got_free(got);
	bench_remove((void **)&bench[0]);
	bench_remove((void **)&bench[1]);
}

static void
a_malformed_listen_is_refused_with_a_sentence(void **state)
{
	struct bench *bench = bench_new("127.0.0.1");

	(void)state;
	assert_int_equal(bench->plugin->create(&bench->ctx, &bench->self),
			 -EINVAL);
	assert_int_equal(bench->level, EVH_ERROR);
	assert_string_equal(bench->logged,
			    "listen = \"127.0.0.1\": there is no port: "
			    "HOST:PORT or HOST:FIRST-LAST");
	free(bench);
}

static void
stop_ends_all_connections_and_frees_the_port(void **state)
{
	struct bench *bench = bench_new("127.0.0.1:0"), *next;
	char text[64], listen[64];
	int fd, i;

	(void)state;
	bench_start(bench);
	fd = socket_to(bench);
	socket_send(fd, "GET /liv");
	bench->plugin->stop(bench->self, 1000);
	assert_true(socket_read(fd, text, sizeof(text), WAIT_MS));
	close(fd);

	/* The same instance may start again, on the same port. */
	snprintf(listen, sizeof(listen), "127.0.0.1:%u", bench->port);
	bench->plugin->destroy(bench->self);
	for (i = 0; i < 2; i++) {
		next = bench_new(listen);
		bench_start(next);
		bench_remove((void **)&next);
	}
	free(bench);
}

static void
the_descriptor_says_what_it_is(void **state)
{
	struct bench *bench = bench_new("");
	const struct evh_option *option = bench->plugin->options;

	(void)state;
	assert_int_equal(bench->plugin->abi, EVH_ABI);
	assert_int_equal(bench->plugin->size, sizeof(struct evh_plugin));
	assert_int_equal(bench->plugin->kind, EVH_SERVICE);
	assert_string_equal(bench->plugin->name, "admin");
	assert_string_equal(option[0].name, "listen");
	assert_string_equal(option[0].def, "127.0.0.1:9901-9932");
	assert_string_equal(option[1].name, "connections");
	assert_string_equal(option[1].def, "32");
	assert_null(option[2].name);
	free(bench);
}

int
main(void)
{
#define STARTED(test)                                                          \
	cmocka_unit_test_setup_teardown(test, bench_make, bench_remove)
	const struct CMUnitTest tests[] = {
		STARTED(pages_are_served_over_one_connection),
		STARTED(a_page_of_any_length_comes_whole),
		STARTED(head_is_get_without_the_body),
		STARTED(another_method_gets_405_and_what_is_allowed),
		STARTED(a_body_is_not_read_and_ends_the_connection),
		STARTED(headers_beyond_the_limit_are_refused),
		cmocka_unit_test(without_a_host_there_is_still_livez),
		STARTED(one_that_says_nothing_holds_up_nobody_and_is_closed_after_5_s),
		cmocka_unit_test(
			beyond_the_limit_the_longest_without_an_answer_goes),
		cmocka_unit_test(a_start_that_fails_leaves_no_socket),
		cmocka_unit_test(
			of_the_librarys_messages_only_the_form_is_logged),
		STARTED(several_clients_at_once_are_all_served),
		STARTED(its_thread_has_a_name),
		cmocka_unit_test(replicas_share_a_range_until_no_port_is_free),
		cmocka_unit_test(a_malformed_listen_is_refused_with_a_sentence),
		cmocka_unit_test(stop_ends_all_connections_and_frees_the_port),
		cmocka_unit_test(the_descriptor_says_what_it_is),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
