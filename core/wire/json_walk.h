/*
 * json_walk.h - from token to token through a text.
 *
 * What json.h finds in a text that is known to be JSON is found by such steps;
 * so is the place of a mistake in one that is not, for which no step leaves
 * the text, whatever stands there.
 */
#ifndef EVH_JSON_WALK_H
#define EVH_JSON_WALK_H

#include "json.h"

#include <stddef.h>

/* Behind the white space at p, perhaps the end. [any] */
const char *json_walk_space(const char *p, const char *end);
/* Behind the token at p, which is before end: a string, one punctuation mark,
 * or a run of anything else but space. [any] */
const char *json_walk_token(const char *p, const char *end);

/*
 * The bracket that is nested deeper than max, or NULL.  Exact for what is JSON;
 * of other text it may see strings where there are none. [any]
 */
const char *json_walk_deeper(const char *text, const char *end, int max);
/* The value of a text that is known to be JSON. [any] */
struct json_span json_walk_whole(const char *text, size_t len);

#endif
