/*
 * mutation.h - a text changed a little, at random, as an attacker or a bug
 * would: from a seed, so that a failure can be had again.
 */
#ifndef EVH_HARNESS_MUTATION_H
#define EVH_HARNESS_MUTATION_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* xorshift64; *seed is never 0. */
static inline uint32_t
random_below(uint64_t *seed, size_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed % n);
}

/* Changes text, which has room for size bytes; returns its new length. */
static inline size_t
mutate(uint64_t *seed, char *text, size_t len, size_t size)
{
	static const char bytes[] = "\"\"\\{}[],:0123eE.+-u tn\n\0\x80\xC3\xFF";
	size_t at = random_below(seed, len + 1), n;

	switch (random_below(seed, 5)) {
	case 0: /* change a byte */
		if (at < len)
			text[at] = bytes[random_below(seed, sizeof(bytes))];
		return len;
	case 1: /* flip a bit */
		if (at < len)
			text[at] ^= (char)(1 << random_below(seed, 8));
		return len;
	case 2: /* put one in */
		if (len == size)
			return len;
		memmove(text + at + 1, text + at, len - at);
		text[at] = bytes[random_below(seed, sizeof(bytes))];
		return len + 1;
	case 3: /* take some out */
		n = random_below(seed, 4);
		n = n < len - at ? n : len - at;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	default: /* say some twice */
		n = random_below(seed, 16);
		n = n < len - at ? n : len - at;
		if (n > size - len)
			return len;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	}
}

#endif
