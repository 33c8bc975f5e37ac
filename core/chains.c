/*
 * chains.c - one pipeline by itself, then those that one source heads.
 */
#include "chains.h"

#include <stdlib.h>
#include <string.h>

#include "pattern.h"

struct check {
	const struct config *config;
	const char *const *names; /* of all instances, NULL-ended */
	struct problems *problems;
};

/* ---- One pipeline ------------------------------------------------------- */

/* The instance, or NULL and a problem. */
static const struct config_instance *
member_find(const struct check *check, const struct config_pipeline *p,
	    const char *list, const char *name)
{
	const struct config_instance *in = config_instance(check->config, name);
	const char *nearest;

	if (in)
		return in;
	nearest = problems_nearest(name, check->names);
	if (nearest)
		problems_add(check->problems, p->where,
			     "%s names \"%s\", which is no instance; did you "
			     "mean \"%s\"?",
			     list, name, nearest);
	else
		problems_add(check->problems, p->where,
			     "%s names \"%s\", which is no instance", list,
			     name);
	return NULL;
}

static void
twice_check(const struct check *check, const struct config_pipeline *p,
	    const char *list, char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(names[j], names[i]) == 0) {
				problems_add(check->problems, p->where,
					     "%s names \"%s\" twice", list,
					     names[i]);
				break;
			}
}

static void
chain_check(const struct check *check, const struct config_pipeline *p)
{
	if (!p->chain[0]) {
		problems_add(check->problems, p->where,
			     "there is no chain; write chain = { \"SOURCE\", "
			     "\"SINK\" }");
		return;
	}
	for (size_t i = 0; p->chain[i]; i++) {
		const struct config_instance *in =
			member_find(check, p, "chain", p->chain[i]);

		if (!in)
			continue;
		if (in->kind == EVH_SERVICE)
			problems_add(check->problems, p->where,
				     "chain names \"%s\", a service, which "
				     "has no events",
				     in->name);
		else if (i == 0 && in->kind != EVH_SOURCE)
			problems_add(check->problems, p->where,
				     "chain begins with the %s \"%s\"; only "
				     "a source makes events",
				     in->keyword, in->name);
		else if (i > 0 && in->kind == EVH_SOURCE)
			problems_add(check->problems, p->where,
				     "chain has the source \"%s\" in place "
				     "%zu; a source comes first",
				     in->name, i + 1);
	}
	twice_check(check, p, "chain", p->chain);
	if (!p->chain[1])
		problems_warn(check->problems, p->where,
			      "chain has nothing behind \"%s\": its events "
			      "are answered and forgotten",
			      p->chain[0]);
}

/* on_fail, on_drop, and optional, which is about members of the chain. */
static void
sinks_check(const struct check *check, const struct config_pipeline *p,
	    const char *list, char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		const struct config_instance *in =
			member_find(check, p, list, names[i]);

		if (!in)
			continue;
		if (in->kind != EVH_SINK)
			problems_add(check->problems, p->where,
				     "%s names the %s \"%s\"; only sinks and "
				     "stores may stand there",
				     list, in->keyword, in->name);
		else if (names == p->optional &&
			 !config_list_has(p->chain, in->name))
			problems_add(check->problems, p->where,
				     "optional names \"%s\", which is not in "
				     "the chain",
				     in->name);
	}
	twice_check(check, p, list, names);
}

/* Somebody has to keep what is answered. */
static void
all_optional_check(const struct check *check, const struct config_pipeline *p)
{
	bool has_sink = false;

	for (size_t i = 0; p->chain[i]; i++) {
		const struct config_instance *in =
			config_instance(check->config, p->chain[i]);

		if (!in)
			return; /* which has been said */
		if (in->kind != EVH_SINK)
			continue;
		has_sink = true;
		if (!config_list_has(p->optional, in->name))
			return;
	}
	if (has_sink)
		problems_add(check->problems, p->where,
			     "optional names every sink of the chain: while "
			     "they are away an event would be answered "
			     "although nobody has it; leave at least one of "
			     "them out of optional");
}

static bool
is_store(const struct check *check, const char *name)
{
	const struct config_instance *in = config_instance(check->config, name);

	return in && strcmp(in->keyword, "store") == 0;
}

/* The chain before place n has each of these, and each is a store: an event
 * that gets so far is a row there. */
