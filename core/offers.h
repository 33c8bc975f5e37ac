/*
 * offers.h - whether the instances that options name offer what is asked.
 *
 * An EVH_INSTANCE option may say in its table which service it is after
 * (evh_option.values).  A plugin tells what it offers only when asked, so this
 * comes when all instances have been created.
 */
#ifndef EVH_OFFERS_H
#define EVH_OFFERS_H

#include "host.h"

/* 0, or -EINVAL when one does not, each said as its owner's error. [main] */
int offers_check(struct host *host);

#endif
