/*
 * order.h - nobody comes to an element before those that it follows.
 *
 * In the chain that is everybody of its lane who was emitted before it, and the
 * parent and elder brothers of a child; at on_fail and on_drop those who left
 * the chain at the same element before it.
 */
#ifndef SIMULATE_ORDER_H
#define SIMULATE_ORDER_H

#include "walker.h"

/* It is at `w->at`, shown to this end, right now. */
void order_check(const struct walker *w, const struct end *end);

#endif
