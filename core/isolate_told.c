/*
 * isolate_told.c - what the process of an isolated handler is told.
 */
#include "clock.h"
#include "event.h"
#include "host_tables.h"
#include "instance.h"
#include "isolate_keeper.h"
#include "log.h"

static void
put_settings(struct frame_buffer *out, const struct config_instance *section)
{
	frame_put_u32(out, section->n_settings);
	for (unsigned i = 0; i < section->n_settings; i++) {
		const struct config_setting *setting = &section->settings[i];

		frame_put_text(out, setting->name);
		frame_put_u32(out, setting->n_values);
		for (unsigned j = 0; j < setting->n_values; j++)
			frame_put_text(out, setting->values[j]);
	}
}

static enum evh_level
lowest_level(void)
{
	enum evh_level level = EVH_DEBUG;

	while (level < EVH_ERROR && !log_wants(level))
		level++;
	return level;
}

int
cell_put_config(struct isolate_cell *cell)
{
	const struct instance *in = cell->iso->in;
	const struct config *config = in->host->setup->config;
	struct frame_buffer *out = &cell->out;

	frame_begin(out, FRAME_CONFIG);
	frame_put_u32(out, in->host->problems ? EVH_WARN : lowest_level());
	frame_put_text(out, in->name);
	frame_put_text(out, in->config->where);
	/* The file that was looked at. */
	frame_put_text(out, in->loaded->file);
	frame_put_text(out, config->file ? config->file : "");
	frame_put_text(out, config->dir ? config->dir : "");
	frame_put_text(out, config->plugin_dir ? config->plugin_dir : "");
	put_settings(out, in->config);
	frame_put_u32(out, config->n_instances);
	for (unsigned i = 0; i < config->n_instances; i++)
		frame_put_text(out, config->instances[i].name);
	return frame_end(out, FRAME_MAX_FIRST);
}

static void
put_number(struct isolate_cell *cell, enum frame_type type, uint64_t value)
{
	frame_begin(&cell->out, type);
	if (type == FRAME_START)
		frame_put_u64(&cell->out, value);
	else
		frame_put_u32(&cell->out, (uint32_t)value);
	if (frame_end(&cell->out, FRAME_MAX_FIRST) < 0)
		cell_end(cell, "out of memory");
}

void
cell_start(struct isolate_cell *cell)
{
	cell_go(cell, CELL_STARTING,
		keeper_now_ns(cell->iso) + CELL_LIFE_MAX_NS);
	put_number(cell, FRAME_START, cell->iso->frame_max);
}

void
cell_flush(struct isolate_cell *cell, unsigned timeout_ms)
{
	if (cell->state == CELL_SERVING)
		put_number(cell, FRAME_FLUSH, timeout_ms);
}

void
cell_stop(struct isolate_cell *cell, unsigned timeout_ms)
{
	if (cell->state == CELL_ABSENT) {
		cell->due_ns = INT64_MAX;
		return;
	}
	if (cell->state == CELL_ENDING || cell->state == CELL_STOPPING)
		return;
	if (cell->state != CELL_SERVING) {
		cell->is_slow = true;
		cell_end(cell, "%s", ""); /* it has nothing to finish */
		return;
	}
	cell_go(cell, CELL_STOPPING,
		keeper_now_ns(cell->iso) + timeout_ms * NS_PER_MS);
	put_number(cell, FRAME_STOP, timeout_ms);
}
