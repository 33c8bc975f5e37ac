/*
 * json_string.h - the inside of a JSON string, a character at a time; what
 * json_decode() and json_quote(), which live beside it, and the comparison of
 * members' names are made of.
 */
#ifndef EVH_JSON_STRING_H
#define EVH_JSON_STRING_H

#include <stddef.h>

/*
 * Decodes the character at p, between the quotes of a string that json_check()
 * has accepted (so that surrogates come in pairs), into UTF-8; end is where
 * the closing quote stands, and p is before it.  Returns where the next one
 * begins. [any]
 */
const char *json_string_next(const char *p, const char *end, char ret[4],
			     size_t *ret_n);

#endif
