/*
 * words.h - the host's own settings: a table of what each is called, what it
 * may be, and where in a struct it goes.
 *
 * What plugins' option tables are for their sections (options.h), this is for
 * what stands outside of sections, and for pipelines.
 */
#ifndef EVH_WORDS_H
#define EVH_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "problems.h"

enum word_type {
	WORD_STR = 1, /* char *, malloced; the old one is freed */
	WORD_BOOL,    /* bool */
	WORD_COUNT,   /* unsigned */
	WORD_SIZE,    /* uint64_t, bytes */
	WORD_MSEC,    /* unsigned */
	WORD_LIST,    /* char **, NULL-ended, malloced like its strings */
};

struct word {
	const char *name;
	enum word_type type;
	size_t offset;	   /* in the struct that words_set() is given */
	uint64_t min, max; /* of COUNT, SIZE and MSEC */
};

/*
 * Sets in `base` what the settings say, and leaves alone what they do not or
 * what is wrong; each mistake, an unknown word too, is a problem.  Takes
 * values over from the settings.  words ends with { 0 }.
 */
void words_set(const struct word *words, void *base,
	       struct config_setting *settings, unsigned n, const char *where,
	       struct problems *problems);
void words_set_one(const struct word *word, void *base,
		   struct config_setting *setting, const char *where,
		   struct problems *problems);

#endif
