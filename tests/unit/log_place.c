#include "log_place.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

int
place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	snprintf(place->dir, sizeof(place->dir), "/tmp/evh-log-XXXXXX");
	if (!mkdtemp(place->dir)) {
		free(place);
		return -1;
	}
	snprintf(place->file, sizeof(place->file), "%s/log", place->dir);
	snprintf(place->old, sizeof(place->old), "%s/old", place->dir);
	*state = place;
	return 0;
}

int
place_remove(void **state)
{
	struct place *place = *state;

	log_close();
	unlink(place->file);
	unlink(place->old);
	rmdir(place->dir);
	free(place->text);
	free(place);
	return 0;
}

char *
place_read(struct place *place, const char *file)
{
	size_t size;
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	free(place->text);
	place->text = NULL;
	if (getdelim(&place->text, &size, '\0', f) < 0) {
		free(place->text);
		place->text = strdup("");
	}
	fclose(f);
	assert_non_null(place->text);
	return place->text;
}

const char *
line_behind_time(const char *text)
{
	static const char like[] = "time=dddd-dd-ddTdd:dd:dd.ddddddZ ";
	size_t i;

	for (i = 0; like[i]; i++) {
		if (like[i] == 'd')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], like[i]);
	}
	return text + sizeof(like) - 1;
}

json_t *
line_json(const char *text)
{
	const char *end = strchr(text, '\n');
	json_error_t error;
	json_t *json;

	assert_non_null(end);
	json = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES,
			  &error);
	if (!json)
		fail_msg("%s in: %s", error.text, text);
	return json;
}

const char *
line_member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	if (!value)
		fail_msg("there is no text %s", name);
	return value;
}

unsigned
lines_count(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

const struct evh_event place_event = {
	.id = { 0x01, 0x9a, 0xad, 0x2c, 0x6c, 0x1e, 0x7b, 0x3a, 0x9d, 0x5e,
		0x0f, 0x4c, 0x1b, 0x2a, 0x3d, 0x4e },
	.topic = "orders",
	.partition = 0,
	.offset = 12345678901,
	.attempt = 2,
};

const struct log_facts place_facts = {
	.instance = "kafka",
	.pipeline = "create",
	.event = &place_event,
	.code = "22P05",
};
