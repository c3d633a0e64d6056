/* canal_fast/analysis.h - arrays of frames by identifier, their statistics, and what is on the buses now. */
#ifndef CANAL_FAST_ANALYSIS_H
#define CANAL_FAST_ANALYSIS_H

#include "analysis/ids.h"
#include "analysis/statistics.h"
#include "analysis/traffic.h"

#endif
