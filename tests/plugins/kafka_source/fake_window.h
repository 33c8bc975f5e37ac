/*
 * fake_window.h - what is in flight in a fake host (fake_host.h): the events
 * that the source has made, how many of them it may emit, and the thread that
 * answers them.
 */
#ifndef KAFKA_SOURCE_TEST_FAKE_WINDOW_H
#define KAFKA_SOURCE_TEST_FAKE_WINDOW_H

struct fake_host;

/* Sets the functions of its ctx that have to do with events. */
void fake_window_init(struct fake_host *host);
/* Answers begin; 0 or -errno.  And they end: what is not answered then stays
 * as it is. */
int fake_window_open(struct fake_host *host);
void fake_window_close(struct fake_host *host);

#endif
