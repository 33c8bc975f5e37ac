/*
 * words.c - texts made into the host's own settings.
 */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "confmissing.h"
#include "options.h"

static void
unknown_word_report(const char *where, const char *name,
		    const struct word *words, struct problems *problems)
{
	const char *names[32];
	const char *nearest;
	size_t n = 0;

	for (; n < 31 && words[n].name; n++)
		names[n] = words[n].name;
	names[n] = NULL;
	nearest = problems_nearest(name, names);
	if (nearest)
		problems_add(problems, where,
			     "unknown setting \"%s\"; did you mean \"%s\"?",
			     name, nearest);
	else
		problems_add(problems, where, "unknown setting \"%s\"", name);
}

static int
count_parse(const char *text, int64_t *ret)
{
	char *end;
	long long value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* Into `at`, which is an unsigned, or a uint64_t for sizes. */
static void
number_set(const struct word *word, void *at, const char *text,
	   const char *where, struct problems *problems)
{
	static const char *const examples[] = {
		[WORD_COUNT] = "a whole number like 4",
		[WORD_SIZE] = "a size like 64M",
		[WORD_MSEC] = "a time like 1500ms, 30s or 5m",
	};
	int64_t value = 0;
	int err;

	if (word->type == WORD_COUNT)
		err = count_parse(text, &value);
	else if (word->type == WORD_SIZE)
		err = options_parse_size(text, &value);
	else
		err = options_parse_msec(text, &value);

	if (err == -EINVAL)
		problems_add(problems, where, "%s = \"%s\": this should be %s",
			     word->name, text, examples[word->type]);
	else if (err < 0 || value < 0 || (uint64_t)value < word->min ||
		 (uint64_t)value > word->max)
		problems_add(problems, where,
			     "%s = \"%s\": this must be from %llu to %llu%s",
			     word->name, text, (unsigned long long)word->min,
			     (unsigned long long)word->max,
			     word->type == WORD_MSEC   ? " ms"
			     : word->type == WORD_SIZE ? " bytes"
						       : "");
	else if (word->type == WORD_SIZE)
		*(uint64_t *)at = (uint64_t)value;
	else
		*(unsigned *)at = (unsigned)value;
}

/* Takes the setting's values over. */
static void
list_set(char ***at, struct config_setting *setting)
{
	free(*at);
	*at = setting->values; /* ends with NULL: whoever reads the file sees to
				  it */
	setting->values = NULL;
	setting->n_values = 0;
}

void
words_set_one(const struct word *word, void *base,
	      struct config_setting *setting, const char *where,
	      struct problems *problems)
{
	void *at = (char *)base + word->offset;
	char *text;

	if (setting->missing) {
		confmissing_report(setting->missing, word->name, where,
				   problems);
		return;
	}
	if (word->type == WORD_LIST) {
		list_set(at, setting);
		return;
	}
	if (setting->n_values != 1) {
		problems_add(problems, where,
			     "%s takes one value, not a list of %u", word->name,
			     setting->n_values);
		return;
	}
	text = setting->values[0];
	if (*text == '\0')
		return; /* empty counts as missing */
	if (word->type == WORD_STR) {
		free(*(char **)at);
		*(char **)at = text;
		setting->values[0] = NULL;
	} else if (word->type == WORD_BOOL) {
		if (options_parse_bool(text, at) < 0)
			problems_add(problems, where,
				     "%s = \"%s\": this should be true or "
				     "false (or 1/0, yes/no, on/off)",
				     word->name, text);
	} else {
		number_set(word, at, text, where, problems);
	}
}

static const struct word *
word_find(const struct word *words, const char *name)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words;
	return NULL;
}

void
words_set(const struct word *words, void *base, struct config_setting *settings,
	  unsigned n, const char *where, struct problems *problems)
{
	for (unsigned i = 0; i < n; i++) {
		const struct word *word = word_find(words, settings[i].name);

		if (word)
			words_set_one(word, base, &settings[i], where,
				      problems);
		else
			unknown_word_report(where, settings[i].name, words,
					    problems);
	}
}
