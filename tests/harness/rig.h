/*
 * rig.h - pipelines of the real host between elements made by a test.
 *
 * A rig is a host without a config file: its elements are made by the test, or
 * are plugins of the build; and everything between them is the real thing.
 */
#ifndef EVH_TEST_RIG_H
#define EVH_TEST_RIG_H

#include "config.h"
#include "rig_element.h"

struct pipeline;
struct rig;

/* One at a time; fails the test when one that has failed has left its own. */
struct rig *rig_new(void);
/* Borrows the element, which must live until rig_free(). */
void rig_add(struct rig *rig, struct rig_element *el);
/*
 * A real plugin of the build, as one of the rig's elements.  Settings are names
 * and values by turns, NULL-ended; a name that comes again makes a list.  Gives
 * what its create() said; if that is negative, the rig goes on without it.
 */
int rig_add_plugin(struct rig *rig, const char *name, const char *plugin,
		   const char *const *settings);
/* Borrows the lists; fields left 0 get the config's defaults. */
struct pipeline *rig_pipeline(struct rig *rig, struct config_pipeline config);
void rig_start(struct rig *rig);
/* Drains as evhd does and frees all; fails the test when an event is left. */
void rig_free(struct rig *rig);

/* The host's state, as JSON, malloced; *ret_rc: what evh.host/1 said. */
char *rig_state(struct rig *rig, int *ret_rc);
/* Opens the marks of crashes; before rig_start(). */
void rig_mark(struct rig *rig, const char *dir);

/* Waits until the source has heard, the element has seen, the sink keeps at
 * least n; fails the test after a minute. */
void rig_await_heard(struct rig_element *source, int n);
void rig_await_seen(struct rig_element *el, int n);
void rig_await_held(struct rig_element *sink, int n);
/* Waits until a lane of the pipeline stands. */
void rig_await_standing(const struct pipeline *p);
/* Waits until nothing of it is handed over between threads: who has handed over
 * the last one may still be on his way back when its source has heard. */
void rig_await_settled(const struct pipeline *p);

#endif
