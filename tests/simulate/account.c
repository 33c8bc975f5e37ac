#include "account.h"

#include <string.h>

#include "content.h"
#include "disk.h"
#include "failure.h"
#include "virtual.h"

enum state {
	STATE_NONE,    /* not emitted, or not taken */
	STATE_LIVE,    /* taken, not answered */
	STATE_UNKNOWN, /* its process died before it was answered */
	STATE_REFUSED, /* RETRY: nobody owes anything */
	STATE_PASSED,  /* OK: the sink has it */
	STATE_SPOOLED, /* OK: it is safe */
	STATE_FAILED,
};

struct item {
	enum state state;
	unsigned char id[16];
	char key; /* 0: none */
	size_t size;
	int64_t created_ns;
	unsigned n_ok;	   /* the sink has said so */
	bool is_ok_here;   /* in this life */
	bool is_in_hand;   /* of the sink, in this life */
	bool was_shown;	   /* to the sink, ever */
	bool has_failed;   /* once, so that those behind may have gone first */
	bool is_overtaken; /* when its process stopped, which gave it back */
	int64_t born_ns;
};

static struct {
	struct item items[ACCOUNT_MAX];
	unsigned n;
	unsigned deadline_ms; /* 0: none */
	bool gives_up, is_settled;
} account;

void
account_begin(unsigned deadline_ms)
{
	account.n = 0;
	account.deadline_ms = deadline_ms;
	account.gives_up = account.is_settled = false;
}

void
account_settle(void)
{
	account.is_settled = true;
}

void
account_give_up(void)
{
	account.gives_up = true;
}

bool
account_is_full(void)
{
	return account.n == ACCOUNT_MAX;
}

void
account_new(char key, size_t size, unsigned char ret_id[16],
	    struct content *ret)
{
	struct item *item = &account.items[account.n];
	uint64_t serial = account.n * UINT64_C(0x9e3779b97f4a7c15);

	*item = (struct item){ .state = STATE_NONE, .key = key, .size = size };
	memcpy(item->id, &account.n, sizeof(account.n));
	memcpy(item->id + 8, &serial, sizeof(serial));
	memcpy(ret_id, item->id, sizeof(item->id));
	content_make(ret, account.n++, key, size);
}

static unsigned
number_of(const struct evh_event *ev)
{
	unsigned number;

	memcpy(&number, ev->id, sizeof(number));
	if (number >= account.n ||
	    memcmp(ev->id, account.items[number].id, 16) != 0)
		failure("an event comes that nobody made");
	return number;
}

static void
content_of(const struct evh_event *ev, struct content *ret)
{
	unsigned number = number_of(ev);

	content_make(ret, number, account.items[number].key,
		     account.items[number].size);
}

static bool
is_on_the_disk(const struct evh_event *ev)
{
	unsigned char body[CONTENT_BODY_MAX];
	struct content content;

	content_of(ev, &content);
	return disk_is_sure_of(body, content_body(&content, ev, body));
}

/* ---- The source --------------------------------------------------------- */

void
account_offer(const struct evh_event *ev)
{
	struct item *item = &account.items[number_of(ev)];

	item->created_ns = ev->created_ns;
	item->state = STATE_LIVE;
	item->born_ns = virtual_now_ns();
}

void
account_give_back(const struct evh_event *ev)
{
	unsigned number = number_of(ev);
	struct item *item = &account.items[number];

	if (item->state != STATE_LIVE || item->was_shown)
		failure("#%u is given back, and was taken", number);
	item->state = STATE_NONE;
}

void
account_answer(const struct evh_event *ev, enum evh_result result)
{
	unsigned number = number_of(ev);
	struct item *item = &account.items[number];

	if (item->state != STATE_LIVE)
		failure("#%u is answered twice", number);
	switch (result) {
	case EVH_OK:
		trace("#%u is %s", number,
		      ev->is_spooled ? "spooled" : "through");
		if (ev->is_spooled && !is_on_the_disk(ev))
			failure("#%u is acknowledged, and not on the disk",
				number);
		if (!ev->is_spooled && !item->is_ok_here)
			failure("#%u is answered OK, and the sink has not",
				number);
		item->state = ev->is_spooled ? STATE_SPOOLED : STATE_PASSED;
		break;
	case EVH_RETRY:
		trace("#%u is refused", number);
		if (item->is_ok_here)
			failure("#%u is refused, and the sink has it", number);
		item->state = STATE_REFUSED;
		break;
	case EVH_FAIL:
		if (!item->has_failed)
			failure("#%u has failed, and the sink did not say so",
				number);
		item->state = STATE_FAILED;
		break;
	case EVH_DROP:
	case EVH_HOLD:
		failure("#%u is answered %d", number, (int)result);
	}
}

