#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (8u << 20)
#define LINE_BYTES   256

struct ledger {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock; /* guards: filling, len, is_closing, has_failed */
	pthread_cond_t changed;
	char *filling; /* what came since the last swap */
	char *writing; /* the thread's own */
	size_t len;
	bool is_closing;
	bool has_failed;
};

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return fdatasync(fd) == 0;
}

static void *
ledger_main(void *arg)
{
	struct ledger *ledger = arg;

	pthread_mutex_lock(&ledger->lock);
	while (ledger->len > 0 || !ledger->is_closing) {
		char *bytes = ledger->filling;
		size_t len = ledger->len;
		bool is_written;

		if (len == 0) {
			pthread_cond_wait(&ledger->changed, &ledger->lock);
			continue;
		}
		ledger->filling = ledger->writing;
		ledger->writing = bytes;
		ledger->len = 0;
		pthread_mutex_unlock(&ledger->lock);
		is_written = write_all(ledger->fd, bytes, len);
		pthread_mutex_lock(&ledger->lock);
		ledger->has_failed |= !is_written;
	}
	pthread_mutex_unlock(&ledger->lock);
	return NULL;
}

int
ledger_open(struct ledger **ret, const char *path)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int err = ENOMEM;

	if (!ledger)
		return -ENOMEM;
	ledger->filling = malloc(BUFFER_BYTES);
	ledger->writing = malloc(BUFFER_BYTES);
	if (!ledger->filling || !ledger->writing)
		goto fail_buffers;
	ledger->fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (ledger->fd < 0) {
		err = errno;
		goto fail_buffers;
	}
	pthread_mutex_init(&ledger->lock, NULL);
	pthread_cond_init(&ledger->changed, NULL);
	err = pthread_create(&ledger->thread, NULL, ledger_main, ledger);
	if (err)
		goto fail_thread;
	(void)pthread_setname_np(ledger->thread, "ledger");
	*ret = ledger;
	return 0;

fail_thread:
	pthread_cond_destroy(&ledger->changed);
	pthread_mutex_destroy(&ledger->lock);
	close(ledger->fd);
fail_buffers:
	free(ledger->writing);
	free(ledger->filling);
	free(ledger);
	return -err;
}

int
ledger_add(struct ledger *ledger, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int rc = 0;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		return -EMSGSIZE;
	pthread_mutex_lock(&ledger->lock);
	if (ledger->has_failed) {
		rc = -EIO;
	} else if (BUFFER_BYTES - ledger->len < (size_t)n) {
		rc = -ENOBUFS;
	} else {
		memcpy(ledger->filling + ledger->len, line, (size_t)n);
		ledger->len += (size_t)n;
		pthread_cond_signal(&ledger->changed);
	}
	pthread_mutex_unlock(&ledger->lock);
	return rc;
}

int
ledger_close(struct ledger *ledger)
{
	int rc;

	pthread_mutex_lock(&ledger->lock);
	ledger->is_closing = true;
	pthread_cond_signal(&ledger->changed);
	pthread_mutex_unlock(&ledger->lock);
	pthread_join(ledger->thread, NULL);
	rc = ledger->has_failed ? -EIO : 0;
	if (close(ledger->fd) < 0)
		rc = -EIO;
	pthread_cond_destroy(&ledger->changed);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger->writing);
	free(ledger->filling);
	free(ledger);
	return rc;
}
