/*
 * desk.h - where whoever asks for dead letters is served: evh.dead/1 for a
 * keeper that may wait.
 *
 * The service's functions only queue what is asked; one thread takes one
 * request after the other and calls the keeper, which reads its server in its
 * own time.  The thread is started by the first request: most processes never
 * have one.
 */
#ifndef DEAD_DESK_H
#define DEAD_DESK_H

#include <evh/services.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESK_WAITING_MAX 8
#define DESK_WHY_MAX	 512

struct desk_request {
	bool is_discard, is_dry_run;
	struct evh_dead_query query; /* walk; discard: id and before_ns */
	unsigned char id[16];	     /* what query.id points to */
	char *strings;		     /* what the query's strings lie in */
	evh_dead_letter *letter;
	evh_dead_end *end;
	void *arg;
	atomic_bool is_cancelled; /* by whoever asked */
};

/* What was done, and why no more. */
struct desk_outcome {
	int64_t n;
	char why[DESK_WHY_MAX];
};

/* Does it, calling request->letter; 0 or -errno as evh_dead_end has it.  On
 * the desk's thread. */
typedef int desk_work(void *keeper, const struct desk_request *request,
		      struct desk_outcome *ret);

struct desk {
	struct evh_dead service; /* what the plugin offers */
	const char *thread_name;
	desk_work *work;
	void *keeper;

	pthread_mutex_t lock; /* guards: all down to has_thread */
	pthread_cond_t changed;
	struct desk_request *at_work;
	struct desk_request *waiting[DESK_WAITING_MAX];
	size_t n_waiting;
	bool has_thread;
	pthread_t thread;

	atomic_bool is_stopping;
	/* The keeper may poll it: readable when what it does is over. */
	int stop_fd;
};

/* Borrows all.  0 or -errno. [main] */
int desk_start(struct desk *desk, const char *thread_name, desk_work *work,
	       void *keeper);
/* Ends what is going on; whoever waits hears -ESHUTDOWN. [main] */
void desk_stop(struct desk *desk);

/* The keeper looks at it between messages, and in all that takes long: 0 to go
 * on, -ESHUTDOWN, or -ECANCELED.  On the desk's thread. */
int desk_is_over(struct desk *desk, const struct desk_request *request);

/* Gives a letter to whoever asked (if it was a walk), counts it; 0, or
 * -ECANCELED: enough, -ESHUTDOWN.  On the desk's thread. */
int desk_give(struct desk *desk, const struct desk_request *request,
	      const struct evh_letter *letter, struct desk_outcome *outcome);

#endif