static bool
are_past(const struct check *check, const struct config_pipeline *p,
	 char *const *keepers, size_t n)
{
	for (char *const *keeper = keepers; *keeper; keeper++) {
		size_t i = 0;

		while (i < n && strcmp(p->chain[i], *keeper) != 0)
			i++;
		if (i == n || !is_store(check, *keeper))
			return false;
	}
	return keepers[0] != NULL;
}

static bool
may_fail(const struct config_pipeline *p, const struct config_instance *in)
{
	return in->kind == EVH_HANDLER ||
	       (in->kind == EVH_SINK &&
		!config_list_has(p->optional, in->name));
}

/* A processed row stays so, and a pending one fails only by more attempts than
 * it has, of which an event that fails at its first try has none. */
static void
late_failure_check(const struct check *check, const struct config_pipeline *p,
		   const char *row_state)
{
	for (size_t i = 1; p->chain[i]; i++) {
		const struct config_instance *in =
			config_instance(check->config, p->chain[i]);

		if (in && may_fail(p, in) && are_past(check, p, p->on_fail, i))
			problems_add(check->problems, p->where,
				     "the %s \"%s\" stands behind the store "
				     "\"%s\": an event that it fails is a row "
				     "there already, which stays %s, so that "
				     "nobody keeps the failure; put \"%s\" "
				     "behind it, or name another sink in "
				     "on_fail",
				     in->keyword, in->name, p->on_fail[0],
				     row_state, p->on_fail[0]);
	}
}

/* Such an event has come to its end all the same; only its row does not say
 * which. */
static void
late_drop_check(const struct check *check, const struct config_pipeline *p)
{
	for (size_t i = 1; p->chain[i]; i++) {
		const struct config_instance *in =
			config_instance(check->config, p->chain[i]);

		if (in && in->kind == EVH_HANDLER &&
		    are_past(check, p, p->on_drop, i))
			problems_warn(check->problems, p->where,
				      "the handler \"%s\" stands behind the "
				      "store \"%s\": an event that it drops is "
				      "a row there already, which stays "
				      "processed; put \"%s\" behind it, or "
				      "name another sink in on_drop",
				      in->name, p->on_drop[0], p->on_drop[0]);
	}
}

/* What differs between an ingest, whose clients wait, and a source. */
static void
head_check(const struct check *check, const struct config_pipeline *p)
{
	const struct config_instance *head =
		p->chain[0] ? config_instance(check->config, p->chain[0])
			    : NULL;

	if (!head || head->kind != EVH_SOURCE)
		return;
	if (strcmp(head->keyword, "ingest") == 0) {
		late_failure_check(check, p, "pending");
		return;
	}
	late_failure_check(check, p, "processed");
	late_drop_check(check, p);
	if (p->deadline_ms > 0)
		problems_add(check->problems, p->where,
			     "it has a deadline, but \"%s\" is a source, for "
			     "which nobody waits: what is handed back late "
			     "comes again behind others of its key; leave "
			     "deadline out",
			     head->name);
	if (!p->on_fail[0])
		problems_warn(check->problems, p->where,
			      "it has no on_fail: an event that fails stops "
			      "its partition of \"%s\" until somebody looks",
			      head->name);
}

static void
pipeline_check(const struct check *check, const struct config_pipeline *p)
{
	chain_check(check, p);
	sinks_check(check, p, "optional", p->optional);
	sinks_check(check, p, "on_fail", p->on_fail);
	sinks_check(check, p, "on_drop", p->on_drop);
	all_optional_check(check, p);
	head_check(check, p);
	if (p->otherwise && p->match[0])
		problems_add(check->problems, p->where,
			     "it has match and otherwise; otherwise takes "
			     "just what no match of the others does");
}

/* ---- Pipelines of one source -------------------------------------------- */

/* False only when no name can match both: their beginnings or their ends
 * differ. */
static bool
patterns_may_overlap(const char *a, const char *b)
{
	const char *star_a = strchr(a, '*'), *star_b = strchr(b, '*');
	size_t head_a, head_b, tail_a, tail_b, head, tail;

	if (!star_a)
		return pattern_matches(b, a);
	if (!star_b)
		return pattern_matches(a, b);
	head_a = (size_t)(star_a - a);
	head_b = (size_t)(star_b - b);
	head = head_a < head_b ? head_a : head_b;
	tail_a = strlen(strrchr(a, '*') + 1);
	tail_b = strlen(strrchr(b, '*') + 1);
	tail = tail_a < tail_b ? tail_a : tail_b;
	return memcmp(a, b, head) == 0 &&
	       memcmp(a + strlen(a) - tail, b + strlen(b) - tail, tail) == 0;
}

