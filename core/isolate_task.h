/*
 * isolate_task.h - an event in the care of an isolated handler.
 *
 * It waits for a process, then for its turn there, then for its verdict.  A
 * process answers for its events by number; a number that it was not given is
 * one of its mistakes, so that nothing it says is ever taken for an address.
 */
#ifndef EVH_ISOLATE_TASK_H
#define EVH_ISOLATE_TASK_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct isolate_cell;

struct isolate_task {
	struct isolate_task *next, *prev; /* of the list it is in */
	struct isolate_task *hash_next;
	struct event *ev; /* NULL: given back meanwhile */
	uint64_t number;
	struct isolate_cell *cell; /* whose process has it; NULL: none */
	int64_t given_ns;	   /* monotonic, when it began to wait */
	int64_t begun_ns;	   /* and when its turn came */
	bool is_held;		   /* the process said EVH_HOLD */
};

struct task_list {
	struct isolate_task *head, *tail;
	unsigned n;
};

void task_list_push(struct task_list *list, struct isolate_task *task);
void task_list_remove(struct task_list *list, struct isolate_task *task);
struct isolate_task *task_list_pop(struct task_list *list);

/* Those that processes have, by number.  Zero it to begin. */
#define TASK_BUCKETS 1024

struct task_table {
	struct isolate_task *buckets[TASK_BUCKETS];
	uint64_t last; /* number that was given */
};

/* Gives it a number. */
void task_table_add(struct task_table *table, struct isolate_task *task);
void task_table_remove(struct task_table *table, struct isolate_task *task);
struct isolate_task *task_table_find(const struct task_table *table,
				     uint64_t number);

#endif
