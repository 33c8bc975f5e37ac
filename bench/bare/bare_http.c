/*
 * bare_http.c - what the libraries can do for `POST /api/v1/events` with
 * nothing around them: libmicrohttpd, jansson, librdkafka.
 *
 *   bare_http PORT direct                        201 from memory
 *   bare_http PORT kafka BROKERS TOPIC LINGER    201 from the delivery report
 *
 * One epoll loop and one producer, idempotent, acks=all: the arrangement that
 * did best of those tried.  Checks of the request, limits, deadlines, reads
 * and everything else that a service needs are left out on purpose.
 */
#include <errno.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 131072 /* what is not touched costs nothing */

struct request {
	struct bare *bare;
	struct MHD_Connection *connection;
	struct request *next;
	size_t len;
	int is_done;
	int failed;
	char body[BODY_MAX];
};

struct bare {
	struct MHD_Daemon *daemon;
	struct MHD_Response *created, *refused;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	int wake_fd;
	pthread_mutex_t lock; /* guards: done, pool */
	struct request *done;
	struct request *pool;
};

static volatile sig_atomic_t stops;

static void
on_signal(int signo)
{
	(void)signo;
	stops = 1;
}

static void
fail(const char *what)
{
	fprintf(stderr, "bare_http: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct request *
request_new(struct bare *bare)
{
	struct request *r;

	pthread_mutex_lock(&bare->lock);
	r = bare->pool;
	if (r)
		bare->pool = r->next;
	pthread_mutex_unlock(&bare->lock);
	if (!r)
		r = malloc(sizeof(*r));
	if (!r)
		fail("malloc");
	r->bare = bare;
	r->len = 0;
	r->is_done = 0;
	r->failed = 0;
	return r;
}

static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode code)
{
	struct bare *bare = cls;
	struct request *r = *con_cls;

	(void)connection;
	(void)code;
	if (!r)
		return;
	pthread_mutex_lock(&bare->lock);
	r->next = bare->pool;
	bare->pool = r;
	pthread_mutex_unlock(&bare->lock);
	*con_cls = NULL;
}

/* The event's name and data must be there: the least that has to be parsed. */
static int
is_event(const char *body, size_t len)
{
	json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	int is = json_is_string(json_object_get(json, "name")) &&
		 json_is_object(json_object_get(json, "data"));

	json_decref(json);
	return is;
}

static enum MHD_Result
answer(struct bare *bare, struct MHD_Connection *connection, int failed)
{
	return MHD_queue_response(connection, failed ? 503 : 201,
				  failed ? bare->refused : bare->created);
}

static enum MHD_Result
body_complete(struct bare *bare, struct request *r)
{
	if (!is_event(r->body, r->len))
		return MHD_queue_response(r->connection, 422, bare->refused);
	if (!bare->rk)
		return answer(bare, r->connection, 0);
	MHD_suspend_connection(r->connection);
	if (rd_kafka_produce(bare->topic, RD_KAFKA_PARTITION_UA,
			     RD_KAFKA_MSG_F_COPY, r->body, r->len, NULL, 0,
			     r) == 0)
		return MHD_YES;
	MHD_resume_connection(r->connection);
	r->is_done = r->failed = 1;
	return MHD_YES;
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url,
       const char *method, const char *version, const char *upload,
       size_t *upload_size, void **con_cls)
{
	struct bare *bare = cls;
	struct request *r = *con_cls;

	(void)url;
	(void)method;
	(void)version;
	if (!r) {
		*con_cls = r = request_new(bare);
		r->connection = connection;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		size_t room = sizeof(r->body) - r->len;
		size_t n = *upload_size < room ? *upload_size : room;

		memcpy(r->body + r->len, upload, n);
		r->len += n;
		*upload_size = 0;
		return MHD_YES;
	}
	if (r->is_done)
		return answer(bare, connection, r->failed);
	return body_complete(bare, r);
}

static void
delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct bare *bare = opaque;
	struct request *r = message->_private;
	int was_empty;
	uint64_t one = 1;

	(void)rk;
	r->is_done = 1;
	r->failed = message->err != 0;
	pthread_mutex_lock(&bare->lock);
	was_empty = !bare->done;
	r->next = bare->done;
	bare->done = r;
	pthread_mutex_unlock(&bare->lock);
	if (was_empty && write(bare->wake_fd, &one, sizeof(one)) < 0)
		fail("eventfd");
}

