/*
 * conftext.c - comments blanked, variables looked at, nothing else touched.
 *
 * It follows libconfuse's own lexer: what is a comment, what a string of
 * which quotes, and where `${` begins a variable.
 */
#include "conftext.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confmissing.h"

#define MARK_BEGIN "\001evh:"
#define MARK_END   "\002"

struct writer {
	FILE *out;
	const char *in;
	bool is_out_of_memory;
};

static void
copy(struct writer *w, size_t n)
{
	fwrite(w->in, 1, n, w->out);
	w->in += n;
}

static void
comment_skip(struct writer *w)
{
	if (w->in[0] == '/' && w->in[1] == '*') {
		const char *end = strstr(w->in + 2, "*/");

		if (!end) {
			/* libconfuse says what is wrong with it. */
			copy(w, strlen(w->in));
			return;
		}
		for (; w->in < end + 2; w->in++)
			if (*w->in == '\n')
				fputc('\n', w->out);
		fputc(' ', w->out);
		return;
	}
	w->in += strcspn(w->in, "\n");
}

/* At a "${": true when it was a whole variable and is done with. */
static bool
variable_copy(struct writer *w)
{
	const char *name, *end, *colon, *value;
	size_t n;
	char *copied;

	if (w->in[0] != '$' || w->in[1] != '{')
		return false;
	name = w->in + 2;
	end = strchr(name, '}');
	if (!end)
		return false;
	colon = memchr(name, ':', (size_t)(end - name));
	if (colon && colon[1] != '-')
		colon = NULL;
	n = (size_t)((colon ? colon : end) - name);
	copied = strndup(name, n);
	/* What cannot be looked up is not unset: the text is given up. */
	w->is_out_of_memory |= !copied;
	value = copied ? getenv(copied) : NULL;
	free(copied);

	if (value && *value) {
		copy(w, (size_t)(end + 1 - w->in));
	} else if (colon) {
		fprintf(w->out, "${%.*s", (int)(end + 1 - colon), colon);
	} else {
		fprintf(w->out, "${:-" MARK_BEGIN "%.*s" MARK_END "}", (int)n,
			name);
	}
	w->in = end + 1;
	return true;
}

static void
double_quoted_copy(struct writer *w)
{
	copy(w, 1);
	while (*w->in && *w->in != '"') {
		if (*w->in == '\\' && w->in[1])
			copy(w, 2);
		else if (!variable_copy(w))
			copy(w, 1);
	}
	if (*w->in)
		copy(w, 1);
}

static void
single_quoted_copy(struct writer *w)
{
	copy(w, 1);
	while (*w->in && *w->in != '\'')
		copy(w, *w->in == '\\' && w->in[1] ? 2 : 1);
	if (*w->in)
		copy(w, 1);
}

char *
conftext_prepare(const char *text, int *ret_open)
{
	struct writer w = { .in = text };
	bool in_word = false;
	char *prepared = NULL;
	int open = 0;
	size_t n;

	w.out = open_memstream(&prepared, &n);
	if (!w.out)
		return NULL;
	while (*w.in) {
		const char *s = w.in;

		if (*s == '#' ||
		    (!in_word && *s == '/' && (s[1] == '/' || s[1] == '*'))) {
			comment_skip(&w);
			in_word = false;
		} else if (*s == '"') {
			double_quoted_copy(&w);
			in_word = false;
		} else if (*s == '\'') {
			single_quoted_copy(&w);
			in_word = false;
		} else if (!in_word && variable_copy(&w)) {
			in_word = false;
		} else {
			in_word = !strchr(CONFTEXT_WORD_ENDS, *s);
			open += (*s == '{') - (*s == '}');
			copy(&w, 1);
		}
	}
	if (ferror(w.out) || w.is_out_of_memory) {
		fclose(w.out);
		free(prepared);
		return NULL;
	}
	if (fclose(w.out) != 0) {
		free(prepared);
		return NULL;
	}
	*ret_open = open;
	return prepared;
}

int
conftext_unmark(char *value, char ***missing)
{
	char *begin, *end;

	while ((begin = strstr(value, MARK_BEGIN))) {
		char *name = begin + strlen(MARK_BEGIN);
		int err;

		end = strstr(name, MARK_END);
		if (!end)
			break;
		err = confmissing_add(missing, name, (size_t)(end - name));
		if (err < 0)
			return err;
		end += strlen(MARK_END);
		memmove(begin, end, strlen(end) + 1);
		value = begin;
	}
	return 0;
}
