#include "utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool
in(unsigned char byte, unsigned int low, unsigned int high)
{
	return byte >= low && byte <= high;
}

int
utf8_next(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned int low = 0x80, high = 0xBF;
	int i, n;

	if (p[0] < 0x80)
		return 1;
	if (in(p[0], 0xC2, 0xDF))
		n = 2;
	else if (in(p[0], 0xE0, 0xEF))
		n = 3;
	else if (in(p[0], 0xF0, 0xF4))
		n = 4;
	else
		return -1;

	/* The first byte narrows the second: this is what keeps overlong
	 * forms, surrogates and what is beyond U+10FFFF out. */
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;

	for (i = 1; i < n; i++) {
		if ((size_t)i >= len || !in(p[i], low, high))
			return -i;
		low = 0x80;
		high = 0xBF;
	}
	return n;
}

size_t
utf8_prefix(const char *text, size_t len)
{
	size_t at = 0;
	uint64_t word;
	int n;

	while (at < len) {
		/* Nearly all text is ASCII: eight bytes at a time. */
		if (len - at >= sizeof(word)) {
			memcpy(&word, text + at, sizeof(word));
			if ((word & 0x8080808080808080u) == 0) {
				at += sizeof(word);
				continue;
			}
		}
		n = utf8_next(text + at, len - at);
		if (n < 0)
			return at;
		at += (size_t)n;
	}
	return at;
}