/* ---- The sink ----------------------------------------------------------- */

/* Nobody waits for it any more: it may be on its way to hear RETRY. */
static bool
may_be_given_up(const struct item *item)
{
	return account.gives_up ||
	       (account.deadline_ms > 0 &&
		virtual_now_ns() - item->born_ns >=
			(int64_t)account.deadline_ms * 1000000);
}

static bool
may_be_overtaken(struct item *item)
{
	if (item->n_ok > 0 || item->is_in_hand || item->has_failed)
		return true;
	if (account.gives_up)
		item->is_overtaken = true;
	return item->state == STATE_LIVE
		       ? may_be_given_up(item)
		       : item->state != STATE_SPOOLED || item->is_overtaken;
}

/* Those of its key that came before it are there, and none that came later:
 * unless it comes once more, or nobody waits for it any longer. */
static void
check_order(unsigned number)
{
	const struct item *item = &account.items[number];

	if (item->n_ok > 0 || item->has_failed || item->key == '\0')
		return;
	for (unsigned i = 0; i < account.n; i++) {
		struct item *other = &account.items[i];

		if (other->key != item->key || i == number)
			continue;
		if (i < number && !may_be_overtaken(other))
			failure("order: #%u comes before #%u", number, i);
		if (i > number && item->state != STATE_REFUSED &&
		    !item->is_overtaken &&
		    (other->n_ok > 0 || other->is_in_hand))
			failure("order: #%u comes behind #%u", number, i);
	}
}

static void
check_content(const struct evh_event *ev)
{
	unsigned number = number_of(ev);
	struct content content;
	const char *what;

	content_of(ev, &content);
	what = content_difference(&content, ev);
	if (what != NULL)
		failure("#%u comes with another %s", number, what);
	if (ev->created_ns != account.items[number].created_ns)
		failure("#%u comes with another time", number);
}

void
account_show(const struct evh_event *ev)
{
	unsigned number = number_of(ev);
	struct item *item = &account.items[number];

	trace("the sink has #%u", number);
	if (item->state == STATE_NONE)
		failure("#%u comes, and was not taken", number);
	if (item->is_in_hand)
		failure("#%u comes, and the sink has it", number);
	if (item->is_ok_here)
		failure("#%u comes again, without a new start", number);
	if (account.is_settled && item->n_ok > 0)
		failure("#%u comes again, after a stop in peace", number);
	check_content(ev);
	check_order(number);
	item->is_in_hand = true;
	item->was_shown = true;
}

void
account_deliver(const struct evh_event *ev, enum evh_result result)
{
	unsigned number = number_of(ev);
	struct item *item = &account.items[number];

	trace("the sink says %s to #%u",
	      result == EVH_OK	    ? "OK"
	      : result == EVH_RETRY ? "RETRY"
				    : "FAIL",
	      number);
	item->is_in_hand = false;
	if (result == EVH_FAIL)
		item->has_failed = true;
	if (result != EVH_OK)
		return;
	item->n_ok++;
	item->is_ok_here = true;
}

/* ---- The whole ---------------------------------------------------------- */

void
account_next_life(void)
{
	account.gives_up = false;
	for (unsigned i = 0; i < account.n; i++) {
		struct item *item = &account.items[i];

		item->is_ok_here = item->is_in_hand = false;
		if (item->state == STATE_LIVE)
			item->state = STATE_UNKNOWN;
	}
}

unsigned
account_owed(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < account.n; i++)
		n += account.items[i].state == STATE_LIVE ||
		     (account.items[i].state == STATE_SPOOLED &&
		      account.items[i].n_ok == 0);
	return n;
}

void
account_end(void)
{
	for (unsigned i = 0; i < account.n; i++) {
		if (account.items[i].state == STATE_LIVE)
			failure("#%u is never answered", i);
		if (account.items[i].state == STATE_SPOOLED &&
		    account.items[i].n_ok == 0)
			failure("#%u was acknowledged, and is lost", i);
	}
}
