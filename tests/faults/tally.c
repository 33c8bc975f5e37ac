#include "tally.h"

#include <inttypes.h>

#define SUB_BITS 4 /* sixteen buckets for each doubling: within 7 % */

static unsigned
bucket_of(uint64_t us)
{
	unsigned exponent;

	if (us < (1u << SUB_BITS))
		return (unsigned)us;
	exponent = 63u - (unsigned)__builtin_clzll(us) - SUB_BITS;
	return (exponent + 1) * (1u << SUB_BITS) +
	       (unsigned)((us >> exponent) & ((1u << SUB_BITS) - 1));
}

/* The longest time that a bucket holds, nearly. */
static double
bucket_ms(unsigned bucket)
{
	unsigned exponent = bucket >> SUB_BITS;
	uint64_t us = bucket & ((1u << SUB_BITS) - 1);

	if (exponent > 0)
		us = (us + (1u << SUB_BITS)) << (exponent - 1);
	return (double)us / 1000;
}

static double
ms_at(const struct tally *tally, double share)
{
	uint64_t total = 0;
	uint64_t seen = 0;
	unsigned i;

	for (i = 0; i < TALLY_BUCKETS; i++)
		total += tally->buckets[i];
	for (i = 0; i < TALLY_BUCKETS; i++) {
		seen += tally->buckets[i];
		if (total > 0 && (double)seen >= share * (double)total)
			return bucket_ms(i);
	}
	return 0;
}

static uint64_t
taken_of(const struct tally *tally)
{
	return tally->taken[TALLY_BEFORE] + tally->taken[TALLY_DURING] +
	       tally->taken[TALLY_AFTER];
}

void
tally_taken(struct tally *tally, int64_t now_ns, int64_t took_ns)
{
	unsigned bucket = bucket_of((uint64_t)took_ns / 1000);

	if (tally->last_taken_ns &&
	    now_ns - tally->last_taken_ns > tally->gap_ns)
		tally->gap_ns = now_ns - tally->last_taken_ns;
	tally->last_taken_ns = now_ns;
	if (took_ns > tally->slowest_ns)
		tally->slowest_ns = took_ns;
	tally->taken[tally->phase]++;
	if (bucket < TALLY_BUCKETS)
		tally->buckets[bucket]++;
}

void
tally_strike(struct tally *tally, uint64_t in_flight)
{
	tally->phase = TALLY_DURING;
	if (tally->strikes == 0 || in_flight < tally->in_flight_least)
		tally->in_flight_least = in_flight;
	tally->in_flight_sum += in_flight;
	tally->strikes++;
}

void
tally_print(const struct tally *tally, FILE *f, uint64_t in_flight,
	    int64_t now_ns)
{
	fprintf(f,
		"{\"sent\":%" PRIu64 ",\"2xx\":%" PRIu64 ",\"503\":%" PRIu64
		",\"other\":%" PRIu64 ",\"broken\":%" PRIu64
		",\"unknown\":%" PRIu64 ",\"hung\":%" PRIu64
		",\"repeated\":%" PRIu64,
		tally->sent, taken_of(tally), tally->unavailable, tally->other,
		tally->broken, tally->unknown, tally->hung, tally->repeated);
	fprintf(f,
		",\"before\":%" PRIu64 ",\"during\":%" PRIu64
		",\"after\":%" PRIu64 ",\"strikes\":%" PRIu64
		",\"in_flight\":%" PRIu64 ",\"in_flight_least\":%" PRIu64
		",\"in_flight_sum\":%" PRIu64,
		tally->taken[TALLY_BEFORE], tally->taken[TALLY_DURING],
		tally->taken[TALLY_AFTER], tally->strikes, in_flight,
		tally->in_flight_least, tally->in_flight_sum);
	fprintf(f,
		",\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
		"\"gap_ms\":%.0f,\"seconds\":%.1f}",
		ms_at(tally, 0.5), ms_at(tally, 0.99),
		(double)tally->slowest_ns / 1e6, (double)tally->gap_ns / 1e6,
		(double)(now_ns - tally->begin_ns) / 1e9);
}
