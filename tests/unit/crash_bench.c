#include "crash_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int
crash_place_open(void **state)
{
	struct tempdir *dir = calloc(1, sizeof(*dir));

	assert_non_null(dir);
	tempdir_init(dir);
	*state = dir;
	return 0;
}

int
crash_place_close(void **state)
{
	struct tempdir *dir = *state;

	tempdir_fini(dir);
	free(dir);
	return 0;
}

struct marks *
crash_marks(const struct tempdir *dir)
{
	struct marks *marks = NULL;

	assert_int_equal(marks_open(dir->path, &marks), 0);
	assert_non_null(marks);
	return marks;
}

void
crash_id(unsigned i, unsigned char ret[16])
{
	memset(ret, 0, 16);
	/* Where ids are random: or all would share the little room of a few. */
	ret[8] = (unsigned char)i;
	ret[15] = 1;
}

/* An event at a handler, on a thread of its own. */
struct guest {
	struct marks *marks;
	unsigned number;
	enum marks_state state;
	pthread_barrier_t *all;
};

static void *
guest_stay(void *arg)
{
	struct guest *guest = arg;
	struct marks_slot *slot;
	unsigned char id[16];

	crash_id(guest->number, id);
	slot = marks_enter(guest->marks, id, marks_handler("h"));
	if (!slot)
		_exit(1);
	atomic_store(&slot->state, guest->state);
	pthread_barrier_wait(guest->all);
	pause();
	return NULL;
}

void
crash_die_with(const struct tempdir *dir, unsigned n,
	       const enum marks_state *states)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct marks *marks = NULL;
		struct guest guests[CRASH_GUESTS];
		pthread_barrier_t all;
		pthread_t thread;

		if (marks_open(dir->path, &marks) < 0 || !marks)
			_exit(1);
		pthread_barrier_init(&all, NULL, n + 1);
		for (unsigned i = 0; i < n; i++) {
			guests[i] = (struct guest){ marks, i, states[i], &all };
			if (pthread_create(&thread, NULL, guest_stay,
					   &guests[i]) != 0)
				_exit(1);
		}
		pthread_barrier_wait(&all);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

void
crash_emit(struct rig_element *src, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned char id[16];
		struct evh_spec spec = { .id = id,
					 .name = "x",
					 .data = { "{}", 2 },
					 .status = EVH_PROCESSED,
					 .cookie = i };

		crash_id(i, id);
		rig_emit_spec(src, &spec);
	}
}
