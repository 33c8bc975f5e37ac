/*
 * hostport.h - addresses in an option's text: is each port one, and what is
 * the host, what the port.
 *
 * An option whose `values` name one of these forms is checked before anything
 * is opened, so that a port out of range is found by `evhd check`.
 */
#ifndef EVH_HOSTPORT_H
#define EVH_HOSTPORT_H

#include <stdbool.h>
#include <stdint.h>

/* "HOST:PORT", "HOST:FIRST-LAST" (or one port), "HOST:PORT,..." (with or
 * without ports). */
bool hostport_is_form(const char *form);
/* Is text of this form, with ports of 1..65535 and hosts that are not empty;
 * an address of IPv6 stands in brackets. */
bool hostport_is_good(const char *form, const char *text);

struct hostport {
	char host[256]; /* without brackets; "" is all addresses */
	uint16_t first, last;
};

/*
 * Reads where to listen: "HOST:PORT", "[V6]:PORT", ":PORT", and with may_range
 * "HOST:FIRST-LAST"; port 0 leaves the choice to the kernel.  Resolves nothing.
 * 0; or -EINVAL, *ret untouched, and a sentence's tail in *ret_why. [any]
 */
int hostport_split(const char *text, bool may_range, struct hostport *ret,
		   const char **ret_why);

#endif
