/* canal_fast/logs.h - recordings: all formats, read and written. */
#ifndef CANAL_FAST_LOGS_H
#define CANAL_FAST_LOGS_H

#include "logs/formats.h"
#include "logs/json_lines.h"

#endif
