#include "isolate_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "every.h"
#include "instance.h"
#include "isolate_event.h"
#include "log.h"
#include "pass.h"

/* evhd sends the config before anything else. */
#define CONFIG_MAX_MS 10000
/* Metrics wait no longer than that. */
#define TURN_MAX_MS  1000
#define SETTING_SIZE 9 /* a text, empty, and a number */

struct isolate_child *
isolate_child_of(struct evh_ctx *ctx)
{
	struct instance *in = (struct instance *)ctx; /* its first member */

	return (struct isolate_child *)in->host; /* and the host ours */
}

/* ---- Who it is --------------------------------------------------------- */

/* Texts of the frame, NULL-ended; NULL when memory is short. */
static char **
take_texts(struct frame *frame, unsigned *ret_n)
{
	uint32_t n = frame_take_count(frame, sizeof(uint32_t));
	char **texts = calloc((size_t)n + 1, sizeof(*texts));

	for (uint32_t i = 0; texts && i < n; i++) {
		texts[i] = (char *)frame_take_text(frame);
		if (!texts[i])
			frame->is_bad = true;
	}
	*ret_n = n;
	return texts;
}

static int
take_settings(struct frame *frame, struct config_instance *section)
{
	uint32_t n = frame_take_count(frame, SETTING_SIZE);

	section->settings = calloc((size_t)n + 1, sizeof(*section->settings));
	if (!section->settings)
		return -ENOMEM;
	section->n_settings = n;
	for (uint32_t i = 0; i < n; i++) {
		struct config_setting *setting = &section->settings[i];

		setting->name = (char *)frame_take_text(frame);
		setting->values = take_texts(frame, &setting->n_values);
		if (!setting->values)
			return -ENOMEM;
	}
	return 0;
}

/* The instances by name only: for options that name one. */
static int
take_instances(struct frame *frame, struct config *config)
{
	unsigned n;
	char **names = take_texts(frame, &n);

	config->instances = calloc((size_t)n + 1, sizeof(*config->instances));
	for (unsigned i = 0; names && config->instances && i < n; i++)
		config->instances[i].name = names[i];
	config->n_instances = config->instances ? n : 0;
	free(names);
	return names && config->instances ? 0 : -ENOMEM;
}

static int
take_config(struct isolate_child *child, struct frame *frame)
{
	struct config_instance *section = &child->section;
	uint32_t level = frame_take_u32(frame);
	int rc;

	section->kind = EVH_HANDLER;
	section->keyword = "handler";
	section->name = (char *)frame_take_text(frame);
	section->where = (char *)frame_take_text(frame);
	section->plugin = (char *)frame_take_text(frame);
	child->config.file = (char *)frame_take_text(frame);
	child->config.dir = (char *)frame_take_text(frame);
	child->config.plugin_dir = (char *)frame_take_text(frame);
	rc = take_settings(frame, section);
	if (rc == 0)
		rc = take_instances(frame, &child->config);
	if (rc < 0)
		return rc;
	if (!frame_is_done(frame) || level < EVH_DEBUG || level > EVH_ERROR)
		return -EBADMSG;
	rc = log_open((enum evh_level)level, LOG_LOGFMT, NULL);
	log_divert(isolate_log_take, child);
	return rc;
}

static void
log_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		if (!problems->list[i].is_warning)
			log_write(EVH_ERROR, NULL, "%s",
				  problems->list[i].text);
}

/* The plugin by the same rules, the section by the same table. */
static int
make_instance(struct isolate_child *child)
{
	struct problems problems = { 0 };
	struct config_instance *section = &child->section;
	const struct loader_plugin *loaded = NULL;

	child->setup.config = &child->config;
	child->host.setup = &child->setup;
	child->loader = loader_new(
		child->config.plugin_dir ? child->config.plugin_dir : "");
	if (child->loader)
		loaded =
			loader_open(child->loader, child->config.dir,
				    section->plugin, section->where, &problems);
	if (loaded && loaded->plugin.kind == EVH_HANDLER)
		child->options =
			options_new(loaded, section, &child->config, &problems);
	log_problems(&problems);
	problems_fini(&problems);
	if (!child->options)
		return -EINVAL;
	child->in = instance_new(&child->host, loaded, section, child->options);
	if (!child->in)
		return -ENOMEM;
	isolate_ctx_init(child);
	return instance_create(child->in);
}

