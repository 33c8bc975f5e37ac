#include "host.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "every.h"
#include "host_tables.h"
#include "isolate.h"
#include "last_resort.h"
#include "log.h"
#include "main_loop.h"
#include "marks.h"
#include "notify.h"
#include "offers.h"
#include "pass.h"
#include "pipeline.h"
#include "shutdown.h"
#include "signals.h"
#include "state.h"

#define SERIES_MAX 1000

struct instance *
host_instance(struct host *host, const char *name)
{
	for (unsigned i = 0; i < host->n_instances; i++)
		if (host->instances[i] &&
		    strcmp(host->instances[i]->name, name) == 0)
			return host->instances[i];
	return NULL;
}

static struct instance *
find_instance(void *arg, const char *name)
{
	return host_instance(arg, name);
}

const void *
host_service(struct host *host, const char *id)
{
	if (!host->state || strcmp(id, EVH_HOST_1) != 0)
		return NULL;
	return state_service(host->state);
}

void
host_count_ready(struct host *host, const struct instance *in, bool is_ready)
{
	for (unsigned i = 0; i < host->n_pipelines; i++) {
		struct pipeline *p = host->pipelines[i];

		if (!pipeline_needs(p, in))
			continue;
		if (is_ready)
			atomic_fetch_sub(&p->n_not_ready, 1);
		else
			atomic_fetch_add(&p->n_not_ready, 1);
	}
}

