#include "dead.h"

#include "clock.h"
#include "dead_forget.h"
#include "dead_index.h"
#include "dead_letter.h"
#include "dead_reader.h"

#include <letter.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of a pass: all that was asked for has been given, the rest is not read. */
#define ENOUGH (-ENODATA)

/* One request at work. */
struct visit {
	struct dead *dead;
	const struct desk_request *request;
	struct desk_outcome *outcome;
	struct dead_reader reader;
	struct dead_decoder decoder;
	struct dead_index index;
};

static bool
is_asked(const struct visit *visit, const struct evh_letter *letter)
{
	const unsigned char *id = visit->request->query.id;

	return id == NULL || memcmp(id, letter->id, sizeof(letter->id)) == 0;
}

/* The first time: where is the newest letter of each event? */
static int
message_note(void *arg, const rd_kafka_message_t *message)
{
	struct visit *visit = arg;
	const struct evh_letter *letter = &visit->decoder.letter;
	struct dead_place place = { .offset = message->offset,
				    .partition = message->partition };
	int rc = dead_decode(&visit->decoder, message);

	if (rc <= 0 || !is_asked(visit, letter))
		return rc < 0 ? rc : 0;
	place.failed_ns = letter->failed_ns;
	place.attempts = letter->attempts;
	place.fits = letter_fits(&visit->request->query, letter);
	return dead_index_add(&visit->index, letter->id, &place);
}

/* The second time. */
static int
message_give(void *arg, const rd_kafka_message_t *message)
{
	struct visit *visit = arg;
	const struct evh_dead_query *query = &visit->request->query;
	struct evh_letter *letter = &visit->decoder.letter;
	int rc = dead_decode(&visit->decoder, message);

	if (rc <= 0 || !dead_index_wants(&visit->index, letter->id,
					 message->partition, message->offset))
		return rc < 0 ? rc : 0;
	if (!query->want_data)
		letter->data = (struct evh_bytes){ NULL, 0 };
	rc = desk_give(&visit->dead->desk, visit->request, letter,
		       visit->outcome);
	if (rc == 0 && query->limit > 0 && visit->outcome->n >= query->limit)
		return ENOUGH;
	return rc;
}

static int
letters_give(struct visit *visit)
{
	int rc = dead_reader_pass(&visit->reader, message_note, visit);

	if (rc == 0 && visit->index.n > 0)
		rc = dead_reader_pass(&visit->reader, message_give, visit);
	if (rc == ENOUGH)
		rc = 0;
	if (rc == -E2BIG)
		snprintf(visit->reader.why, sizeof(visit->reader.why),
			 "dead letters of more than %u events are in the topic",
			 DEAD_INDEX_MAX);
	return rc;
}

static int
letters_forget(struct visit *visit)
{
	const struct evh_dead_query *query = &visit->request->query;

	if (query->id != NULL) {
		snprintf(visit->reader.why, sizeof(visit->reader.why),
			 "a topic cannot forget a single dead letter, only "
			 "what is older than a time: discard --before TIME");
		return -EPERM;
	}
	return dead_forget(&visit->reader, query->before_ns,
			   visit->request->is_dry_run, &visit->outcome->n);
}

/* What evh/services.h lets the asker hear. */
static int
visit_settle(struct visit *visit, int rc)
{
	snprintf(visit->outcome->why, sizeof(visit->outcome->why), "%s",
		 visit->reader.why);
	switch (-rc) {
	case 0:
	case ECANCELED:
	case ESHUTDOWN:
	case ETIMEDOUT:
	case ENOMEM:
	case EPERM:
		return rc;
	case E2BIG:
		return -EPERM;
	default:
		return -EAGAIN;
	}
}

static int
dead_work(void *keeper, const struct desk_request *request,
	  struct desk_outcome *ret)
{
	struct dead *dead = keeper;
	struct visit visit = { .dead = dead,
			       .request = request,
			       .outcome = ret };
	int rc;

	dead_decoder_init(&visit.decoder);
	dead_index_init(&visit.index);
	rc = dead_reader_open(&visit.reader, &dead->desk, request, dead->ctx,
			      dead->settings);
	if (rc == 0)
		rc = request->is_discard ? letters_forget(&visit)
					 : letters_give(&visit);
	rc = visit_settle(&visit, rc);
	dead_reader_close(&visit.reader, dead->endings);
	dead_index_fini(&visit.index);
	dead_decoder_fini(&visit.decoder);
	return rc;
}

int
dead_start(struct dead *dead, struct evh_ctx *ctx,
	   const struct settings *settings)
{
	int rc;

	dead->ctx = ctx;
	dead->settings = settings;
	dead->endings = endings_new();
	if (dead->endings == NULL)
		return -ENOMEM;
	rc = desk_start(&dead->desk, "evh-kafka-dead", dead_work, dead);
	if (rc < 0)
		endings_free(dead->endings);
	return rc;
}

void
dead_stop(struct dead *dead, int timeout_ms)
{
	int64_t due_ms = clock_ms() + timeout_ms;
	int64_t rest_ms;

	desk_stop(&dead->desk);
	rest_ms = due_ms - clock_ms();
	(void)endings_wait(dead->endings, rest_ms > 0 ? (int)rest_ms : 0);
	endings_free(dead->endings);
}
