/*
 * sieve.h - a range that was refused as a whole: the server itself tells those
 * at fault apart (upsert_sieve_sql), and writes all others.
 */
#ifndef PG_STORE_SIEVE_H
#define PG_STORE_SIEVE_H

#include "halving.h"
#include "write_batch.h"

#include <stddef.h>

/*
 * Of evs[at..at+n): HALVING_DONE, each is settled; HALVING_STOPPED,
 * hand->outcome says why; HALVING_BAD, it cannot tell: this user may make no
 * function, an id comes twice, the refusal is of the parameters (a text that is
 * no UTF-8) or came at the commit.  Those that have a result then, at the
 * range's front, keep it.  [writer]
 */
enum halving sieve_run(struct write_batch *hand, size_t at, size_t n);

#endif