void
host_wake(struct host *host)
{
	uint64_t one = 1;

	/* Fails only when it is full, and then the main thread is awake. */
	if (write(host->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void
host_poke_users(struct host *host, const struct instance *in)
{
	for (unsigned i = 0; i < host->n_pipelines; i++)
		if (pipeline_has(host->pipelines[i], in))
			pipeline_poke(host->pipelines[i]);
	if (atomic_load(&host->is_started))
		host_wake(host);
}

void
host_fatal(struct host *host, int exit_code)
{
	int none = 0;

	atomic_compare_exchange_strong(&host->exit_code, &none, exit_code);
	atomic_store(&host->has_fatal, true);
	host_wake(host);
}

bool
host_is_ready(struct host *host)
{
	if (!atomic_load(&host->is_started) || atomic_load(&host->is_stopping))
		return false;
	for (unsigned i = 0; i < host->n_pipelines; i++) {
		struct pipeline *p = host->pipelines[i];

		if (!pipeline_is_ready(p) ||
		    !atomic_load(&p->elements[0].in->is_ready))
			return false;
	}
	for (unsigned i = 0; i < host->n_instances; i++)
		if (instance_is_stuck(host->instances[i]))
			return false;
	return true;
}

/* ---- Making and unmaking ------------------------------------------------ */

static int
host_open(struct host *host)
{
	int rc = pthread_mutex_init(&host->timers_lock, NULL);

	if (rc != 0)
		return -rc;
	host->has_lock = true;
	host->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (host->wake_fd < 0) {
		rc = -errno;
		log_write(EVH_ERROR, NULL, "eventfd: %s", strerror(-rc));
		return rc;
	}
	host->metrics = metrics_new(SERIES_MAX);
	host->state = state_new(host);
	return host->metrics && host->state ? 0 : -ENOMEM;
}

static int
host_make_instances(struct host *host)
{
	struct setup *setup = host->setup;
	unsigned n = setup->config->n_instances;

	host->instances = calloc(n + 1, sizeof(struct instance *));
	if (!host->instances)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		host->instances[i] = instance_new(host, setup->plugins[i],
						  &setup->config->instances[i],
						  setup->options[i]);
		if (!host->instances[i])
			return -ENOMEM;
		host->n_instances++;
		if (instance_isolate(host->instances[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Tells each source which pipelines it heads. */
static int
host_join_sources(struct host *host)
{
	for (unsigned i = 0; i < host->n_pipelines; i++) {
		struct pipeline *p = host->pipelines[i];
		assert(p); /* host_make_pipelines() made it */
		struct instance *in = p->elements[0].in;
		struct pipeline **heads =
			realloc(in->heads, (in->n_heads + 1) * sizeof(*heads));

		if (!heads)
			return -ENOMEM;
		heads[in->n_heads++] = p;
		in->heads = heads;
	}
	return 0;
}

static int
host_make_pipelines(struct host *host)
{
	const struct config *config = host->setup->config;

	host->pipelines =
		calloc(config->n_pipelines + 1, sizeof(struct pipeline *));
	if (!host->pipelines)
		return -ENOMEM;
	for (unsigned i = 0; i < config->n_pipelines; i++) {
		struct pipeline *p =
			pipeline_new(&config->pipelines[i], find_instance, host,
				     host->metrics);

		if (!p)
			return -ENOMEM;
		host->pipelines[host->n_pipelines++] = p;
		/* Not ready until proven. */
		for (unsigned j = 0; j < host->n_instances; j++)
			if (pipeline_needs(p, host->instances[j]))
				atomic_fetch_add(&p->n_not_ready, 1);
	}
	return host_join_sources(host);
}

static void
host_free(struct host *host)
{
	for (unsigned i = 0; i < host->n_pipelines; i++)
		pipeline_free(host->pipelines[i]);
	/* What instances say until they are destroyed finds none. */
	host->n_pipelines = 0;
	free(host->pipelines);
	/* All of the order, for when not all could be made. */
	for (unsigned i = host->setup->config->n_instances;
	     host->instances && i > 0; i--)
		instance_free(host->instances[host->setup->order[i - 1]]);
	free(host->instances);
	marks_close(host->marks);
	metrics_free(host->metrics);
	state_free(host->state);
	if (host->has_lock)
		pthread_mutex_destroy(&host->timers_lock);
	if (host->wake_fd >= 0)
		close(host->wake_fd);
	if (host->signal_fd >= 0)
		close(host->signal_fd);
}

/* ---- Starting and stopping ---------------------------------------------- */

static int
exit_code_of(int rc)
{
	switch (-rc) {
	case EINVAL:
	case ENOENT:
		return EX_CONFIG;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EACCES:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
		return EX_OSERR;
	default:
		return EX_SOFTWARE;
	}
}

/* All of them, so that every mistake is told at once; the first one's error. */
static int
host_create(struct host *host)
{
	int first = 0;

	for (unsigned i = 0; i < host->n_instances; i++) {
		int rc =
			instance_create(host->instances[host->setup->order[i]]);

		if (rc < 0 && first == 0)
			first = rc;
	}
	return first < 0 ? first : offers_check(host);
}

static int
host_start(struct host *host)
{
	for (unsigned i = 0; i < host->n_pipelines; i++) {
		int rc = pipeline_start(host->pipelines[i]);

		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < host->n_instances; i++) {
		int rc = instance_start(host->instances[host->setup->order[i]]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- Its life ---------------------------------------------------------- */

static void
host_stop(struct host *host)
{
	for (unsigned i = host->n_instances; i > 0; i--) {
		(void)main_loop_hurries(host);
		instance_stop(host->instances[host->setup->order[i - 1]],
			      shutdown_stop_ms(host));
	}
	for (unsigned i = 0; i < host->n_pipelines; i++)
		pipeline_stop(host->pipelines[i]);
}

/* Somebody has events still: no memory may be freed.  Sources stop, for their
 * offsets; then the process just ends. */
static void
host_abandon(struct host *host)
{
	for (unsigned i = 0; i < host->n_instances; i++) {
		struct instance *in = host->instances[i];

		if (in->plugin->kind != EVH_SOURCE)
			continue;
		(void)main_loop_hurries(host);
		if (instance_close(in))
			instance_stop(in, shutdown_stop_ms(host));
	}
	if (host->marks)
		marks_keep_late(host->marks);
}

static void
log_start(const struct host *host)
{
	log_write(EVH_INFO, NULL,
		  "evhd %s started with %s: %u instances, %u pipelines",
		  EVH_VERSION, host->setup->config->file, host->n_instances,
		  host->n_pipelines);
}

/* All have stopped: whoever has events now has forgotten them. */
static void
blame_keepers(struct host *host)
{
	for (unsigned i = 0; i < host->n_instances; i++) {
		unsigned n = event_count_held(host->instances[i]);

		if (n > 0)
			instance_blame(host->instances[i], NULL,
				       "%u events that it made were neither "
				       "emitted nor given back",
				       n);
	}
}

/* What a service does between start and stop. */
static int
serve(struct host *host, void *arg)
{
	(void)arg;
	log_start(host);
	main_loop_run(host);
	notify_stopping();
	return EX_OK;
}

/* From the first start() to the last stop(). */
static int
host_live(struct host *host, host_work *work, void *arg, bool *ret_abandon)
{
	int rc = host_start(host);
	int code = EX_OK;
	struct last_resort last;
	unsigned left;

	if (rc < 0) {
		host_fatal(host, exit_code_of(rc));
	} else {
		atomic_store(&host->is_started, true);
		code = work(host, arg);
	}
	last_resort_arm(&last, host, code);
	left = shutdown_drain(host, main_loop_hurries);
	if (left > 0) {
		host_abandon(host);
		*ret_abandon = true;
	} else {
		host_stop(host);
		blame_keepers(host);
	}
	last_resort_disarm(&last);
	log_write(EVH_INFO, NULL, left > 0 ? "stopped" : "drained");
	return atomic_load(&host->has_fatal) ? atomic_load(&host->exit_code)
					     : code;
}

static int
host_init(struct host *host, struct setup *setup)
{
	*host = (struct host){ .setup = setup, .wake_fd = -1, .signal_fd = -1 };
	return host_open(host);
}

int
host_run_work(struct setup *setup, host_work *work, void *arg,
	      bool *ret_abandon)
{
	struct host *host = calloc(1, sizeof(*host));
	int code = EX_OSERR;
	int rc;

	*ret_abandon = false;
	if (!host)
		return code;
	rc = host_init(host, setup);
	if (rc == 0)
		rc = signals_open(&host->signal_fd);
	if (rc == 0 && host->setup->config->state_dir) {
		rc = marks_open(host->setup->config->state_dir, &host->marks);
		code = rc < 0 ? exit_code_of(rc) : code;
	}
	if (rc == 0)
		rc = host_make_instances(host);
	if (rc == 0)
		rc = host_make_pipelines(host);
	if (rc == 0)
		rc = state_collect(host->state);
	if (rc < 0)
		log_write(EVH_ERROR, NULL, "cannot start: %s", strerror(-rc));
	if (rc == 0) {
		rc = host_create(host);
		code = rc < 0 ? exit_code_of(rc)
			      : host_live(host, work, arg, ret_abandon);
	}
	if (*ret_abandon)
		return code;
	host_free(host);
	free(host);
	return code;
}

int
host_run(struct setup *setup, bool *ret_abandon)
{
	return host_run_work(setup, serve, NULL, ret_abandon);
}

void
host_check(struct setup *setup, struct problems *problems)
{
	struct host host;
	int rc = host_init(&host, setup);

	host.problems = problems;
	if (rc == 0)
		rc = host_make_instances(&host);
	if (rc == 0)
		(void)host_create(&host);
	else
		problems_add(problems, "", "cannot be checked: %s",
			     strerror(-rc));
	host_free(&host);
}

int
host_command(struct setup *setup, unsigned instance,
	     const struct evh_command *command, int argc, char **argv)
{
	struct host host;
	struct instance *in = NULL;
	int code, rc;

	if (host_init(&host, setup) == 0)
		in = instance_new(&host, setup->plugins[instance],
				  &setup->config->instances[instance],
				  setup->options[instance]);
	rc = in ? instance_create(in) : -ENOMEM;
	code = rc < 0 ? exit_code_of(rc) : command->run(in->self, argc, argv);
	instance_free(in);
	host_free(&host);
	return code;
}
