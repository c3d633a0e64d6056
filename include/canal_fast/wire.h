/* canal_fast/wire.h - the bits of frames: encoding, decoding, CRC, stuffing, lengths, bus load. */
#ifndef CANAL_FAST_WIRE_H
#define CANAL_FAST_WIRE_H

#include "wire/bus_load.h"
#include "wire/crc_fold.h"
#include "wire/crc_simd.h"
#include "wire/decode_many.h"
#include "wire/decode_stream.h"
#include "wire/encode.h"
#include "wire/encode_stream.h"
#include "wire/frame_crc.h"
#include "wire/length.h"
#include "wire/length_sliced.h"
#include "wire/stuffing.h"

#endif
