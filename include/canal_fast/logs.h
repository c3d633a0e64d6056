/* canal_fast/logs.h - recordings: pcapng and candump text, read and written. */
#ifndef CANAL_FAST_LOGS_H
#define CANAL_FAST_LOGS_H

#include "logs/candump.h"
#include "logs/pcapng_read.h"
#include "logs/pcapng_write.h"

#endif
