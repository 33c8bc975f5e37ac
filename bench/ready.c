/*
 * ready.c - how long a service takes from its start to READY=1, and how much
 * of that it computed itself.
 *
 *   ready COMMAND [ARGUMENT...]      prints: wall_ms W cpu_ms C
 *
 * It is told to stop then.  Ends with 1 if it was not ready within 30 s.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 30000

static int64_t
now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* An abstract socket: no file is left behind.  Its name goes to the child. */
static int
notify_listen(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int len = snprintf(name, sizeof(name), "@evh-ready-%d", (int)getpid());

	if (fd < 0)
		return -1;
	memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
	if (bind(fd, (struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     (size_t)len)) < 0 ||
	    setenv("NOTIFY_SOCKET", name, 1) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
await_ready(int fd, int64_t begin_ns)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char text[1024];

	for (;;) {
		int64_t past_ms =
			(now_ns(CLOCK_MONOTONIC) - begin_ns) / 1000000;
		ssize_t n;

		if (past_ms >= LIMIT_MS ||
		    poll(&p, 1, (int)(LIMIT_MS - past_ms)) <= 0)
			return -1;
		n = recv(fd, text, sizeof(text) - 1, 0);
		if (n < 0)
			return -1;
		text[n] = '\0';
		if (strstr(text, "READY=1"))
			return 0;
	}
}

int
main(int argc, char **argv)
{
	int64_t begin_ns, wall_ns, cpu_ns = 0;
	clockid_t clock;
	int fd, rc, status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: ready COMMAND [ARGUMENT...]\n");
		return 64;
	}
	fd = notify_listen();
	if (fd < 0) {
		fprintf(stderr, "ready: socket: %s\n", strerror(errno));
		return 1;
	}
	begin_ns = now_ns(CLOCK_MONOTONIC);
	pid = fork();
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0) {
		fprintf(stderr, "ready: fork: %s\n", strerror(errno));
		return 1;
	}
	rc = await_ready(fd, begin_ns);
	wall_ns = now_ns(CLOCK_MONOTONIC) - begin_ns;
	if (clock_getcpuclockid(pid, &clock) == 0)
		cpu_ns = now_ns(clock);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	if (rc < 0) {
		fprintf(stderr, "ready: %s was not ready within %d s\n",
			argv[1], LIMIT_MS / 1000);
		return 1;
	}
	printf("wall_ms %.1f cpu_ms %.1f\n", (double)wall_ns / 1e6,
	       (double)cpu_ns / 1e6);
	return 0;
}
