/*
 * scan.h - the members of an envelope, found in one pass over its bytes.
 *
 * The least that finds them surely: strings and nesting are followed, what is
 * between is not checked, since PostgreSQL checks `data` once more by itself.
 */
#ifndef BENCH_SCAN_H
#define BENCH_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct row;

/* Fills in id, name, data, created_us, pointing into the text.  False: it is
 * no such envelope. */
bool scan_row(const char *text, size_t len, struct row *row);
/* The same by jansson, which checks all of it. */
bool scan_row_jansson(const char *text, size_t len, struct row *row);

#endif
