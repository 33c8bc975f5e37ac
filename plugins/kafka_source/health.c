#include "health.h"

#include <stdio.h>
#include <string.h>

void
health_init(struct health *health, struct evh_ctx *ctx)
{
	*health = (struct health){ .ctx = ctx };
}

void
health_set(struct health *health, enum health_part part, const char *why)
{
	(void)snprintf(health->why[part], HEALTH_WHY_MAX, "%s",
		       why != NULL ? why : "");
}

bool
health_is_fine(const struct health *health, enum health_part part)
{
	return health->why[part][0] == '\0';
}

void
health_say(struct health *health)
{
	const char *why = "";

	for (int part = 0; part < HEALTH_PARTS && why[0] == '\0'; part++)
		why = health->why[part];
	if (health->has_said && strcmp(why, health->said) == 0)
		return;
	(void)snprintf(health->said, sizeof(health->said), "%s", why);
	health->has_said = true;
	health->ctx->ready(health->ctx, why[0] != '\0' ? why : NULL);
}
