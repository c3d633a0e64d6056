/* canal_fast/logger.h - door to the logger: recordings onto a bus. */
#ifndef CANAL_FAST_LOGGER_H
#define CANAL_FAST_LOGGER_H

#include "logger/lateness.h"
#include "logger/play.h"
#include "logger/schedule.h"
#include "logger/selection.h"

#endif
