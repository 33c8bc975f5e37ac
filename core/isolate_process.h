/*
 * isolate_process.h - the process of an isolated handler, as a process.
 *
 * It is this executable, started anew by posix_spawn(): no code of ours, and no
 * lock of a library, is ever copied into it.  It has /dev/null as standard
 * input, standard error twice, the socket, and no other descriptor; default
 * signals, of which those are blocked that tell evhd something (SIGTERM,
 * SIGINT, SIGHUP), for they may come to all of a control group and are no end
 * of its; a process group of its own; and the environment as it is.
 */
#ifndef EVH_ISOLATE_PROCESS_H
#define EVH_ISOLATE_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct isolate_process {
	pid_t pid;  /* 0: none */
	int end_fd; /* a pidfd: readable when it has ended */
	int fd;	    /* the socket's end here */
};

/* Those that do not end, killed as they are; nobody waits for them, but they
 * are reaped when they do.  Beyond the room for them they stay zombies. */
#define PROCESS_LEFT_MAX 64
struct process_left {
	pid_t pids[PROCESS_LEFT_MAX];
	unsigned n;
};

/* Starts one for the instance of this name.  Its parent is the calling thread:
 * when that ends, it is killed.  0; or -errno, and what had begun is left. */
int process_start(struct isolate_process *process, const char *name,
		  struct process_left *left);
/* To it; a SIGKILL also to what it has started and left in its group. */
void process_signal(const struct isolate_process *process, int signal);
/* It has ended: reaps it and says how, "its process ended by signal 11".  0: it
 * exited with 0; 1: otherwise; -EAGAIN: it has not ended. */
int process_reap(struct isolate_process *process, char *ret, size_t size);
/* Leaves one that does not end to `left`; reaps of those what has ended. */
void process_leave(struct isolate_process *process, struct process_left *left);
void process_left_reap(struct process_left *left);

#endif
