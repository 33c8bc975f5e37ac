/*
 * main.c - runs schedules; when one breaks an invariant, says which, and shows
 * the shortest beginning of it that still does.
 *
 * Schedules run in a child, which an assertion of the core or a sanitizer may
 * end at any moment; what it was at lies in memory that both see.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "log.h"
#include "schedule.h"
#include "spooling.h"

#define DEFAULT_N 100000u
/* No schedule takes a hundredth of it. */
#define HANG_S 30u
/* Of so many seeds one is a schedule about a spool. */
#define SPOOLING_EVERY 10u

/* What parent and child both see. */
struct progress {
	uint64_t seed;
	unsigned n_steps;
	char text[FAILURE_TEXT_MAX];
};

struct arguments {
	uint64_t seed;
	uint64_t n;
	unsigned max_steps;
	bool is_verbose;
};

static unsigned
run_one(uint64_t seed, unsigned max_steps)
{
	return seed % SPOOLING_EVERY == 0 ? spooling_run(seed, max_steps)
					  : schedule_run(seed, max_steps);
}

static void
run_all(struct progress *progress, const struct arguments *args)
{
	failure_init(progress->text, args->is_verbose);
	schedule_init();
	for (uint64_t i = 0; i < args->n; i++) {
		progress->seed = args->seed + i;
		(void)alarm(HANG_S);
		progress->n_steps = run_one(args->seed + i, args->max_steps);
	}
	fflush(stdout);
}

/* True when all went well. */
static bool
run_in_child(struct progress *progress, const struct arguments *args,
	     bool is_quiet)
{
	pid_t pid;
	int status = 0;

	fflush(stdout);
	progress->text[0] = '\0';
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	if (pid == 0) {
		if (is_quiet && (freopen("/dev/null", "w", stdout) == NULL ||
				 freopen("/dev/null", "w", stderr) == NULL))
			_exit(EXIT_FAILURE);
		run_all(progress, args);
		exit(EXIT_SUCCESS);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return true;
	if (progress->text[0] == '\0' && WIFSIGNALED(status))
		snprintf(progress->text, sizeof(progress->text), "%s",
			 WTERMSIG(status) == SIGALRM
				 ? "it hangs"
				 : strsignal(WTERMSIG(status)));
	return false;
}

/* How few steps before the stop break something, too. */
static unsigned
shrink(struct progress *progress, uint64_t seed)
{
	struct arguments args = { .seed = seed, .n = 1 };

	for (args.max_steps = 1; args.max_steps < 1000; args.max_steps++)
		if (!run_in_child(progress, &args, true))
			return args.max_steps;
	return 0;
}

static void
explain(struct progress *progress)
{
	struct arguments args = { .seed = progress->seed,
				  .n = 1,
				  .is_verbose = true };

	printf("seed %" PRIu64 ": %s\n", progress->seed,
	       progress->text[0] ? progress->text : "it ended with an error");
	args.max_steps = shrink(progress, args.seed);
	if (args.max_steps > 0)
		printf("%u steps are enough:\n", args.max_steps);
	if (run_in_child(progress, &args, false))
		printf("alone it does not fail: run it behind others\n");
	printf("again: simulate --seed %" PRIu64, args.seed);
	if (args.max_steps > 0)
		printf(" --steps %u", args.max_steps);
	printf(" --verbose\n");
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text) {
		fprintf(stderr, "simulate: %s is no number\n", text);
		exit(EXIT_FAILURE);
	}
	return n;
}

static void
read_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "n", required_argument, NULL, 'n' },
		{ "steps", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	bool has_n = false;
	int c;

	*ret = (struct arguments){ .seed = 1, .n = DEFAULT_N };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ret->seed = number(optarg);
			if (!has_n)
				ret->n = 1;
			break;
		case 'n':
			ret->n = number(optarg);
			has_n = true;
			break;
		case 't':
			ret->max_steps = (unsigned)number(optarg);
			break;
		case 'v':
			ret->is_verbose = true;
			break;
		default:
			fprintf(stderr, "usage: simulate [--seed S] [--n N] "
					"[--steps K] [--verbose]\n");
			exit(EXIT_FAILURE);
		}
	}
}

int
main(int argc, char **argv)
{
	struct arguments args;
	struct progress *progress =
		mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (progress == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	read_arguments(argc, argv, &args);
	(void)log_open(EVH_ERROR, LOG_LOGFMT, NULL);
	if (!run_in_child(progress, &args, false)) {
		explain(progress);
		return EXIT_FAILURE;
	}
	printf("%" PRIu64 " schedules from seed %" PRIu64 ": all hold\n",
	       args.n, args.seed);
	return EXIT_SUCCESS;
}
