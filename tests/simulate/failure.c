#include "failure.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "virtual.h"

static struct {
	char *text;
	bool is_traced;
} report;

void
failure_init(char *ret_text, bool is_traced)
{
	report.text = ret_text;
	report.is_traced = is_traced;
}

void
failure(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report.text, FAILURE_TEXT_MAX, fmt, args);
	va_end(args);
	trace("FAILURE: %s", report.text);
	fflush(stdout);
	_exit(FAILURE_EXIT);
}

bool
trace_is_on(void)
{
	return report.is_traced;
}

void
trace(const char *fmt, ...)
{
	int64_t now_ns = virtual_now_ns();
	va_list args;

	if (!report.is_traced)
		return;
	printf("%6" PRId64 ".%06" PRId64 "  ", now_ns / 1000000000,
	       now_ns / 1000 % 1000000);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}