/* ---- Events ------------------------------------------------------------ */

void
isolate_child_answer(struct isolate_child *child, struct event *ev, int verdict)
{
	struct frame_buffer *out = link_begin(&child->link);
	int rc = isolate_verdict_put(out, ev, verdict, child->link.max);
	struct event *each;

	/* evhd may not wait for what cannot be said. */
	if (rc == -ENOMEM)
		atomic_store(&child->link.is_broken, true);
	(void)link_end(&child->link, rc, true);
	while ((each = event_list_pop(&ev->children)))
		event_free(each);
	event_free(ev);
}

static int
look_at(struct isolate_child *child, struct event *ev)
{
	struct instance *in = child->in;
	struct pass own;
	int verdict;

	(void)pass_begin(&own, NULL, NULL, false);
	own.looked_at = ev;
	instance_enter(in);
	verdict = (int)in->plugin->process(in->self, &ev->pub);
	instance_leave(in);
	own.looked_at = NULL;
	pass_end(&own);
	return verdict;
}

static void
take_event(struct isolate_child *child, struct frame *frame)
{
	struct event *ev = isolate_event_take(frame, child->in);
	int expected = EVENT_LOOKED_AT;
	int verdict;

	if (!ev) {
		log_write(EVH_ERROR, NULL,
			  "an event could not be read: out of memory");
		atomic_store(&child->link.is_broken, true);
		return;
	}
	atomic_store(&ev->hold, EVENT_LOOKED_AT);
	verdict = look_at(child, ev);
	if (verdict == EVH_HOLD) {
		/* Before it can be resumed: evhd hears of it in this order. */
		link_send_u64(&child->link, FRAME_HELD, ev->seq);
		if (atomic_compare_exchange_strong(&ev->hold, &expected,
						   EVENT_HELD))
			return;
		verdict = (int)ev->verdict;
	} else if (atomic_load(&ev->hold) == EVENT_LET_GO) {
		instance_blame(child->in, &ev->pub,
			       "resume() and a verdict for the same event: "
			       "the verdict counts");
	}
	isolate_child_answer(child, ev, verdict);
}

/* ---- What evhd says ---------------------------------------------------- */

static void
stop(struct isolate_child *child, int timeout_ms)
{
	unsigned n;

	instance_stop(child->in, timeout_ms);
	n = event_count_held(child->in);
	if (n > 0)
		instance_blame(child->in, NULL,
			       "%u events that it made were neither emitted "
			       "nor given back",
			       n);
	child->is_over = true;
}

static void
start(struct isolate_child *child, struct frame *frame)
{
	struct instance *in = child->in;
	int rc;

	child->link.max = frame_take_u64(frame);
	/* Not instance_start(): evhd tells how that went, and what is ready. */
	rc = in->plugin->start ? in->plugin->start(in->self) : 0;
	if (rc >= 0)
		in->life = INSTANCE_STARTED;
	else
		child->is_over = true;
	link_send_u32(&child->link, FRAME_STARTED, rc < 0 ? (uint32_t)-rc : 0);
}

static void
obey(struct isolate_child *child, struct frame *frame)
{
	switch ((enum frame_type)frame->type) {
	case FRAME_START:
		start(child, frame);
		return;
	case FRAME_EVENT:
		take_event(child, frame);
		return;
	case FRAME_FLUSH:
		instance_flush(child->in, (int)frame_take_u32(frame));
		return;
	case FRAME_STOP:
		stop(child, (int)frame_take_u32(frame));
		return;
	default:
		log_write(EVH_ERROR, NULL, "evhd said %u here, which is none",
			  frame->type);
		atomic_store(&child->link.is_broken, true);
	}
}

static bool
is_open(const struct isolate_child *child)
{
	return !child->is_over && !atomic_load(&child->link.is_broken);
}

/* Whatever comes within the time is received.  False when evhd is gone. */
static bool
wait_received(struct isolate_child *child, int timeout_ms)
{
	struct pollfd fds[] = { { child->link.fd, POLLIN, 0 },
				{ child->host.wake_fd, POLLIN, 0 } };
	uint64_t count;
	ssize_t n;

	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		return false;
	while (read(child->host.wake_fd, &count, sizeof(count)) > 0)
		;
	n = frame_receive(&child->received, child->link.fd);
	return n > 0 || n == -EAGAIN;
}

