/*
 * dotenv.c - `.env`: KEY=value lines put into the environment.
 *
 *     # a comment
 *     KEY=value             up to the end of the line, or to " #"
 *     export KEY='value'    quotes keep blanks and #; nothing is expanded
 *
 * Of a key that stands twice, the last line counts, as in a shell.  A
 * variable that the environment has already stays as it is, unless it is
 * empty: empty counts as missing everywhere in evhd.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "textfile.h"

enum {
	MAX_FILE = 1 << 20,
};

struct pair {
	const char *key;
	const char *value;
};

struct dotenv {
	const char *file;
	struct pair *pairs;
	size_t n_pairs;
	struct problems *problems;
};

static char *
blanks_skip(char *s)
{
	return s + strspn(s, " \t");
}

static void
blanks_cut(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(" \t\r", s[n - 1]))
		n--;
	s[n] = '\0';
}

/* Cuts the value out of what follows the equals sign; NULL when it is right,
 * else what is wrong with it. */
static const char *
value_cut(char **value)
{
	char *s = *value, *end;

	if (*s == '"' || *s == '\'') {
		char quote = *s++;

		end = strchr(s, quote);
		if (!end)
			return "the closing quote is missing";
		*end++ = '\0';
		*value = s;
		end = blanks_skip(end);
		if (*end != '\0' && *end != '#')
			return "something follows the closing quote";
		return NULL;
	}
	for (end = s; *end; end++)
		if (*end == '#' && (end == s || strchr(" \t", end[-1]))) {
			*end = '\0';
			break;
		}
	blanks_cut(s);
	return NULL;
}

static const char *
line_parse(char *line, struct pair *ret)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz_";
	static const char digits[] = "0123456789";
	char *key = blanks_skip(line), *end, *value;
	const char *wrong;

	if (strncmp(key, "export", 6) == 0 && strchr(" \t", key[6]) && key[6])
		key = blanks_skip(key + 6);
	end = key + strspn(key, letters);
	while (end > key && *end &&
	       (strchr(digits, *end) || strchr(letters, *end)))
		end++;
	value = blanks_skip(end);
	if (end == key || *value != '=')
		return "this is no KEY=value, no comment and no empty line";
	*end = '\0';
	value = blanks_skip(value + 1);
	wrong = value_cut(&value);
	if (wrong)
		return wrong;
	ret->key = key;
	ret->value = value;
	return NULL;
}

static int
line_take(struct dotenv *env, char *line, unsigned number)
{
	struct pair pair = { 0 }, *pairs;
	const char *wrong;
	char *where;

	blanks_cut(line);
	if (*blanks_skip(line) == '\0' || *blanks_skip(line) == '#')
		return 0;
	wrong = line_parse(line, &pair);
	if (wrong) {
		if (asprintf(&where, "%s:%u", env->file, number) < 0)
			return -ENOMEM;
		problems_add(env->problems, where, "%s", wrong);
		free(where);
		return -EINVAL;
	}
	pairs = reallocarray(env->pairs, env->n_pairs + 1, sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	env->pairs = pairs;
	env->pairs[env->n_pairs++] = pair;
	return 0;
}

static int
lines_take(struct dotenv *env, char *text)
{
	unsigned number = 0;
	int rc = 0;

	while (text) {
		char *line = text, *end = strchr(text, '\n');
		int err;

		text = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		err = line_take(env, line, ++number);
		if (err == -ENOMEM)
			return err;
		if (err < 0)
			rc = err;
	}
	return rc;
}

static int
pairs_set(const struct dotenv *env)
{
	for (size_t i = env->n_pairs; i > 0; i--) {
		const struct pair *pair = &env->pairs[i - 1];
		const char *old = getenv(pair->key);

		if (old && *old)
			continue;
		if (setenv(pair->key, pair->value, 1) < 0)
			return -errno;
	}
	return 0;
}

int
config_env_read(const char *env_file, struct problems *problems)
{
	struct dotenv env = { .file = env_file ? env_file : ".env",
			      .problems = problems };
	char *text = NULL;
	int rc, err;

	rc = textfile_read(env.file, MAX_FILE, &text, NULL);
	if (rc == -ENOENT && !env_file)
		return 0;
	if (rc < 0) {
		problems_add(problems, env.file, "cannot be read: %s",
			     strerror(-rc));
		return rc;
	}

	rc = lines_take(&env, text);
	err = rc == -ENOMEM ? rc : pairs_set(&env);
	if (err < 0) {
		problems_add(problems, env.file, "%s", strerror(-err));
		rc = err;
	}
	free(env.pairs);
	free(text);
	return rc;
}