static void *
reports_main(void *arg)
{
	struct bare *bare = arg;

	while (!stops)
		rd_kafka_poll(bare->rk, 100);
	return NULL;
}

static void
conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char error[256];

	if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != 0) {
		fprintf(stderr, "bare_http: %s\n", error);
		exit(1);
	}
}

static void
kafka_open(struct bare *bare, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char error[256];

	conf_set(conf, "bootstrap.servers", argv[0]);
	conf_set(conf, "linger.ms", argv[2]);
	conf_set(conf, "enable.idempotence", "true");
	conf_set(conf, "acks", "all");
	conf_set(conf, "socket.nagle.disable", "true");
	rd_kafka_conf_set_opaque(conf, bare);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	bare->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
	if (!bare->rk) {
		fprintf(stderr, "bare_http: %s\n", error);
		exit(1);
	}
	bare->topic = rd_kafka_topic_new(bare->rk, argv[1], NULL);
}

static int
listen_on(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 1024) < 0)
		fail("listen");
	return fd;
}

static void
resume_all(struct bare *bare)
{
	struct request *r;
	uint64_t count;

	if (read(bare->wake_fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&bare->lock);
	r = bare->done;
	bare->done = NULL;
	pthread_mutex_unlock(&bare->lock);
	while (r) {
		struct request *next = r->next;

		MHD_resume_connection(r->connection);
		r = next;
	}
}

static void
loop(struct bare *bare)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(bare->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2] = { { info->epoll_fd, POLLIN, 0 },
				 { bare->wake_fd, POLLIN, 0 } };

	while (!stops) {
		MHD_UNSIGNED_LONG_LONG wait_ms = 100;

		if (MHD_get_timeout(bare->daemon, &wait_ms) != MHD_YES ||
		    wait_ms > 100)
			wait_ms = 100;
		if (poll(fds, 2, (int)wait_ms) < 0 && errno != EINTR)
			fail("poll");
		if (fds[1].revents)
			resume_all(bare);
		MHD_run(bare->daemon);
	}
}

int
main(int argc, char **argv)
{
	static char created[] = "{\"id\":\"00000000-0000-0000-0000-"
				"000000000000\",\"status\":\"pending\"}";
	static char refused[] = "{\"detail\":\"no\"}";
	static struct bare bare = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t reports;

	if (argc != 3 && argc != 6) {
		fprintf(stderr, "usage: bare_http PORT direct | PORT kafka "
				"BROKERS TOPIC LINGER\n");
		return 64;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	bare.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	bare.created = MHD_create_response_from_buffer(strlen(created), created,
						       MHD_RESPMEM_PERSISTENT);
	bare.refused = MHD_create_response_from_buffer(strlen(refused), refused,
						       MHD_RESPMEM_PERSISTENT);
	if (argc == 6) {
		kafka_open(&bare, argv + 3);
		pthread_create(&reports, NULL, reports_main, &bare);
	}
	bare.daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle,
		&bare, MHD_OPTION_LISTEN_SOCKET,
		listen_on((int)strtol(argv[1], NULL, 10)),
		MHD_OPTION_CONNECTION_LIMIT, 2000U, MHD_OPTION_NOTIFY_COMPLETED,
		completed, &bare, MHD_OPTION_END);
	if (!bare.daemon)
		fail("MHD_start_daemon");
	loop(&bare);
	/* A benchmark's process: the system takes back what it holds. */
	_exit(0);
}