/* Until it has been told to stop; false when evhd is gone. */
static bool
serve(struct isolate_child *child)
{
	while (is_open(child)) {
		size_t max = SIZE_MAX; /* evhd is trusted */
		struct frame frame;

		every_run(&child->host);
		while (is_open(child) &&
		       frame_next(&child->received, max, &frame) == 1) {
			obey(child, &frame);
			every_run(&child->host);
		}
		if (!is_open(child))
			break;
		link_flush(&child->link);
		if (!wait_received(child,
				   every_wait_ms(&child->host, TURN_MAX_MS)))
			return false;
	}
	return child->is_over;
}

/* The first frame, which stays: the config's strings lie in it. */
static int
wait_config(struct isolate_child *child)
{
	int64_t due_ns = timer_now_ns() + CONFIG_MAX_MS * NS_PER_MS;
	struct frame frame;

	do {
		int rc = frame_next(&child->received, FRAME_MAX_FIRST, &frame);

		if (rc < 0 || (rc > 0 && frame.type != FRAME_CONFIG))
			return -EBADMSG;
		if (rc > 0) {
			child->told = child->received;
			child->received = (struct frame_buffer){ 0 };
			return take_config(child, &frame);
		}
	} while (timer_now_ns() < due_ns &&
		 wait_received(child, CONFIG_MAX_MS));
	return -EPIPE;
}

/* ---- The whole --------------------------------------------------------- */

static int
child_init(struct isolate_child *child)
{
	int rc;

	/* Not for what the handler may start. */
	if (fcntl(ISOLATE_FD, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	rc = isolate_link_init(&child->link, ISOLATE_FD);

	if (rc < 0)
		return rc;
	child->host.signal_fd = -1;
	child->host.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (child->host.wake_fd < 0)
		return -errno;
	child->host.metrics = metrics_new(1); /* the core's own; never shown */
	if (!child->host.metrics)
		return -ENOMEM;
	rc = pthread_mutex_init(&child->host.timers_lock, NULL);
	if (rc == 0)
		rc = pthread_mutex_init(&child->lock, NULL);
	return -rc;
}

static void
child_free(struct isolate_child *child)
{
	instance_free(child->in);
	options_free(child->options);
	loader_free(child->loader);
	log_divert(NULL, NULL);
	isolate_ctx_fini(child);
	for (unsigned i = 0; i < child->section.n_settings; i++)
		free(child->section.settings[i].values);
	free(child->section.settings);
	free(child->config.instances);
	metrics_free(child->host.metrics);
	close(child->host.wake_fd);
	pthread_mutex_destroy(&child->host.timers_lock);
	pthread_mutex_destroy(&child->lock);
	frame_buffer_fini(&child->received);
	frame_buffer_fini(&child->told);
	link_flush(&child->link);
	isolate_link_fini(&child->link);
	free(child);
}

static void
name_process(const char *name)
{
	char text[16];

	/* The kernel cuts it there. */
	snprintf(text, sizeof(text), "evhd:%s", name);
	(void)prctl(PR_SET_NAME, text);
}

int
isolate_child_main(bool *ret_abandon)
{
	struct isolate_child *child = calloc(1, sizeof(*child));
	int rc;

	/* Whatever the handler does, it does not outlive evhd.  Who was too
	 * late for this finds the socket closed. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	*ret_abandon = true;
	rc = child ? child_init(child) : -ENOMEM;
	if (rc == 0)
		rc = wait_config(child);
	if (rc < 0) {
		fprintf(stderr,
			"evhd: %s is evhd's own word, for processes of "
			"isolated handlers: %s\n",
			ISOLATE_WORD, strerror(-rc));
		log_divert(NULL, NULL);
		free(child);
		return EX_USAGE;
	}
	name_process(child->section.name);
	rc = make_instance(child);
	link_send_u32(&child->link, FRAME_CREATED, rc < 0 ? (uint32_t)-rc : 0);
	if (rc == 0 && !serve(child))
		return EX_SOFTWARE; /* nobody is there to stop it for */
	child_free(child);
	*ret_abandon = false;
	return EX_OK;
}
