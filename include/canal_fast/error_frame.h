/* canal_fast/error_frame.h - what ERROR_FRAME records hold: classes in the identifier, details in the payload.
 *
 * The numbers are those of Linux' error frames, which candump text and pcapng carry.
 */
#ifndef CANAL_FAST_ERROR_FRAME_H
#define CANAL_FAST_ERROR_FRAME_H

#include "frame.h"

enum { /* classes, in arbitration_id */
       CF_ERROR_LOST_ARBITRATION = 0x002,
       CF_ERROR_CONTROLLER = 0x004,
       CF_ERROR_PROTOCOL = 0x008,
       CF_ERROR_NO_ACK = 0x020,
       CF_ERROR_BUS_OFF = 0x040,
       CF_ERROR_BUS = 0x080,
       CF_ERROR_RESTARTED = 0x100,
       CF_ERROR_COUNTERS = 0x200 /* TEC and REC are in data[6] and data[7] */
};

enum { /* of CF_ERROR_PROTOCOL */
       CF_ERROR_KIND = 2,  /* index in data */
       CF_ERROR_PLACE = 3, /* index in data: the SJA1000's segment code */
       CF_ERROR_KIND_BIT = 0x01,
       CF_ERROR_KIND_FORM = 0x02,
       CF_ERROR_KIND_STUFF = 0x04,
       CF_ERROR_KIND_BIT0 = 0x08, /* a dominant bit could not be sent */
       CF_ERROR_KIND_BIT1 = 0x10, /* a recessive one */
       CF_ERROR_KIND_OVERLOAD = 0x20,
       CF_ERROR_KIND_TX = 0x80
};

#endif
