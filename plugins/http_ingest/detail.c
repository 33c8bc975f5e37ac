#include "detail.h"

void
detail_begin(struct text *text)
{
	text_str(text, "{\"detail\":[");
}

void
detail_add(struct text *text, const struct detail_item *item)
{
	if (text->len > 0 && text->at[text->len - 1] == '}')
		text_str(text, ",");
	text_str(text, "{\"type\":\"");
	text_str(text, item->type);
	text_str(text, "\",\"loc\":[\"");
	text_str(text, item->place);
	text_str(text, "\"");
	if (item->where.len > 0) {
		text_str(text, ",");
		text_add(text, item->where.data, item->where.len);
	}
	text_str(text, "],\"msg\":\"");
	text_str(text, item->msg);
	text_str(text, "\",\"input\":");
	if (item->input.len > 0 && item->input.len <= DETAIL_INPUT_MAX)
		text_add(text, item->input.data, item->input.len);
	else
		text_str(text, "null");
	if (item->ctx != NULL) {
		text_str(text, ",\"ctx\":");
		text_str(text, item->ctx);
	}
	text_str(text, "}");
}

void
detail_end(struct text *text)
{
	text_str(text, "]}");
}
