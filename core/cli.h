/*
 * cli.h - evhd's command line: its own words (run by `-c FILE`, check,
 * plugins, describe, --version, --help) and those that plugins bring.
 */
#ifndef EVH_CLI_H
#define EVH_CLI_H

#include <stdbool.h>

/*
 * Returns the exit code (`evhd help` lists them); never calls exit().
 * *ret_abandon: see host_run().
 */
int cli_main(int argc, char **argv, bool *ret_abandon);

#endif
