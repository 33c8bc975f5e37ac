#include "dlq.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "dlq_replay.h"
#include "host.h"
#include "host_tables.h"
#include "dlq_text.h"
#include "listing.h"
#include "log.h"
#include "setup.h"
#include "timer.h"

/* Many in flight make it fast, few make it end soon when it is told to. */
#define IN_FLIGHT_MAX 1000

static int
word_run(struct dlq *dlq)
{
	switch (dlq->words->verb) {
	case DLQ_LIST:
		return dlq_list(dlq);
	case DLQ_SHOW:
		return dlq_show(dlq);
	case DLQ_RETRY:
		return dlq_retry(dlq);
	case DLQ_DISCARD:
		return dlq_discard(dlq);
	case DLQ_STATS:
		return dlq_stats(dlq);
	}
	return EX_SOFTWARE;
}

/* All have started. */
static int
dlq_work(struct host *host, void *arg)
{
	struct dlq *dlq = arg;
	struct instance *in = host_instance(host, dlq->choice->from);
	int rc;

	dlq->host = host;
	if (in->plugin->service)
		dlq->dead = in->plugin->service(in->self, EVH_DEAD_1);
	if (!dlq->dead) {
		fprintf(stderr,
			"evhd dlq: \"%s\" keeps no dead letters that it could "
			"show (%s)\n",
			in->name, in->plugin->name);
		return EX_USAGE;
	}
	rc = word_run(dlq);
	if (fflush(stdout) == EOF && rc == EX_OK)
		rc = EX_OSERR;
	return rc;
}

static void
window_narrow(struct setup *setup)
{
	for (unsigned i = 0; i < setup->config->n_pipelines; i++)
		if (setup->config->pipelines[i].in_flight > IN_FLIGHT_MAX)
			setup->config->pipelines[i].in_flight = IN_FLIGHT_MAX;
}

/* Somebody waits for what is on standard output; the log is for mistakes, and
 * goes where he sees it. */
static int
log_start(const struct config *config)
{
	return log_open(config->debug ? EVH_DEBUG : EVH_WARN,
			log_format_from(config->log_format), NULL);
}

static void
errors_tell(const struct problems *problems)
{
	struct problems errors = { 0 };

	for (size_t i = 0; i < problems->n; i++)
		if (!problems->list[i].is_warning)
			problems_add(&errors, problems->list[i].where, "%s",
				     problems->list[i].text);
	listing_problems(&errors);
	problems_fini(&errors);
}

static int
part_run(struct dlq *dlq, const char *file, const struct setup_part *part,
	 struct problems *problems, bool *ret_abandon)
{
	struct setup *setup = setup_new_part(file, part, problems);
	int rc = EX_CONFIG;

	errors_tell(problems);
	if (setup && problems->n_errors == 0) {
		window_narrow(setup);
		rc = log_start(setup->config) < 0
			     ? EX_OSERR
			     : host_run_work(setup, dlq_work, dlq, ret_abandon);
		if (*ret_abandon)
			return rc; /* threads run on, with all of it */
		log_close();
	}
	setup_free(setup);
	return rc;
}

static int
choice_run(struct dlq *dlq, const char *file, bool *ret_abandon)
{
	const struct dlq_choice *choice = dlq->choice;
	struct loader_plugin replay = { 0 };
	struct problems problems = { 0 };
	struct setup_part part = { .instances = choice->names };
	int rc = 0;

	if (choice->pipeline) {
		part.pipeline = choice->pipeline->name;
		part.replaced = choice->head;
		part.stand_in = &replay;
		rc = loader_check(&dlq_replay_plugin, "evhd", "", &problems,
				  &replay);
	}
	if (rc == 0)
		rc = part_run(dlq, file, &part, &problems, ret_abandon);
	else
		rc = EX_OSERR;
	if (!*ret_abandon)
		loader_plugin_fini(&replay);
	problems_fini(&problems);
	return rc;
}

int
dlq_main(const struct arguments *arguments, bool *ret_abandon)
{
	struct dlq_words words;
	struct dlq_choice choice = { 0 };
	struct dlq dlq = { .words = &words, .choice = &choice };
	char why[640];
	int rc = dlq_words_parse(arguments->n_args, arguments->args,
				 timer_wall_ns(), &words, why, sizeof(why));

	if (rc < 0)
		rc = dlq_text_refuse("%s", why);
	else if (!arguments->config_file)
		rc = dlq_text_refuse("which file? evhd dlq -c FILE ...");
	else
		rc = dlq_choice_make(arguments->config_file,
				     arguments->env_file, &words, &choice);
	if (rc == EX_OK)
		rc = choice_run(&dlq, arguments->config_file, ret_abandon);
	if (!*ret_abandon) {
		dlq_choice_fini(&choice);
		dlq_words_fini(&words);
	}
	return rc;
}
