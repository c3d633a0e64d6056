/* canal_fast/waveform.h - captures of logic analysers and oscilloscopes: samples to edges to frames. */
#ifndef CANAL_FAST_WAVEFORM_H
#define CANAL_FAST_WAVEFORM_H

#include "waveform/decode.h"
#include "waveform/edges.h"
#include "waveform/vcd.h"

#endif
