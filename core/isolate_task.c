#include "isolate_task.h"

#include <assert.h>
#include <stddef.h>

void
task_list_push(struct task_list *list, struct isolate_task *task)
{
	task->next = NULL;
	task->prev = list->tail;
	if (list->tail)
		list->tail->next = task;
	else
		list->head = task;
	list->tail = task;
	list->n++;
}

void
task_list_remove(struct task_list *list, struct isolate_task *task)
{
	if (task->prev)
		task->prev->next = task->next;
	else
		list->head = task->next;
	if (task->next)
		task->next->prev = task->prev;
	else
		list->tail = task->prev;
	task->next = task->prev = NULL;
	list->n--;
}

struct isolate_task *
task_list_pop(struct task_list *list)
{
	struct isolate_task *task = list->head;

	if (task)
		task_list_remove(list, task);
	return task;
}

void
task_table_add(struct task_table *table, struct isolate_task *task)
{
	struct isolate_task **bucket;

	task->number = ++table->last;
	bucket = &table->buckets[task->number % TASK_BUCKETS];
	task->hash_next = *bucket;
	*bucket = task;
}

void
task_table_remove(struct task_table *table, struct isolate_task *task)
{
	struct isolate_task **link =
		&table->buckets[task->number % TASK_BUCKETS];

	while (*link && *link != task)
		link = &(*link)->hash_next;
	assert(*link);
	*link = task->hash_next;
}

struct isolate_task *
task_table_find(const struct task_table *table, uint64_t number)
{
	struct isolate_task *task = table->buckets[number % TASK_BUCKETS];

	while (task && task->number != number)
		task = task->hash_next;
	return task;
}