static bool
matches_may_overlap(const struct config_pipeline *a,
		    const struct config_pipeline *b)
{
	if (a->otherwise || b->otherwise)
		return false;
	if (!a->match[0] || !b->match[0])
		return true;
	for (size_t i = 0; a->match[i]; i++)
		for (size_t j = 0; b->match[j]; j++)
			if (patterns_may_overlap(a->match[i], b->match[j]))
				return true;
	return false;
}

static bool
pipeline_writes(const struct config_pipeline *p, const char *name)
{
	return config_list_has(p->chain, name) ||
	       config_list_has(p->on_fail, name) ||
	       config_list_has(p->on_drop, name);
}

static bool
same_source(const struct config_pipeline *a, const struct config_pipeline *b)
{
	return a->chain[0] && b->chain[0] &&
	       strcmp(a->chain[0], b->chain[0]) == 0;
}

static void
pair_check(const struct check *check, const struct config_pipeline *a,
	   const struct config_pipeline *b)
{
	const struct config *config = check->config;

	if (a->otherwise && b->otherwise)
		problems_add(check->problems, b->where,
			     "it and the pipeline \"%s\" both have otherwise; "
			     "of the pipelines of one source (\"%s\") only "
			     "one can",
			     a->name, a->chain[0]);
	if (!matches_may_overlap(a, b))
		return;
	for (unsigned i = 0; i < config->n_instances; i++) {
		const struct config_instance *in = &config->instances[i];

		if (strcmp(in->keyword, "store") == 0 &&
		    pipeline_writes(a, in->name) &&
		    pipeline_writes(b, in->name))
			problems_warn(check->problems, b->where,
				      "an event of \"%s\" may be in it and in "
				      "the pipeline \"%s\", and both write "
				      "\"%s\": a row has one outcome, of "
				      "whichever comes last",
				      a->chain[0], a->name, in->name);
	}
}

static void
source_check(const struct check *check, const struct config_instance *source)
{
	const struct config *config = check->config;
	unsigned n = 0, n_match = 0, n_otherwise = 0;

	for (unsigned i = 0; i < config->n_pipelines; i++) {
		const struct config_pipeline *p = &config->pipelines[i];

		if (!p->chain[0] || strcmp(p->chain[0], source->name) != 0)
			continue;
		n++;
		n_otherwise += p->otherwise;
		n_match += p->match[0] != NULL;
	}
	if (n == 0)
		problems_warn(check->problems, source->where,
			      "no pipeline begins with it: it has nowhere to "
			      "put events");
	else if (n_match == n && n_otherwise == 0)
		problems_warn(check->problems, source->where,
			      "every pipeline that it heads has match, and "
			      "none has otherwise: events that none matches "
			      "end there");
}

bool
chains_has(const struct config_pipeline *p, const char *name)
{
	return config_list_has(p->chain, name);
}

bool
chains_name(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_pipelines; i++)
		if (pipeline_writes(&config->pipelines[i], name))
			return true;
	return false;
}

void
chains_check(const struct config *config, struct problems *problems)
{
	struct check check = { .config = config, .problems = problems };
	const char **names = calloc(config->n_instances + 1, sizeof(*names));

	if (!names) {
		problems_add(problems, config->file, "out of memory");
		return;
	}
	for (unsigned i = 0; i < config->n_instances; i++)
		names[i] = config->instances[i].name;
	check.names = names;

	for (unsigned i = 0; i < config->n_pipelines; i++)
		pipeline_check(&check, &config->pipelines[i]);
	for (unsigned i = 0; i < config->n_pipelines; i++)
		for (unsigned j = 0; j < i; j++)
			if (same_source(&config->pipelines[i],
					&config->pipelines[j]))
				pair_check(&check, &config->pipelines[j],
					   &config->pipelines[i]);
	for (unsigned i = 0; i < config->n_instances; i++)
		if (config->instances[i].kind == EVH_SOURCE)
			source_check(&check, &config->instances[i]);
	free(names);
}
