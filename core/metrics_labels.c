/*
 * metrics_labels.c - labels taken apart, sorted and put together again.
 */
#include "metrics_labels.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct label {
	const char *name, *value;
};

static bool
is_name(const char *name)
{
	const char *p;

	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return strncmp(name, "__", 2) != 0 && strcmp(name, "le") != 0 &&
	       strcmp(name, "other") != 0;
}

/*
 * Takes text, which is written over, apart: escapes are undone, and each name
 * and value ends in NUL.  How many labels; or -EINVAL.
 */
static int
labels_split(char *text, struct label ret[METRICS_MAX_LABELS])
{
	char *from = text, *to;
	int n = 0;

	while (*from) {
		char *equals = strchr(from, '=');

		if (!equals || n == METRICS_MAX_LABELS)
			return -EINVAL;
		*equals = '\0';
		if (!is_name(from))
			return -EINVAL;
		ret[n].name = from;
		ret[n++].value = to = from = equals + 1;

		while (*from && *from != ',') {
			if (*from == '\\' && !*++from)
				return -EINVAL;
			*to++ = *from++;
		}
		if (*from == ',' && !*++from)
			return -EINVAL; /* nothing behind the comma */
		*to = '\0';
	}
	return n;
}

static int
label_compare(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->name,
		      ((const struct label *)b)->name);
}

static int
labels_join(const struct label *labels, int n, char **ret_text)
{
	char *text = NULL;
	size_t size;
	bool failed;
	FILE *f;
	int i;

	f = open_memstream(&text, &size);
	if (!f)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		fprintf(f, "%s%s=\"", i > 0 ? "," : "", labels[i].name);
		metrics_escape(f, labels[i].value, "\\\"");
		fputc('"', f);
	}
	failed = ferror(f);
	if (fclose(f) != 0 || failed) {
		free(text);
		return -ENOMEM;
	}
	*ret_text = text;
	return 0;
}

void
metrics_escape(FILE *f, const char *text, const char *special)
{
	size_t len = strlen(text);

	while (len > 0) {
		int n = utf8_next(text, len);

		if (n < 0)
			fputs("\xEF\xBF\xBD", f);
		else if (*text == '\n')
			fputs("\\n", f);
		else if (strchr(special, *text))
			fprintf(f, "\\%c", *text);
		else
			fwrite(text, 1, (size_t)n, f);
		text += abs(n);
		len -= (size_t)abs(n);
	}
}

int
metrics_labels_text(const char *labels, char **ret_text)
{
	struct label list[METRICS_MAX_LABELS];
	char *copy;
	int i, n, rc;

	copy = strdup(labels ? labels : "");
	if (!copy)
		return -ENOMEM;
	n = rc = labels_split(copy, list);
	if (n > 0)
		qsort(list, (size_t)n, sizeof(*list), label_compare);
	for (i = 1; i < n; i++)
		if (strcmp(list[i - 1].name, list[i].name) == 0)
			rc = -EINVAL;
	if (rc >= 0)
		rc = labels_join(list, n, ret_text);
	free(copy);
	return rc;
}

void
metrics_label_escape(char *ret, size_t size, const char *value)
{
	size_t left = strlen(value), len = 0;

	while (left > 0) {
		bool escaped = *value == ',' || *value == '=' || *value == '\\';
		size_t n = (size_t)abs(utf8_next(value, left));

		if (len + escaped + n >= size)
			break;
		if (escaped)
			ret[len++] = '\\';
		memcpy(ret + len, value, n);
		len += n;
		value += n;
		left -= n;
	}
	if (size > 0)
		ret[len] = '\0';
}
