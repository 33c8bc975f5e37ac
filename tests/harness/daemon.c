#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN_MAX_S 300

int
daemon_free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	/* Stays open to the end: while it is bound, the kernel gives the port
	 * to nobody else who asks for any.  Whoever names it, may listen. */
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	return ntohs(at.sin_port);
}

static void
evhd_path(char ret[WORLD_PATH_MAX])
{
	snprintf(ret, WORLD_PATH_MAX, "%.240s/evhd", world_build_dir());
}

static char *
file_read(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t size = 1 << 22;
	char *text = calloc(1, size);

	assert_non_null(text);
	if (f) {
		size_t len = fread(text, 1, size - 1, f);

		text[len] = '\0';
		fclose(f);
	}
	return text;
}

static void
log_show(const struct daemon *d)
{
	char *text = file_read(d->log);
	size_t len = strlen(text);

	/* The end is what matters. */
	print_error("---- %s's log:\n%s----\n", d->name,
		    text + (len > 8192 ? len - 8192 : 0));
	free(text);
}

static void
notify_open(struct daemon *d, const struct world *w)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(d->notify_path, sizeof(d->notify_path), "%.60s/%.30s.sock",
		 w->dir, d->name);
	(void)unlink(d->notify_path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", d->notify_path);
	d->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(d->notify_fd >= 0);
	assert_int_equal(bind(d->notify_fd, (struct sockaddr *)&at, sizeof(at)),
			 0);
}

static void
child_run(const struct daemon *d, const char *config)
{
	char evhd[WORLD_PATH_MAX];
	char port[16];
	int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || dup2(fd, 2) < 0 || dup2(fd, 1) < 0)
		_exit(126);
	/* A test that dies takes its processes with it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(port, sizeof(port), "%d", d->api_port);
	setenv("NOTIFY_SOCKET", d->notify_path, 1);
	if (d->api_port > 0)
		setenv("EVENT_HANDLER_SERVICE_API_PORT", port, 1);
	evhd_path(evhd);
	execl(evhd, evhd, "-c", config, (char *)NULL);
	_exit(127);
}

void
daemon_start(struct daemon *d, const struct world *w, const char *name,
	     const char *config, bool has_api)
{
	*d = (struct daemon){ .name = name };
	notify_open(d, w);
	snprintf(d->log, sizeof(d->log), "%.200s/%.40s.log", w->dir, name);
	if (has_api)
		d->api_port = daemon_free_port();
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0)
		child_run(d, config);
}

void
daemon_await_ready(struct daemon *d, int timeout_ms)
{
	long due_ms = world_now_ms() + timeout_ms;
	struct pollfd pfd = { .fd = d->notify_fd, .events = POLLIN };
	char text[256];

	for (;;) {
		long left_ms = due_ms - world_now_ms();
		ssize_t n;

		if (left_ms <= 0 || waitpid(d->pid, NULL, WNOHANG) == d->pid) {
			log_show(d);
			fail_msg("%s is not ready after %d ms, or has ended",
				 d->name, timeout_ms);
		}
		if (poll(&pfd, 1, left_ms < 100 ? (int)left_ms : 100) <= 0)
			continue;
		n = recv(d->notify_fd, text, sizeof(text) - 1, 0);
		if (n <= 0)
			continue;
		text[n] = '\0';
		if (strstr(text, "READY=1"))
			return;
	}
}

static void
daemon_close(struct daemon *d)
{
	close(d->notify_fd);
	(void)unlink(d->notify_path);
	d->pid = 0;
}

struct ending {
	pid_t pid;
	int status;
};

static bool
has_ended(void *arg)
{
	struct ending *e = arg;

	return waitpid(e->pid, &e->status, WNOHANG) == e->pid;
}

int
daemon_wait(struct daemon *d, int timeout_ms)
{
	struct ending e = { .pid = d->pid };
	long due_ms = world_now_ms() + timeout_ms;

	while (!has_ended(&e)) {
		/* Between two looks: waitpid() has no deadline of its own. */
		const struct timespec pause = { 0, 10 * 1000 * 1000 };

		if (world_now_ms() > due_ms) {
			log_show(d);
			daemon_kill(d);
			fail_msg("%s has not ended within %d ms", d->name,
				 timeout_ms);
		}
		nanosleep(&pause, NULL);
	}
	daemon_close(d);
	return WIFEXITED(e.status) ? WEXITSTATUS(e.status)
				   : -WTERMSIG(e.status);
}

int
daemon_stop(struct daemon *d, int timeout_ms)
{
	assert_int_equal(kill(d->pid, SIGTERM), 0);
	return daemon_wait(d, timeout_ms);
}

void
daemon_kill(struct daemon *d)
{
	assert_int_equal(kill(d->pid, SIGKILL), 0);
	assert_int_equal(waitpid(d->pid, NULL, 0), d->pid);
	daemon_close(d);
}

int
daemon_logged(const struct daemon *d, const char *text)
{
	char *log = file_read(d->log);
	int n = 0;

	for (const char *at = log; (at = strstr(at, text)); at += strlen(text))
		n++;
	free(log);
	return n;
}

struct logged {
	const struct daemon *d;
	const char *text;
};

static bool
is_logged(void *arg)
{
	struct logged *l = arg;

	return daemon_logged(l->d, l->text) > 0;
}

void
daemon_await_logged(const struct daemon *d, const char *text, int timeout_ms)
{
	struct logged l = { d, text };

	world_await(is_logged, &l, timeout_ms, text);
}

int
daemon_admin_port(struct daemon *d)
{
	static const char says[] = "admin listening on http://127.0.0.1:";
	char *log;
	const char *at;

	if (d->admin_port > 0)
		return d->admin_port;
	daemon_await_logged(d, says, 60000);
	log = file_read(d->log);
	at = strstr(log, says);
	d->admin_port = (int)strtol(at + strlen(says), NULL, 10);
	free(log);
	return d->admin_port;
}

/* Reads all that the child says; the pipe closes when it ends. */
static char *
pipe_read(int fd)
{
	size_t len = 0;
	size_t size = 1 << 20;
	char *text = calloc(1, size);
	ssize_t n;

	assert_non_null(text);
	while ((n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	return text;
}

int
daemon_run(char **ret_out, const char *const *args)
{
	char evhd[WORLD_PATH_MAX];
	const char *argv[32];
	int n = 0;
	int fds[2];
	int status;
	pid_t pid;

	evhd_path(evhd);
	argv[n++] = evhd;
	while (*args && n < 31)
		argv[n++] = *args++;
	argv[n] = NULL;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup2(fds[1], 1) < 0 || dup2(fds[1], 2) < 0)
			_exit(126);
		/* What hangs is ended by SIGALRM. */
		alarm(RUN_MAX_S);
		execv(evhd, (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	*ret_out = pipe_read(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
