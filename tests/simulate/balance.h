/*
 * balance.h - the host's own counts against what the oracle knows: windows,
 * events in sinks' hands, shares of lanes, and what is left at the end.
 */
#ifndef SIMULATE_BALANCE_H
#define SIMULATE_BALANCE_H

#include "scene.h"

void balance_begin(void);
/* Between two steps; and when everything has ended. */
void balance_look(const struct scene *scene);
void balance_end(const struct scene *scene);

#endif
