/*
 * listing.c - tables and JSON of what the loader knows.
 */
#include "listing.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "value.h"

enum {
	N_COLUMNS = 5,
};

/* Takes json. */
static int
json_print(json_t *json)
{
	int err;

	if (!json)
		return -ENOMEM;
	err = json_dumpf(json, stdout, JSON_INDENT(2));
	json_decref(json);
	if (err != 0 || putchar('\n') == EOF || fflush(stdout) == EOF)
		return -EIO;
	return 0;
}

/* Every row padded to the widest of its column, but for the last. */
static void
columns_print(const char *const (*rows)[N_COLUMNS], size_t n)
{
	size_t widths[N_COLUMNS] = { 0 };

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < N_COLUMNS; j++)
			if (strlen(rows[i][j]) > widths[j])
				widths[j] = strlen(rows[i][j]);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j + 1 < N_COLUMNS; j++)
			printf("%-*s  ", (int)widths[j], rows[i][j]);
		printf("%s\n", rows[i][N_COLUMNS - 1]);
	}
}

/* ---- Problems ------------------------------------------------------------ */

void
listing_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->list[i];

		fprintf(stderr, "evhd: %s%s%s%s\n",
			problem->is_warning ? "warning: " : "", problem->where,
			*problem->where ? ": " : "", problem->text);
	}
	if (problems->out_of_memory)
		fprintf(stderr, "evhd: out of memory; some mistakes are not "
				"shown\n");
}

int
listing_check(const char *file, const struct problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *problem = &problems->list[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s}", "level",
				  problem->is_warning ? "warning" : "error",
				  "where", problem->where, "text",
				  problem->text));
	}
	return json_print(json_pack("{s:s, s:b, s:o}", "file", file, "ok",
				    problems->n_errors == 0, "problems", list));
}

/* ---- Plugins ------------------------------------------------------------- */

static const char *
why_broken(const struct listed *listed)
{
	return listed->problems && listed->problems->n > 0
		       ? listed->problems->list[0].text
		       : "out of memory";
}

static int
plugins_print_json(const struct listed *list, size_t n)
{
	json_t *plugins = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct loader_plugin *p = list[i].plugin;
		json_t *row;

		if (p)
			row = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}",
					"plugin", list[i].name, "kind",
					loader_kind_name(p->plugin.kind),
					"version", p->plugin.version, "abi",
					(int)p->plugin.abi, "file", p->file,
					"summary", p->plugin.summary);
		else
			row = json_pack("{s:s, s:s}", "plugin", list[i].name,
					"error", why_broken(&list[i]));
		json_array_append_new(plugins, row);
	}
	return json_print(plugins);
}

int
listing_plugins(const struct listed *list, size_t n, bool json)
{
	const char *(*rows)[N_COLUMNS];
	char abi[16];

	if (json)
		return plugins_print_json(list, n);
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	/* All that load have evhd's own: the loader sees to that. */
	snprintf(abi, sizeof(abi), "%d", EVH_ABI);
	rows[0][0] = "PLUGIN";
	rows[0][1] = "KIND";
	rows[0][2] = "VERSION";
	rows[0][3] = "ABI";
	rows[0][4] = "FILE";
	for (size_t i = 0; i < n; i++) {
		const struct loader_plugin *p = list[i].plugin;
		const char **row = rows[i + 1];

		row[0] = list[i].name;
		row[1] = p ? loader_kind_name(p->plugin.kind) : "broken";
		row[2] = p ? p->plugin.version : "-";
		row[3] = p ? abi : "-";
		row[4] = p ? p->file : why_broken(&list[i]);
	}
	columns_print((const char *const(*)[N_COLUMNS])rows, n + 1);
	free(rows);
	return fflush(stdout) == EOF ? -EIO : 0;
}

/* ---- One plugin ---------------------------------------------------------- */

