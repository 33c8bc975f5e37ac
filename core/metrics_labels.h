/*
 * metrics_labels.h - from the labels that plugins write, topic=a,partition=3,
 * to those that Prometheus reads, partition="3",topic="a".
 */
#ifndef EVH_METRICS_LABELS_H
#define EVH_METRICS_LABELS_H

#include <stdio.h>

#include "metrics.h"

/* More than that is a mistake. */
#define METRICS_MAX_LABELS 16

/*
 * *ret_text is the labels without braces, sorted by name, "" for NULL; values
 * escaped by metrics_escape(), since one byte that is no UTF-8 would make the
 * whole page unreadable.  Yours to free.  0; -EINVAL when that are
 * no labels, a name is there twice, or it is one that rendering sets by itself
 * ("le", "other"); or -ENOMEM. [any]
 */
int metrics_labels_text(const char *labels, char **ret_text);

/*
 * Writes text with a backslash before the special ones, line breaks as "\n",
 * and bytes that are no UTF-8 as U+FFFD.  Labels have "\\\"" special, help
 * "\\". [any]
 */
void metrics_escape(FILE *f, const char *text, const char *special);

#endif
