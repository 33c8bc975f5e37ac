#include "mark_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event.h"

const unsigned char mark_one[16] = { 1, [15] = 1 };
const unsigned char mark_two[16] = { 2, [15] = 2 };

int
mark_place_open(void **state)
{
	struct mark_place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	tempdir_init(&place->dir);
	snprintf(place->state, sizeof(place->state), "%s/state",
		 place->dir.path);
	snprintf(place->file, sizeof(place->file), "%s/marks", place->state);
	*state = place;
	return 0;
}

int
mark_place_close(void **state)
{
	struct mark_place *place = *state;

	tempdir_fini(&place->dir);
	free(place);
	return 0;
}

struct marks *
mark_open(const struct mark_place *place)
{
	struct marks *marks = NULL;

	assert_int_equal(marks_open(place->state, &marks), 0);
	assert_non_null(marks);
	return marks;
}

unsigned
mark_ends(const struct marks *marks, const unsigned char id[16],
	  const char *name)
{
	return marks_find(marks, id, marks_handler(name)).n;
}

void
mark_die(const struct mark_place *place, const unsigned char id[16],
	 bool is_late, bool has_left)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		static struct event ev;
		struct marks *marks = NULL;
		struct marks_slot *slot = NULL;

		if (marks_open(place->state, &marks) < 0 || !marks)
			_exit(1);
		memcpy(ev.pub.id, id, sizeof(ev.pub.id));
		if (!marks_admit(marks, &ev, marks_handler("h"),
				 mark_ends(marks, id, "h") > 0, 0, &slot))
			_exit(1);
		if (is_late)
			marks_be_late(slot);
		if (has_left)
			marks_leave(slot);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
