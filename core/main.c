/*
 * main.c - the one place that ends the process.
 */
#include <stdbool.h>
#include <unistd.h>

#include "cli.h"

int
main(int argc, char **argv)
{
	bool is_abandoned = false;
	int code = cli_main(argc, argv, &is_abandoned);

	/* Threads that nobody could stop run on: no destructor may meet them.
	 * It is safe, because nothing unfinished was claimed. */
	if (is_abandoned)
		_exit(code);
	return code;
}
