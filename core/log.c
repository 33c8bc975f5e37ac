/*
 * log.c - where entries go.
 *
 * What "must not block" means here, by what standard error or the file is:
 *
 *   pipe, terminal  opened a second time through /proc, with O_NONBLOCK.
 *                   Setting the flag on the descriptor that we were given
 *                   would set it for everyone who shares the pipe.
 *   socket          (journald) sent with MSG_DONTWAIT.
 *   anything else   asked by poll(2) just before.  A disk always says yes:
 *                   writing to a file waits as long as the disk does.
 *
 * Whatever does not take the entry at once loses it; the number of those is
 * told in an entry of its own as soon as one gets through.  An entry is never
 * longer than PIPE_BUF, up to which the kernel writes to a pipe in one piece
 * or not at all, so that lines stay whole even among several processes.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_entry.h"

enum way { WAY_POLL = 1, WAY_NONBLOCK, WAY_SEND };

/* There is one log a process: the one noun whose state is not passed. */
static struct {
	pthread_mutex_t lock; /* guards: fd, way, file, torn */
	int fd;
	enum way way;
	char *file; /* NULL: standard error */
	bool torn;  /* the last entry got there without its end */

	atomic_int level;
	atomic_int format;
	atomic_uint_fast64_t written[EVH_ERROR + 1];
	atomic_uint_fast64_t lost;
	atomic_uint_fast64_t untold; /* of those lost */

	log_taker *taker; /* set while there is one thread */
	void *taker_arg;
} out = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = STDERR_FILENO,
	.way = WAY_POLL,
	.level = EVH_INFO,
	.format = LOG_LOGFMT,
};

static const char *const format_names[] = {
	[LOG_LOGFMT] = "logfmt",
	[LOG_JSON] = "json",
};

/* ---- Output -------------------------------------------------------------- */

