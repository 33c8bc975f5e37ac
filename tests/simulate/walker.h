/*
 * walker.h - what the oracle knows of each event: emissions and walkers.
 *
 * An emission is one event that a source has offered to the host; it is owed
 * one answer.  In each pipeline that it belongs to walks one event of it, and
 * behind handlers that made children walk these: the walkers.  How far each
 * has come is known from the calls of the scripted ends alone, not from the
 * host.
 */
#ifndef SIMULATE_WALKER_H
#define SIMULATE_WALKER_H

#include <evh/plugin.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scene.h"

#define WALKER_DEPTH_MAX 3u

enum walker_state {
	WALKER_UNDER_WAY = 1,
	WALKER_TENTATIVE, /* a child of the try in hand */
	WALKER_VOID,	  /* of a try that was undone: nobody may see it */
};

struct emission;

struct walker {
	struct walker *next;	  /* of its emission */
	struct walker *hash_next; /* in the table */
	struct emission *emission;
	struct walker *parent; /* NULL: it is the event that was emitted */
	unsigned char id[16];
	struct pipeline *pipeline;
	unsigned pipeline_number;
	char name; /* the first letter of its name */
	enum walker_state state;

	/* A child of a child: where each was made, and as which one there. */
	unsigned depth;
	unsigned made_at[WALKER_DEPTH_MAX];
	unsigned number[WALKER_DEPTH_MAX];
	unsigned n_children;

	unsigned at;	     /* the element that was shown it last */
	unsigned through;    /* the last one that let it go on */
	bool is_shown;	     /* to anybody */
	struct end *has;     /* who has it now, or NULL */
	unsigned n_retrying; /* done(RETRY) of it that have not returned */
	bool is_failed;	     /* it left for on_fail, surely */
	bool may_fail;	     /* perhaps: its attempts are used up */
	bool is_dropped;     /* it left for on_drop */
	/* An optional sink had it for a while: others pass that over. */
	bool may_be_overtaken;
	unsigned left;	  /* when it left the chain, among all, */
	unsigned left_at; /* and from where */
	bool is_kept;	  /* an on_fail or on_drop sink said OK */

	unsigned mark;	       /* what it carries in its header "mark" */
	unsigned mark_tried;   /* set in the try in hand */
	unsigned mark_emitted; /* how it was when it was emitted */
};

enum emission_state {
	EMISSION_OFFERED = 1, /* emit() has not returned */
	EMISSION_TAKEN,
	EMISSION_ANSWERED,
	EMISSION_GIVEN_BACK, /* emit() would not have it */
};

struct emission {
	struct emission *hash_next;
	struct walker *walkers;
	struct end *source;
	unsigned char id[16];
	uintptr_t cookie;
	enum emission_state state;
	bool is_listed; /* among those that may be live */
	unsigned order; /* when it was offered, among all */
	int lane;	/* what keeps its order; -1: nothing */
	char name;
	bool has_error; /* poison */
	size_t size;
	unsigned pipelines; /* a bit for each that it belongs to */
	int64_t born_ns;
	/* Of a message: where it is, and under which life of its partition it
	 * was emitted. */
	int32_t partition;
	int64_t offset;
	unsigned life;
};

/* Forgets all; before each schedule. */
void walkers_reset(void);
/* No room for many more: sources make no more. */
bool walkers_are_many(void);

/* Finds it, or makes it; lists it among those that may be live. */
struct emission *emission_get(struct end *source, const struct evh_event *ev);
struct emission *emission_find(const struct end *source,
			       const struct evh_event *ev);
/* Offered or taken, and not answered. */
bool emission_is_live(const struct emission *e);
/* Those, in no order: from *at = 0 on, one a call; NULL behind the last. */
struct emission *emission_next(unsigned *at);

/* Finds it, or makes it; voided ones are made anew. */
struct walker *walker_get(struct emission *e, struct pipeline *p,
			  unsigned pipeline_number, const unsigned char id[16],
			  struct walker *parent);
/* Of the event that an end is shown; NULL: nobody emitted it. */
struct walker *walker_of(const struct scene *scene, const struct evh_event *ev);

/* In one lane: whether a goes before b, at elements that both pass. */
bool walker_precedes(const struct walker *a, const struct walker *b);
/* Whether it may pass this element without being shown to it. */
bool walker_may_skip(const struct walker *w, unsigned pos);
bool walker_may_skip_between(const struct walker *w, unsigned after,
			     unsigned before);
/* Nobody waits for it any more: the host may end it with RETRY. */
bool walker_may_be_given_up(const struct walker *w);
/* Its deadline is over: what follows it need not wait. */
bool walker_is_late(const struct walker *w);

#define WALKER_BIT(result) (1u << (result))

/* Which results it may have come to its end with, as bits; 0: it has not. */
unsigned walker_ends(const struct walker *w);

#endif
