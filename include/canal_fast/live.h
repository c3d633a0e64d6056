/* canal_fast/live.h - channels: a driver drained by a thread here or by a host process, and cyclic sending. */
#ifndef CANAL_FAST_LIVE_H
#define CANAL_FAST_LIVE_H

#include "live/drain.h"
#include "live/periodic.h"
#include "live/port_host.h"
#include "live/port_thread.h"

#endif
