/*
 * json_plain.h - JSON so plain that nobody need be asked about it.
 *
 * Nearly all events are: a few members, names without escapes, numbers of
 * ordinary size, little depth.  Such a text is known to be JSON by json.h's
 * rules after one pass without an allocation.  What this refuses may be JSON or
 * not: jansson, which takes ten times as long, decides that, and says what is
 * wrong.  So this must never accept what jansson would not, and the tests hold
 * the two against each other.
 */
#ifndef EVH_JSON_PLAIN_H
#define EVH_JSON_PLAIN_H

#include "json.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Is the whole text one value, surely by the rules of json.h?  Then *ret is
 * that value with its members; else what stands there is of no use. [any]
 */
bool json_plain_read(const char *text, size_t len, struct json_members *ret);

#endif
