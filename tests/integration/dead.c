#include "dead.h"

#include "daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 32

static char *
ask(int exit_code, const char *config, va_list words)
{
	const char *args[WORDS_MAX] = { "dlq", "-c", config };
	unsigned n = 3;
	char *out;
	int rc;

	while (n < WORDS_MAX - 1 && (args[n] = va_arg(words, const char *)))
		n++;
	args[n] = NULL;
	rc = daemon_run(&out, args);
	if (rc != exit_code) {
		fprintf(stderr, "---- evhd dlq %s ... said:\n%s----\n",
			args[3] ? args[3] : "", out);
		fail_msg("exit code %d, not %d", rc, exit_code);
	}
	return out;
}

char *
dead_ask(int exit_code, const char *config, ...)
{
	va_list words;
	char *out;

	va_start(words, config);
	out = ask(exit_code, config, words);
	va_end(words);
	return out;
}

static void
check(char *out, const char *text, int has)
{
	if (text && (strstr(out, text) != NULL) != has) {
		fprintf(stderr, "---- evhd dlq said:\n%s----\n", out);
		fail_msg("it %s: %s", has ? "did not say" : "should not say",
			 text);
	}
	free(out);
}

void
dead_run(int exit_code, const char *says, const char *config, ...)
{
	va_list words;

	va_start(words, config);
	check(ask(exit_code, config, words), says, 1);
	va_end(words);
}

void
dead_run_without(int exit_code, const char *text, const char *config, ...)
{
	va_list words;

	va_start(words, config);
	check(ask(exit_code, config, words), text, 0);
	va_end(words);
}
