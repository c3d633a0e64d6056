/* canal_fast/signals.h - the door to signals: plans, decoding and encoding. */
#ifndef CANAL_FAST_SIGNALS_H
#define CANAL_FAST_SIGNALS_H

#include "signals/decode.h"
#include "signals/encode.h"
#include "signals/lines.h"
#include "signals/plan.h"
#include "signals/protect.h"

#endif
