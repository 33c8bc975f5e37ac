#include "metrics_page.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "utf8.h"

int
page_make(void **state)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return -1;
	page->metrics = metrics_new(8);
	*state = page;
	return page->metrics ? 0 : -1;
}

int
page_remove(void **state)
{
	struct page *page = *state;

	metrics_free(page->metrics);
	free(page->text);
	free(page);
	return 0;
}

static void
page_put(void *arg, const char *text, size_t len)
{
	struct page *page = arg;

	page->text = realloc(page->text, page->len + len + 1);
	assert_non_null(page->text);
	memcpy(page->text + page->len, text, len);
	page->len += len;
	page->text[page->len] = '\0';
}

static void check_page(const char *text);

const char *
page_render(struct page *page)
{
	page->len = 0;
	page_put(page, "", 0);
	assert_int_equal(metrics_render(page->metrics, page_put, page), 0);
	check_page(page->text);
	return page->text;
}

void
page_assert_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
		at++;
	}
	fail_msg("no line %s in:\n%s", line, text);
}

unsigned
page_count(const char *text, const char *part)
{
	unsigned n = 0;

	while ((text = strstr(text, part)) != NULL) {
		n++;
		text += strlen(part);
	}
	return n;
}

/* What the lines of one family have shown so far. */
struct checked {
	char name[128], kind[16];
	bool helped;
	char series[4096]; /* of a histogram, labels without le */
	double le;
	uint64_t count;
	bool inf, sum;
};

struct checker {
	struct checked family;
	char seen[64][128]; /* families that are over, and this one */
	unsigned n_seen;
	const char *lines[4096]; /* name and labels of each sample */
	size_t lens[4096];
	unsigned n_lines;
};

static const char *
take_name(const char *p, char ret[128])
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	assert_in_range(n, 1, 127);
	assert_false(*p >= '0' && *p <= '9');
	memcpy(ret, p, n);
	ret[n] = '\0';
	return p + n;
}

static void
begin_family(struct checker *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->n_seen; i++)
		assert_string_not_equal(c->seen[i], name);
	assert_true(c->n_seen < 64);
	snprintf(c->seen[c->n_seen++], 128, "%s", name);
	c->family = (struct checked){ .le = -1 };
	snprintf(c->family.name, 128, "%s", name);
}

static void
end_histogram_series(const struct checked *family)
{
	if (family->series[0])
		fail_msg("%s: series %s has no _count", family->name,
			 family->series);
}

static void
check_comment(struct checker *c, const char *line)
{
	char name[128];
	const char *p = take_name(line + 7, name);

	assert_int_equal(*p, ' ');
	p++;
	end_histogram_series(&c->family);
	if (strncmp(line, "# HELP ", 7) == 0) {
		begin_family(c, name);
		c->family.helped = true;
		for (; *p != '\n'; p++)
			if (*p == '\\')
				assert_true(*++p == '\\' || *p == 'n');
		return;
	}
	assert_memory_equal(line, "# TYPE ", 7);
	if (strcmp(c->family.name, name) != 0 || !c->family.helped)
		begin_family(c, name);
	assert_string_equal(c->family.kind, "");
	memcpy(c->family.kind, p, strcspn(p, "\n"));
	assert_true(strcmp(c->family.kind, "counter") == 0 ||
		    strcmp(c->family.kind, "gauge") == 0 ||
		    strcmp(c->family.kind, "histogram") == 0);
}

/* Behind the labels; le, if there is one, and the others as text. */
static const char *
check_labels(const char *p, char ret_others[4096], char ret_le[64])
{
	char name[128], last[128] = "";
	const char *from;

	*ret_le = '\0';
	*ret_others = '\0';
	while (*p != '}') {
		from = p;
		p = take_name(p, name);
		assert_memory_equal(p, "=\"", 2);
		for (p += 2; *p != '"'; p++) {
			assert_true(*p && *p != '\n');
			if (*p == '\\')
				assert_true(*++p == '\\' || *p == '"' ||
					    *p == 'n');
		}
		if (strcmp(name, "le") == 0) {
			assert_string_equal(ret_le, "");
			snprintf(ret_le, 64, "%.*s", (int)(p - from - 4),
				 from + 4);
		} else {
			assert_true(strcmp(last, name) < 0);
			snprintf(last, sizeof(last), "%s", name);
			snprintf(ret_others + strlen(ret_others),
				 4096 - strlen(ret_others), "%.*s,",
				 (int)(p + 1 - from), from);
		}
		p++;
		if (*p == ',')
			assert_int_not_equal(*++p, '}');
		else
			assert_int_equal(*p, '}');
	}
	return p + 1;
}

static void
check_histogram(struct checked *family, const char *suffix, const char *others,
		const char *le, const char *value)
{
	char series[4096];

	snprintf(series, sizeof(series), "{%s", others);
	if (strcmp(suffix, "_bucket") == 0) {
		double bound =
			strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, NULL);
		uint64_t count = strtoull(value, NULL, 10);

		if (!family->series[0]) {
			memcpy(family->series, series, sizeof(series));
			family->le = -1;
			family->count = 0;
		}
		assert_string_equal(family->series, series);
		assert_true(strlen(le) > 0 && bound > family->le);
		assert_true(count >= family->count);
		family->le = bound;
		family->count = count;
		return;
	}
	assert_string_equal(le, "");
	assert_string_equal(family->series, series);
	assert_true(isinf(family->le));
	if (strcmp(suffix, "_sum") == 0) {
		assert_false(family->sum);
		family->sum = true;
		return;
	}
	assert_string_equal(suffix, "_count");
	assert_true(family->sum);
	assert_int_equal(strtoull(value, NULL, 10), family->count);
	family->series[0] = '\0';
	family->sum = false;
}

static void
check_sample(struct checker *c, const char *line)
{
	char name[128], others[4096] = "", le[64] = "";
	struct checked *family = &c->family;
	const char *p = take_name(line, name), *value;
	size_t n = strlen(family->name);
	unsigned i;

	if (*p == '{') {
		assert_int_not_equal(p[1], '}');
		p = check_labels(p + 1, others, le);
	}
	for (i = 0; i < c->n_lines; i++)
		assert_false(c->lens[i] == (size_t)(p - line) &&
			     memcmp(c->lines[i], line, c->lens[i]) == 0);
	assert_true(i < 4096);
	c->lines[i] = line;
	c->lens[i] = (size_t)(p - line);
	c->n_lines++;

	assert_int_equal(*p, ' ');
	value = ++p;
	p += *p == '-';
	assert_true(strspn(p, "0123456789") > 0);
	p += strspn(p, "0123456789");
	if (*p == '.') {
		assert_true(strspn(p + 1, "0123456789") > 0);
		p += 1 + strspn(p + 1, "0123456789");
	}
	assert_int_equal(*p, '\n');

	assert_string_not_equal(family->kind, "");
	assert_memory_equal(name, "evh_", 4);
	if (strcmp(family->kind, "histogram") == 0) {
		assert_memory_equal(name, family->name, n);
		check_histogram(family, name + n, others, le, value);
		return;
	}
	assert_string_equal(name, family->name);
	if (strcmp(family->kind, "counter") == 0)
		assert_string_equal(name + n - 6, "_total");
}

static void
check_page(const char *text)
{
	struct checker *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_int_equal(utf8_prefix(text, strlen(text)), strlen(text));
	for (; *text; text = strchr(text, '\n') + 1) {
		assert_non_null(strchr(text, '\n'));
		if (*text == '#')
			check_comment(c, text);
		else
			check_sample(c, text);
	}
	end_histogram_series(&c->family);
	free(c);
}
