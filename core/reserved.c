/*
 * reserved.c - the words of an instance's section that are the host's.
 */
#include "options.h"

#include <string.h>

static const struct evh_option handler_words[] = {
	{ .name = "match",
	  .type = EVH_LIST,
	  .def = "",
	  .help = "names of the events to look at; others pass it by" },
	{ .name = "attempts",
	  .type = EVH_INT,
	  .def = "0",
	  .help = "tries before an event has failed; 0: the pipeline's",
	  .values = "0..1000000" },
	{ .name = "backoff",
	  .type = EVH_MSEC,
	  .def = "0",
	  .help = "wait before the second try, doubling; 0: the pipeline's",
	  .values = "0..1h" },
	{ .name = "backoff_max",
	  .type = EVH_MSEC,
	  .def = "0",
	  .help = "longest wait between tries; 0: the pipeline's",
	  .values = "0..1d" },
	{ .name = "timeout",
	  .type = EVH_MSEC,
	  .def = "0",
	  .help = "an event that it has had for longer fails; 0: none",
	  .values = "0..1d" },
	{ .name = "on_timeout",
	  .type = EVH_STR,
	  .def = "wait",
	  .help = "wait until it gives the event back, or end evhd",
	  .values = "wait|abort" },
	{ .name = "isolate",
	  .type = EVH_STR,
	  .def = "no",
	  .help = "process: it runs in a process of its own",
	  .values = "no|process" },
	{ .name = "isolate_processes",
	  .type = EVH_INT,
	  .def = "0",
	  .help = "how many of them; 0: as many as there are workers",
	  .values = "0..64" },
	{ 0 },
};

const struct evh_option *
options_handler_words(void)
{
	return handler_words;
}

bool
options_is_reserved(const char *name)
{
	if (strcmp(name, "plugin") == 0)
		return true;
	for (const struct evh_option *word = handler_words; word->name; word++)
		if (strcmp(word->name, name) == 0)
			return true;
	return false;
}
