/*
 * arguments.h - the words behind `evhd`, sorted.
 *
 *     evhd [-c FILE] [--env-file FILE] [WORD [ARGUMENT ...]]
 *
 * evhd's own options may stand anywhere and are taken out; what follows the
 * word is its arguments, so a plugin's word has all the options it likes.
 */
#ifndef EVH_ARGUMENTS_H
#define EVH_ARGUMENTS_H

#include <stdbool.h>

struct arguments {
	const char *config_file; /* -c, --config; NULL: not given */
	const char *env_file;	 /* --env-file */
	const char *instance;	 /* --on, --instance */
	bool json;		 /* --json; behind a plugin's word its own */
	bool help, version;
	const char *word; /* NULL: none */
	/* The word and what follows it, NULL-ended; borrows argv's strings. */
	char **args;
	int n_args;
};

/*
 * 0, or an exit code of sysexits.h once the mistake has been told on standard
 * error.  Free with arguments_fini().
 */
int arguments_parse(int argc, char **argv, struct arguments *ret);
void arguments_fini(struct arguments *arguments);

/* "check", "describe", ...; NULL-ended. */
const char *const *arguments_own_words(void);
bool arguments_is_own_word(const char *word);

#endif
