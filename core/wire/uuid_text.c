#include "uuid_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

#include "clock.h"

#define RANDOM_BLOCK 256
#define COUNTER_BITS 26 /* 12 of rand_a, 14 of rand_b */

/* What a thread remembers from one id to the next. */
struct generator {
	uint64_t ms;
	uint32_t counter;
	size_t n_random; /* bytes of random not used yet, from the end */
	unsigned char random[RANDOM_BLOCK];
};

static _Thread_local struct generator generator;
/* The sentence of uuid_read(): one a thread, gone with the next. */
static _Thread_local char why[80];

/*
 * getrandom() of at most 256 bytes neither fails nor is cut short once the
 * kernel's pool is ready, unless a sandbox forbids it: libuuid has other ways.
 */
static void
random_fill(unsigned char random[RANDOM_BLOCK])
{
	size_t i;

	if (getrandom(random, RANDOM_BLOCK, 0) == RANDOM_BLOCK)
		return;
	for (i = 0; i < RANDOM_BLOCK; i += sizeof(uuid_t))
		uuid_generate_random(random + i);
}

static const unsigned char *
random_take(struct generator *gen, size_t n)
{
	if (gen->n_random < n) {
		random_fill(gen->random);
		gen->n_random = RANDOM_BLOCK;
	}
	gen->n_random -= n;
	return gen->random + gen->n_random;
}

/*
 * In a new millisecond the counter begins at random in its lower half, so
 * that at least 2^25 ids fit before it ends; then it begins anew, which costs
 * their order but not their being unique.
 */
static uint32_t
counter_next(struct generator *gen, uint64_t ms)
{
	const unsigned char *r;

	if (ms == gen->ms && gen->counter + 1 < 1u << COUNTER_BITS)
		return ++gen->counter;
	r = random_take(gen, 4);
	gen->ms = ms;
	gen->counter = ((uint32_t)r[0] | (uint32_t)r[1] << 8 |
			(uint32_t)r[2] << 16 | (uint32_t)r[3] << 24) &
		       ((1u << (COUNTER_BITS - 1)) - 1);
	return gen->counter;
}

void
uuid_v7(int64_t unix_ns, unsigned char ret[16])
{
	struct generator *gen = &generator;
	uint64_t ms = unix_ns > 0 ? (uint64_t)(unix_ns / NS_PER_MS) : 0;
	uint32_t counter = counter_next(gen, ms);
	int i;

	for (i = 0; i < 6; i++)
		ret[i] = (unsigned char)(ms >> (40 - 8 * i));
	ret[6] = (unsigned char)(0x70 | counter >> 22);
	ret[7] = (unsigned char)(counter >> 14);
	ret[8] = (unsigned char)(0x80 | (counter >> 8 & 0x3F));
	ret[9] = (unsigned char)counter;
	memcpy(ret + 10, random_take(gen, 6), 6);
}

void
uuid_v5(const unsigned char space[16], const char *name, size_t len,
	unsigned char ret[16])
{
	uuid_generate_sha1(ret, space, name, len);
}

void
uuid_v5_url(const char *name, size_t len, unsigned char ret[16])
{
	/* RFC 9562, section 6.6. */
	static const unsigned char url[16] = {
		0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
		0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
	};

	uuid_v5(url, name, len, ret);
}

static bool
is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void
uuid_write(const unsigned char id[16], char ret[UUID_TEXT_LEN])
{
	static const char digits[] = "0123456789abcdef";
	size_t i, n = 0;

	for (i = 0; i < 16; i++) {
		if (is_hyphen_place(n))
			ret[n++] = '-';
		ret[n++] = digits[id[i] >> 4];
		ret[n++] = digits[id[i] & 0x0F];
	}
}

/* Added to a digit's value, so that what is no digit is known by its 0. */
#define IS_HEX 0x10

/* Looked up instead of compared: 32 digits an id, an id an event. */
static const unsigned char hex_values[256] = {
	['0'] = IS_HEX | 0,  ['1'] = IS_HEX | 1,  ['2'] = IS_HEX | 2,
	['3'] = IS_HEX | 3,  ['4'] = IS_HEX | 4,  ['5'] = IS_HEX | 5,
	['6'] = IS_HEX | 6,  ['7'] = IS_HEX | 7,  ['8'] = IS_HEX | 8,
	['9'] = IS_HEX | 9,  ['a'] = IS_HEX | 10, ['b'] = IS_HEX | 11,
	['c'] = IS_HEX | 12, ['d'] = IS_HEX | 13, ['e'] = IS_HEX | 14,
	['f'] = IS_HEX | 15, ['A'] = IS_HEX | 10, ['B'] = IS_HEX | 11,
	['C'] = IS_HEX | 12, ['D'] = IS_HEX | 13, ['E'] = IS_HEX | 14,
	['F'] = IS_HEX | 15,
};

static bool
is_good_at(const char *text, size_t i)
{
	return is_hyphen_place(i) ? text[i] == '-'
				  : hex_values[(unsigned char)text[i]] != 0;
}

/* What stands where it should not, as one printable character or its byte. */
static void
explain_character(const char *expected, unsigned char c, size_t place)
{
	if (c > 0x20 && c < 0x7F)
		snprintf(why, sizeof(why),
			 "invalid character: expected %s, found `%c` at %zu",
			 expected, c, place);
	else
		snprintf(why, sizeof(why),
			 "invalid character: expected %s, found 0x%02x at %zu",
			 expected, c, place);
}

/* Of the right length it is wrong at some place: the first is told. */
static int
refuse(const char *text, size_t len, const char **ret_why)
{
	size_t at = 0;

	if (ret_why == NULL)
		return -EINVAL;
	*ret_why = why;
	if (len != UUID_TEXT_LEN) {
		snprintf(why, sizeof(why),
			 "invalid length: expected length %d, found %zu",
			 UUID_TEXT_LEN, len);
		return -EINVAL;
	}
	while (is_good_at(text, at))
		at++;
	explain_character(is_hyphen_place(at) ? "`-`" : "[0-9a-fA-F]",
			  (unsigned char)text[at], at + 1);
	return -EINVAL;
}

int
uuid_read(const char *text, size_t len, unsigned char ret[16],
	  const char **ret_why)
{
	/* Where the two digits of each byte begin. */
	static const unsigned char places[16] = { 0,  2,  4,  6,  9,  11,
						  14, 16, 19, 21, 24, 26,
						  28, 30, 32, 34 };
	const unsigned char *digits = (const unsigned char *)text;
	unsigned all = IS_HEX;
	unsigned char id[16];

	if (len != UUID_TEXT_LEN || text[8] != '-' || text[13] != '-' ||
	    text[18] != '-' || text[23] != '-')
		return refuse(text, len, ret_why);
	for (size_t i = 0; i < sizeof(id); i++) {
		unsigned high = hex_values[digits[places[i]]];
		unsigned low = hex_values[digits[places[i] + 1]];

		all &= high & low;
		id[i] = (unsigned char)(high << 4 | (low & 0x0F));
	}
	if (all != IS_HEX)
		return refuse(text, len, ret_why);
	memcpy(ret, id, sizeof(id));
	return 0;
}
