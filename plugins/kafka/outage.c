#include "outage.h"

#include <stdio.h>

void
outage_text(const char *brokers, int outside_port, rd_kafka_resp_err_t err,
	    const char *text, char *ret, size_t size)
{
	if (text == NULL || *text == '\0')
		text = err != RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_err2str(err)
							 : "no answer yet";
	if (err == RD_KAFKA_RESP_ERR__RESOLVE && outside_port > 0)
		snprintf(ret, size,
			 "no broker of %s answers, the host does not resolve: "
			 "%s; outside of the compose file's network it is "
			 "localhost:%d (EVENT_HANDLER_SERVICE_KAFKA_OUT_PORT)",
			 brokers, text, outside_port);
	else
		snprintf(ret, size, "no broker of %s answers: %s", brokers,
			 text);
}
