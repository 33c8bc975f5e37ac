/*
 * log_place.h - a folder for log files, and what stands in them.
 *
 * Setup and teardown of a test that lets the log write into a file of its own;
 * place_read() reads one, the others look at its lines.
 */
#ifndef EVH_TESTS_LOG_PLACE_H
#define EVH_TESTS_LOG_PLACE_H

#include <jansson.h>

#include "log.h"

struct place {
	char dir[64], file[80], old[80];
	char *text; /* of the file read last */
};

/* cmocka's setup and teardown; *state is the place. */
int place_make(void **state);
int place_remove(void **state);
/* All that stands in a file; the place's until the next one is read. */
char *place_read(struct place *place, const char *file);
/* The text behind `time=… `, after a look at the time. */
const char *line_behind_time(const char *text);
/* The first line, which must be one JSON object; yours. */
json_t *line_json(const char *text);
/* A text that must be there; the object's. */
const char *line_member(const json_t *json, const char *name);
unsigned lines_count(const char *text);
extern const struct evh_event place_event;
extern const struct log_facts place_facts;

#endif