/* A secret's default stays one. */
static const char *
default_text(const struct evh_option *option)
{
	if (!option->def)
		return "required";
	if (option->type == EVH_SECRET && *option->def)
		return "(hidden)";
	return *option->def ? option->def : "-";
}

static json_t *
options_json(json_t *list, const struct evh_option *options)
{
	for (const struct evh_option *o = options; o->name; o++) {
		bool is_hidden = o->type == EVH_SECRET && o->def && *o->def;

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:b, s:s?, s:s?, s:s?}", "name",
				  o->name, "type", value_type_name(o->type),
				  "required", o->def == NULL, "default",
				  is_hidden ? NULL : o->def, "values",
				  o->values, "help", o->help));
	}
	return list;
}

static int
describe_json(const struct loader_plugin *p)
{
	json_t *options = options_json(json_array(), p->options);
	json_t *commands = json_array();

	if (p->plugin.kind == EVH_HANDLER)
		options_json(options, options_handler_words());
	for (const struct evh_command *c = p->commands; c->name; c++)
		json_array_append_new(commands,
				      json_pack("{s:s, s:s?}", "name", c->name,
						"usage", c->usage));
	return json_print(json_pack(
		"{s:s, s:s, s:s, s:i, s:s, s:s, s:o, s:o}", "plugin",
		p->plugin.name, "kind", loader_kind_name(p->plugin.kind),
		"version", p->plugin.version, "abi", (int)p->plugin.abi,
		"summary", p->plugin.summary, "file", p->file, "options",
		options, "commands", commands));
}

static size_t
option_rows(const char *(*rows)[N_COLUMNS], const struct evh_option *options)
{
	size_t n = 0;

	for (; options[n].name; n++) {
		rows[n][0] = options[n].name;
		rows[n][1] = value_type_name(options[n].type);
		rows[n][2] = default_text(&options[n]);
		rows[n][3] = options[n].values ? options[n].values : "-";
		rows[n][4] = options[n].help ? options[n].help : "";
	}
	return n;
}

/* How the values of these types are written, for a table that has some. */
static void
units_print(const char *const (*rows)[N_COLUMNS], size_t n)
{
	bool has_time = false, has_size = false;

	for (size_t i = 1; i < n; i++) {
		if (strcmp(rows[i][1], value_type_name(EVH_MSEC)) == 0)
			has_time = true;
		if (strcmp(rows[i][1], value_type_name(EVH_SIZE)) == 0)
			has_size = true;
	}
	if (has_time)
		printf("\ntime: with its unit, like 100ms, 30s, 5m, 1h or 1d; "
		       "a bare number is milliseconds\n");
	if (has_size)
		printf("\nsize: like 512K, 64M or 1G, powers of 1024; a bare "
		       "number is bytes\n");
}

int
listing_describe(const struct loader_plugin *p, bool json)
{
	const char *(*rows)[N_COLUMNS];
	size_t n = 1, n_host = 0;

	if (json)
		return describe_json(p);
	while (options_handler_words()[n_host].name)
		n_host++;
	rows = calloc(p->n_options + n_host + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	printf("%s %s, a %s: %s\n%s\n", p->plugin.name, p->plugin.version,
	       loader_kind_name(p->plugin.kind), p->plugin.summary, p->file);
	rows[0][0] = "OPTION";
	rows[0][1] = "TYPE";
	rows[0][2] = "DEFAULT";
	rows[0][3] = "VALUES";
	rows[0][4] = "HELP";
	n += option_rows(rows + n, p->options);
	if (p->plugin.kind == EVH_HANDLER)
		n += option_rows(rows + n, options_handler_words());
	if (n > 1) {
		putchar('\n');
		columns_print((const char *const(*)[N_COLUMNS])rows, n);
		units_print((const char *const(*)[N_COLUMNS])rows, n);
	}
	free(rows);
	for (const struct evh_command *c = p->commands; c->name; c++)
		printf("\nevhd %s -c FILE %s\n", c->name,
		       c->usage ? c->usage : "");
	return fflush(stdout) == EOF ? -EIO : 0;
}
