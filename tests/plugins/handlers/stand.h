/*
 * stand.h - one handler, as it was built, between a source and three ends.
 *
 *     src --> handler --> out
 *                |------> failed     on_fail
 *                '------> dropped    on_drop
 *
 * It is a rig with the parts that every test of a handler has.  An end
 * remembers what the last event looked like when it came.
 */
#ifndef EVH_TEST_STAND_H
#define EVH_TEST_STAND_H

#include "rig.h"

struct stand_end {
	struct rig_element el; /* first: what a submit() is told */
	/* Of the last event, guarded by the element's lock. */
	char key[128];
	char headers[256]; /* "a=1;b=2;" */
	char error[256];
};

struct stand {
	struct rig *rig;
	struct rig_element src;
	struct stand_end out, failed, dropped;
	unsigned n_emitted; /* the next event's cookie */
};

#define SETTINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Settings as rig_add_plugin() has them; workers as a pipeline has them. */
void stand_up(struct stand *st, const char *plugin, const char *const *settings,
	      unsigned workers);
/* Drains and frees; st.src still says what it heard. */
void stand_down(struct stand *st);
/* What create() says to these settings. */
int stand_try(const char *plugin, const char *const *settings);

void stand_emit(struct stand *st, const char *name, const char *data);
/* With one header. */
void stand_emit_header(struct stand *st, const char *name, const char *value);
/* Waits until n events in all are done. */
void stand_await(struct stand *st, int n);
/* That so many came to each end. */
void stand_assert_ends(const struct stand *st, int out, int dropped,
		       int failed);

#endif
