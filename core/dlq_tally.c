#include "dlq_tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dlq_text.h"
#include "timer.h"

#define BAR_WIDTH    30
#define BAR_EVERY_NS INT64_C(100000000)
#define LINE_CLEAR   "\r\033[K"

static const char *const outcomes[DLQ_OUTCOMES] = {
	[DLQ_RETRIED] = "retried",	   [DLQ_WOULD_RETRY] = "would retry",
	[DLQ_PASSED_OVER] = "passed over", [DLQ_FAILED_AGAIN] = "failed again",
	[DLQ_NOT_RETRIED] = "not retried",
};

void
dlq_tally_init(struct dlq_tally *tally, bool json)
{
	*tally = (struct dlq_tally){
		.json = json,
		.has_bar = isatty(STDERR_FILENO) == 1,
		.begin_ns = timer_now_ns(),
	};
	pthread_mutex_init(&tally->lock, NULL);
}

void
dlq_tally_fini(struct dlq_tally *tally)
{
	pthread_mutex_destroy(&tally->lock);
}

/* To whom: a program hears of all of them, a person of those that he may have
 * to do something about, and of what a dry run would do. */
static void
letter_say(const struct dlq_tally *tally, const unsigned char id[16],
	   enum dlq_outcome outcome, const char *why)
{
	char text[DLQ_ID_SIZE];

	dlq_text_id(id, text);
	if (tally->json) {
		printf("{\"id\":\"%s\",\"result\":\"%s\"", text,
		       outcomes[outcome]);
		if (why) {
			fputs(",\"why\":", stdout);
			dlq_text_quote(stdout, why, strlen(why));
		}
		fputs("}\n", stdout);
		return;
	}
	if (outcome == DLQ_WOULD_RETRY)
		printf("%s: would retry\n", text);
	if (outcome == DLQ_RETRIED || outcome == DLQ_WOULD_RETRY)
		return;
	if (tally->has_bar)
		fputs(LINE_CLEAR, stderr);
	fprintf(stderr, "%s: %s%s", text, outcomes[outcome], why ? ": " : "");
	dlq_text_put(stderr, why ? why : "", why ? strlen(why) : 0);
	fputc('\n', stderr);
}

void
dlq_tally_add(struct dlq_tally *tally, const unsigned char id[16],
	      enum dlq_outcome outcome, const char *why)
{
	pthread_mutex_lock(&tally->lock);
	tally->n[outcome]++;
	letter_say(tally, id, outcome, why);
	pthread_mutex_unlock(&tally->lock);
}

int64_t
dlq_tally_n(struct dlq_tally *tally, enum dlq_outcome outcome)
{
	int64_t n;

	pthread_mutex_lock(&tally->lock);
	n = tally->n[outcome];
	pthread_mutex_unlock(&tally->lock);
	return n;
}

static void
bar_put(const struct dlq_tally *tally, int64_t n, int64_t now_ns)
{
	double seconds = (double)(now_ns - tally->begin_ns) / 1e9;
	int64_t expected = tally->expected > n ? tally->expected : n;
	int width = expected > 0 ? (int)(n * BAR_WIDTH / expected) : 0;

	fputs(LINE_CLEAR "[", stderr);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < width ? '#' : ' ', stderr);
	fprintf(stderr, "] %" PRId64 "/%" PRId64 "  %.0f/s", n, expected,
		seconds > 0 ? (double)n / seconds : 0);
	fflush(stderr);
}

void
dlq_tally_draw(struct dlq_tally *tally)
{
	int64_t now_ns = timer_now_ns(), n = 0;

	if (!tally->has_bar)
		return;
	pthread_mutex_lock(&tally->lock);
	if (now_ns - tally->last_bar_ns >= BAR_EVERY_NS) {
		tally->last_bar_ns = now_ns;
		for (int i = 0; i < DLQ_OUTCOMES; i++)
			n += tally->n[i];
		bar_put(tally, n, now_ns);
	}
	pthread_mutex_unlock(&tally->lock);
}

void
dlq_tally_clear(struct dlq_tally *tally)
{
	if (tally->has_bar)
		fputs(LINE_CLEAR, stderr);
}

void
dlq_tally_sum(struct dlq_tally *tally)
{
	/* A program's standard output has one object for each letter. */
	FILE *out = tally->json ? stderr : stdout;
	enum dlq_outcome first =
		tally->n[DLQ_WOULD_RETRY] > 0 ? DLQ_WOULD_RETRY : DLQ_RETRIED;

	dlq_tally_clear(tally);
	fprintf(out, "%s %" PRId64, outcomes[first], tally->n[first]);
	for (int i = DLQ_PASSED_OVER; i <= DLQ_NOT_RETRIED; i++)
		if (tally->n[i] > 0)
			fprintf(out, ", %s %" PRId64, outcomes[i], tally->n[i]);
	fputc('\n', out);
}
