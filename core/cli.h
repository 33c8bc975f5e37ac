/*
 * cli.h - evhd's command line: its own words (run by `-c FILE`, check,
 * plugins, describe, --version, --help) and those that plugins bring.
 */
#ifndef EVH_CLI_H
#define EVH_CLI_H

/* Returns the exit code (SERVICE.md has the table); never calls exit(). */
int cli_main(int argc, char **argv);

#endif
