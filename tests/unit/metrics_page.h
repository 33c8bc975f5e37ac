/*
 * metrics_page.h - a page as Prometheus reads it.
 *
 * Each page that is rendered goes through a strict checker of its lines.
 */
#ifndef EVH_TESTS_METRICS_PAGE_H
#define EVH_TESTS_METRICS_PAGE_H

#include "metrics.h"

struct page {
	struct metrics *metrics;
	char *text;
	size_t len;
};

/* cmocka's setup and teardown; *state is what they make. */
int page_make(void **state);
int page_remove(void **state);
/* The whole text, checked; the page's until the next one. */
const char *page_render(struct page *page);
/* That this line is there, whole. */
void page_assert_line(const char *text, const char *line);
/* How often a part is in it. */
unsigned page_count(const char *text, const char *part);

#endif
