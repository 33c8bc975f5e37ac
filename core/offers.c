#include "offers.h"

#include <errno.h>

#include "host_tables.h"
#include "instance.h"
#include "options.h"

static bool
has_offer(const struct instance *in, const char *id)
{
	return in->plugin->service && in->plugin->service(in->self, id);
}

static int
instance_check(struct host *host, struct instance *in)
{
	const struct evh_option *row;
	int rc = 0;

	for (unsigned i = 0; (row = options_instance_row(in->options, i));
	     i++) {
		const char *name = options_instance(in->options, i);
		const struct instance *other = host_instance(host, name);

		if (!row->values || !other || has_offer(other, row->values))
			continue;
		in->ctx.log(
			&in->ctx, EVH_ERROR,
			"%s = \"%s\": that one's plugin, %s, does not offer "
			"%s; name an instance that does, or leave %s out",
			row->name, name, other->plugin->name, row->values,
			row->name);
		rc = -EINVAL;
	}
	return rc;
}

int
offers_check(struct host *host)
{
	int first = 0;

	for (unsigned i = 0; i < host->n_instances; i++) {
		int rc = instance_check(host, host->instances[i]);

		if (rc < 0)
			first = rc;
	}
	return first;
}
