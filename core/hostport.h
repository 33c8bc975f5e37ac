/*
 * hostport.h - addresses in an option's text: is each port one.
 *
 * An option whose `values` name one of these forms is checked before anything
 * is opened, so that a port out of range is found by `evhd check`.
 */
#ifndef EVH_HOSTPORT_H
#define EVH_HOSTPORT_H

#include <stdbool.h>

/* "HOST:PORT", "HOST:FIRST-LAST" (or one port), "HOST:PORT,..." (with or
 * without ports). */
bool hostport_is_form(const char *form);
/* Is text of this form, with ports of 1..65535 and hosts that are not empty;
 * an address of IPv6 stands in brackets. */
bool hostport_is_good(const char *form, const char *text);

#endif