static ssize_t
out_try(const char *text, size_t len)
{
	struct pollfd poll_fd = { .fd = out.fd, .events = POLLOUT };

	if (out.way == WAY_SEND)
		return send(out.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (out.way == WAY_POLL &&
	    (poll(&poll_fd, 1, 0) <= 0 || poll_fd.revents != POLLOUT)) {
		errno = EAGAIN;
		return -1;
	}
	return write(out.fd, text, len);
}

static bool
out_put(const char *text, size_t len)
{
	ssize_t n;

	do
		n = out_try(text, len);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		out.torn = (size_t)n < len;
	return n == (ssize_t)len;
}

static bool
out_write(const char *text, size_t len)
{
	bool ok;

	pthread_mutex_lock(&out.lock);
	/* What follows half an entry begins a line of its own. */
	ok = !out.torn || out_put("\n", 1);
	ok = ok && out_put(text, len);
	pthread_mutex_unlock(&out.lock);
	return ok;
}

static void
out_set(int fd, enum way way, char *file)
{
	char *old_file;
	int old_fd;

	pthread_mutex_lock(&out.lock);
	old_fd = out.fd;
	old_file = out.file;
	out.fd = fd;
	out.way = way;
	out.file = file;
	out.torn = false;
	pthread_mutex_unlock(&out.lock);

	/* Nobody is writing to it: that happens under the lock. */
	if (old_fd != STDERR_FILENO)
		close(old_fd);
	if (old_file != file)
		free(old_file);
}

static int
file_open(const char *file)
{
	/* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
	int fd = open(file,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK,
		      0640);

	return fd < 0 ? -errno : fd;
}

/*
 * If evhd was started without a standard error, the next thing that is opened
 * would get its number: a socket to a database, and our lines with it.
 */
static int
stderr_exists(void)
{
	int fd;

	if (fcntl(STDERR_FILENO, F_GETFD) >= 0)
		return 0;

	fd = open("/dev/null", O_WRONLY);
	if (fd < 0)
		return -errno;
	if (fd == STDERR_FILENO)
		return 0;

	if (dup2(fd, STDERR_FILENO) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	close(fd);
	return 0;
}

static int
stderr_open(enum way *ret_way)
{
	struct stat st;
	int rc, fd;

	rc = stderr_exists();
	if (rc < 0)
		return rc;
	if (fstat(STDERR_FILENO, &st) < 0)
		return -errno;

	*ret_way = S_ISSOCK(st.st_mode) ? WAY_SEND : WAY_POLL;
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return STDERR_FILENO;

	fd = open("/proc/self/fd/2",
		  O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return STDERR_FILENO; /* not ours, or no /proc: poll */
	*ret_way = WAY_NONBLOCK;
	return fd;
}

/* ---- Public -------------------------------------------------------------- */

int
log_open(enum evh_level level, enum log_format format, const char *file)
{
	enum way way = WAY_NONBLOCK;
	char *copy = NULL;
	int fd;

	if (file) {
		copy = strdup(file);
		if (!copy)
			return -ENOMEM;
	}
	fd = file ? file_open(file) : stderr_open(&way);
	if (fd < 0) {
		free(copy);
		log_write(EVH_ERROR, NULL, "cannot open the log %s: %s",
			  file ? file : "on standard error", strerror(-fd));
		return fd;
	}

	signal(SIGPIPE, SIG_IGN);
	out_set(fd, way, copy);
	atomic_store(&out.level, (int)level);
	atomic_store(&out.format, (int)format);
	return 0;
}

int
log_reopen(void)
{
	int fd;

	if (!out.file) /* only this thread changes it */
		return 0;

	fd = file_open(out.file);
	if (fd < 0) {
		log_write(EVH_ERROR, NULL,
			  "cannot reopen the log %s: %s; the old one goes on",
			  out.file, strerror(-fd));
		return fd;
	}
	out_set(fd, WAY_NONBLOCK, out.file);
	return 0;
}

void
log_close(void)
{
	out_set(STDERR_FILENO, WAY_POLL, NULL);
	atomic_store(&out.level, EVH_INFO);
	atomic_store(&out.format, LOG_LOGFMT);
}

void
log_divert(log_taker *taker, void *arg)
{
	out.taker = taker;
	out.taker_arg = arg;
}

bool
log_wants(enum evh_level level)
{
	return (int)level >=
	       atomic_load_explicit(&out.level, memory_order_relaxed);
}

static bool
entry_write(enum evh_level level, const struct log_facts *facts,
	    const char *msg)
{
	char entry[LOG_ENTRY_SIZE];
	size_t len = log_entry_format((enum log_format)atomic_load(&out.format),
				      level, facts, msg, entry);

	if (out_write(entry, len)) {
		atomic_fetch_add(&out.written[level], 1);
		return true;
	}
	atomic_fetch_add(&out.lost, 1);
	atomic_fetch_add(&out.untold, 1);
	return false;
}

/* An entry has got through: tells how many before it did not. */
static void
tell_lost(void)
{
	static const struct log_facts none;
	uint64_t n = atomic_exchange(&out.untold, 0);
	char msg[80];

	if (n == 0)
		return;
	snprintf(msg, sizeof(msg), "%" PRIu64 " log entries were lost", n);
	if (!entry_write(EVH_WARN, &none, msg))
		atomic_fetch_add(&out.untold, n);
}

void
log_vwrite(enum evh_level level, const struct log_facts *facts, const char *fmt,
	   va_list args)
{
	static const struct log_facts none;
	int saved_errno = errno;
	char msg[LOG_ENTRY_SIZE]; /* what is longer is cut to fit the entry */

	if (!log_wants(level))
		return;
	if (level < EVH_DEBUG || level > EVH_ERROR)
		level = EVH_ERROR; /* a plugin's mistake is no reason to hide */
	if (vsnprintf(msg, sizeof(msg), fmt, args) < 0)
		snprintf(msg, sizeof(msg), "unprintable message: %s", fmt);
	if (out.taker)
		out.taker(out.taker_arg, level, facts ? facts : &none, msg);
	else if (entry_write(level, facts ? facts : &none, msg))
		tell_lost();
	errno = saved_errno;
}

void
log_write(enum evh_level level, const struct log_facts *facts, const char *fmt,
	  ...)
{
	va_list args;

	va_start(args, fmt);
	log_vwrite(level, facts, fmt, args);
	va_end(args);
}

uint64_t
log_count(enum evh_level level)
{
	if (level < EVH_DEBUG || level > EVH_ERROR)
		return 0;
	return atomic_load(&out.written[level]);
}

uint64_t
log_count_lost(void)
{
	return atomic_load(&out.lost);
}

enum evh_level
log_level_from(const char *name)
{
	int i;

	for (i = EVH_DEBUG; i <= EVH_ERROR; i++)
		if (strcmp(name, log_entry_levels[i]) == 0)
			return (enum evh_level)i;
	return (enum evh_level)0;
}

enum log_format
log_format_from(const char *name)
{
	int i;

	for (i = LOG_LOGFMT; i <= LOG_JSON; i++)
		if (strcmp(name, format_names[i]) == 0)
			return (enum log_format)i;
	return (enum log_format)0;
}
