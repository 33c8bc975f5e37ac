/*
 * metrics_process.c - what the kernel knows of this process, as metrics.
 */
#include "metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "timer.h"

/* The n-th word of the first line (from 0) behind the last `after`, if it is
 * not '\0'; INT64_MIN, which is not shown, when there is none. */
static int64_t
proc_number(const char *file, char after, unsigned n)
{
	char line[1024], *word = line;
	FILE *f = fopen(file, "re");

	if (!f)
		return INT64_MIN;
	if (!fgets(line, sizeof(line), f))
		word = NULL;
	fclose(f);

	if (word && after)
		word = strrchr(word, after);
	for (; word && n > 0; n--) {
		word = strchr(word, ' ');
		if (word)
			word++;
	}
	return word ? strtoll(word, NULL, 10) : INT64_MIN;
}

static int64_t
memory_bytes(void)
{
	int64_t pages = proc_number("/proc/self/statm", '\0', 1);

	return pages < 0 ? INT64_MIN : pages * sysconf(_SC_PAGESIZE);
}

static int64_t
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t n = -1; /* the folder's own does not count */
	struct dirent *entry;

	if (!dir)
		return INT64_MIN;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* On the wall clock; the kernel tells it in ticks since it was booted. */
static int64_t
start_ns(void)
{
	/* Field 22; the second one, a name in parentheses, may hold spaces. */
	int64_t ticks = proc_number("/proc/self/stat", ')', 20);
	int64_t age_ns;

	if (ticks < 0)
		return INT64_MIN;
	age_ns = timer_clock_ns(CLOCK_BOOTTIME) -
		 ticks * (1000000000 / sysconf(_SC_CLK_TCK));
	return timer_wall_ns() - age_ns;
}

static struct evh_metric *
process_cpu(struct metrics *metrics)
{
	return metrics_get(metrics, EVH_COUNTER, "process_cpu_seconds", NULL,
			   "CPU time of all threads, user and system.");
}

static struct evh_metric *
process_memory(struct metrics *metrics)
{
	return metrics_get(metrics, EVH_GAUGE, "process_resident_memory_bytes",
			   NULL, "Resident memory.");
}

static struct evh_metric *
process_fds(struct metrics *metrics)
{
	return metrics_get(metrics, EVH_GAUGE, "process_open_fds", NULL,
			   "Open file descriptors.");
}

static void
collect_process(void *arg)
{
	struct metrics *metrics = arg;

	metric_raise(process_cpu(metrics),
		     timer_clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	metric_record(process_memory(metrics), memory_bytes());
	metric_record(process_fds(metrics), open_fds());
}

int
metrics_add_process(struct metrics *metrics)
{
	metric_record(metrics_get(metrics, EVH_GAUGE,
				  "process_start_time_seconds", NULL,
				  "When the process began, in Unix time."),
		      start_ns());
	return metrics_collect(metrics, collect_process, metrics);
}
