/*
 * main.c - the one place that ends the process.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "isolate_child.h"

int
main(int argc, char **argv)
{
	bool is_abandoned = false;
	int code;

	if (argc == 3 && strcmp(argv[1], ISOLATE_WORD) == 0)
		code = isolate_child_main(&is_abandoned);
	else
		code = cli_main(argc, argv, &is_abandoned);

	/* Threads that nobody could stop run on: no destructor may meet them.
	 * It is safe, because nothing unfinished was claimed. */
	if (is_abandoned)
		_exit(code);
	return code;
}
