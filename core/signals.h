/*
 * signals.h - the signals that evhd knows, read by its main thread.
 *
 * They are blocked before any thread is started, so that all inherit that, and
 * come by a file descriptor: nothing ever runs in a signal handler.
 */
#ifndef EVH_SIGNALS_H
#define EVH_SIGNALS_H

#include <stdbool.h>

/* Blocks SIGTERM, SIGINT and SIGHUP, ignores SIGPIPE; gives a descriptor that
 * can be read when one has come.  0 or -errno, logged. [main] */
int signals_open(int *ret_fd);

/* SIGHUP is done, which is to reopen the log; true when evhd is to stop. */
bool signals_read(int fd);

#endif
