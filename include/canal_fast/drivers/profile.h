/* canal_fast/drivers/profile.h - what is known of each driver, a row each.
 *
 * Sources: the drivers' published sources and binaries; `verified` says how far a row was tried.
 */
#ifndef CANAL_FAST_DRIVERS_PROFILE_H
#define CANAL_FAST_DRIVERS_PROFILE_H

#include "../canal.h"

/* Sets of return codes, one bit each (codes 0..63). */
#define CF_CODE_BIT(code) ((uint64_t)1 << (code))
/* "No message now", from every driver. */
#define CF_CODES_EMPTY \
    (CF_CODE_BIT(CF_CANAL_FIFO_EMPTY) | CF_CODE_BIT(CF_CANAL_RCV_EMPTY) | CF_CODE_BIT(CF_CANAL_TIMEOUT))
/* The bus's condition, not the driver's end: reception goes on. */
#define CF_CODES_BUS                                                                                            \
    (CF_CODE_BIT(CF_CANAL_BUS_OFF) | CF_CODE_BIT(CF_CANAL_BUS_PASSIVE) | CF_CODE_BIT(CF_CANAL_BUS_WARNING) |    \
     CF_CODE_BIT(CF_CANAL_OVERRUN) | CF_CODE_BIT(CF_CANAL_ERRFRM_STUFF) | CF_CODE_BIT(CF_CANAL_ERRFRM_FORM) |   \
     CF_CODE_BIT(CF_CANAL_ERRFRM_ACK) | CF_CODE_BIT(CF_CANAL_ERRFRM_BIT1) | CF_CODE_BIT(CF_CANAL_ERRFRM_BIT0) | \
     CF_CODE_BIT(CF_CANAL_ERRFRM_CRC))
/* "No room now", from a send. */
#define CF_CODES_FULL                                                                                   \
    (CF_CODE_BIT(CF_CANAL_FIFO_FULL) | CF_CODE_BIT(CF_CANAL_TRM_FULL) | CF_CODE_BIT(CF_CANAL_TIMEOUT) | \
     CF_CODE_BIT(CF_CANAL_FIFO_WAIT))

enum { /* what can be relied on, and what must be seen to */
       CF_TRUST_STATISTICS = 0x1, /* reading them is harmless, and overruns counts every frame lost */
       CF_TRUST_STOPPED = 0x2,    /* the STOPPED status bit tells that no more frames will come */
       CF_TRUST_COUNTERS = 0x4,   /* TEC and REC in the low bits of channel_status */
       CF_SEND_FLAG = 0x8,        /* messages to send carry CF_MSG_SEND */
       CF_VENDOR_UNSAFE = 0x10,   /* CanalGetVendorString crashes when the device does not answer */
       CF_STATUS_TELLS = 0x20, /* CanalReceive never tells that the adapter is gone, CanalGetStatus does, harmlessly */
       CF_NO_REMOTE = 0x40, /* a remote frame would go out as a data frame */
       CF_NO_EMPTY = 0x80, /* a frame without data would wedge it */
       CF_TABLE_RATES = 0x100, /* a bit rate that is not in its table silently becomes 125 kbit/s */
       CF_SLOW_OPEN = 0x200, /* CanalOpen may take several seconds */
       CF_SEND_ONLY = 0x400, /* receives nothing */
       CF_CONFIG_PORT = 0x800, /* the configuration begins with the path of a serial port, and commands are written
                                     to whatever that is, */
       CF_CONFIG_FILE = 0x1000, /* with the path of a file to write, */
       CF_RETURNS = 0x4000, /* no call hangs: they are made by whoever asks */
       CF_CONFIG_INTERFACE = 0x2000, /* with the name of a network interface */
       CF_TRUST_FROM_OPEN = 0x8000, /* a handle's statistics begin at 0 */
       CF_TELLS_SENDS_ERRORS = 0x10000 /* the CF_CANAL_SENDS_ERRORS status bit tells whether error frames can be sent */
};

/* Codes of CanalGetStatus that tell that the adapter is gone. */
#define CF_CODES_GONE (CF_CODE_BIT(CF_CANAL_HARDWARE) | CF_CODE_BIT(CF_CANAL_NOT_OPEN))

/* Functions by which a library is known: CF_HAS for CANAL's own, CF_HAS_EXT for the extensions. */
#define CF_HAS(member) ((uint64_t)1 << CF_FN_##member)
#define CF_HAS_EXT(member) ((uint64_t)1 << (32 + CF_EXT_##member))

#if defined(_WIN32)
#define CF_BY_SYSTEM(windows, others) windows
#else
#define CF_BY_SYSTEM(windows, others) others
#endif
#define CF_USB2CAN_TRAITS (CF_TRUST_COUNTERS | CF_SEND_FLAG | CF_VENDOR_UNSAFE | CF_STATUS_TELLS)

typedef struct cf_profile {
    const char *name;
    const char *file; /* part of the library's file name, lower case; NULL: any */
    uint64_t has, lacks; /* functions that it exports, and does not */
    const char *vendor; /* part of the vendor string, which can be asked only once open: a hint; or NULL */
    uint32_t tick_num; /* a tick of the driver's time stamp is tick_num / tick_den ns; */
    uint32_t tick_den; /* 0 / 1: no usable time stamp, the host's clock is taken; 0 / 0: unit unknown */
    uint32_t wrap_bits; /* width of the tick counter; 64: CF_EPOCH_STAMPS */
    uint64_t empty; /* codes that mean "no message now" */
    uint32_t queue_depth; /* of the driver's receive queue; 0 = unknown */
    uint32_t trust; /* CF_TRUST_... */
    uint32_t blocking_flag; /* open flag without which the blocking calls must not be used; 0 = none */
    const char *config; /* form of the configuration string, or NULL */
    const char *no_handle; /* usual reasons of an open that fails, or NULL */
    const char *verified;
    const char *title;
} cf_profile;

#define CF_CODES_EMPTY_12 (CF_CODES_EMPTY | CF_CODE_BIT(CF_CANAL_GENERIC))
#define CF_UNVERIFIED "not verified on hardware: from public source"
#define CF_UNSEEN "not verified on hardware: from its manual only"
#define CF_NO_TICKS 0, 1, 32
#define CF_TICKS_UNKNOWN 0, 0, 32 /* measured while frames come */
#define CF_EPOCH_STAMPS 0, 1, 64 /* CanalReceiveBatch gives nanoseconds since 1970 */
#define CF_USB2CAN_CONFIG "SERIAL;KBPS or SERIAL;0;TSEG1;TSEG2;SJW;BRP"
#define CF_USB2CAN_REASONS                                                                                   \
    "usually no adapter of that serial number is attached, another program has it open, or the DLL and the " \
    "installed driver are not of the same generation (WinUSB DLL with the old driver, or the reverse)"

/* Row `index`, or NULL past the end. Row 0 serves drivers that nothing is known of; otherwise the
 * first row that fits counts. */
CF_INLINE const cf_profile *cf_profile_row(size_t index)
{
    /* clang-format off */
    static const cf_profile rows[] = {
        {"generic", NULL, 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY, 0, 0, 0, NULL, NULL, "no driver in particular",
         "any CANAL driver"},
        {"virtual", "canal_virtual", 0, 0, NULL, 1000, 1, 32, CF_CODES_EMPTY, 1024,
         CF_TRUST_STATISTICS | CF_TRUST_STOPPED | CF_TRUST_COUNTERS | CF_TRUST_FROM_OPEN | CF_RETURNS |
             CF_TELLS_SENDS_ERRORS, 0,
         "BUS;BITRATE;KEY=VALUE...", NULL, "tested on every build", "canal_fast virtual bus"},
        {"socketcan", "canal_socketcan", CF_HAS(receive_batch), 0, NULL, CF_EPOCH_STAMPS, CF_CODES_EMPTY, 0,
         CF_TRUST_STATISTICS | CF_TRUST_COUNTERS | CF_TRUST_FROM_OPEN | CF_RETURNS | CF_TELLS_SENDS_ERRORS, 0,
         "INTERFACE;KEY=VALUE...", NULL,
         "not verified on hardware: tested with virtual interfaces (vcan) of Linux 6.1", "canal_fast SocketCAN driver"},
        /* WinUSB builds of 2022: the later ones have CanalSetFilters, all have version 2 of the DLL. Unit and width of
         * the newer firmware's time stamp are not known. */
        {"usb2can-korlan", "usb2can", CF_HAS_EXT(set_filters), 0, NULL, CF_TICKS_UNKNOWN, CF_CODES_EMPTY, 1024,
         CF_USB2CAN_TRAITS, 0, CF_USB2CAN_CONFIG, CF_USB2CAN_REASONS,
         "not verified on hardware: from the library's exports only",
         "8devices Korlan USB2CAN, usb2can.dll of late 2022"},
        {"usb2can-winusb", "usb2can", CF_DLL_VERSION_2, 0, NULL, CF_TICKS_UNKNOWN, CF_CODES_EMPTY, 1024,
         CF_USB2CAN_TRAITS, 0, CF_USB2CAN_CONFIG, CF_USB2CAN_REASONS,
         "not verified on hardware: from the library's exports and version only",
         "8devices Korlan USB2CAN, usb2can.dll of early 2022 (WinUSB)"},
        /* 32 MHz / 127 / 250, upper byte masked to 5 bits (firmware 1.7); reading the statistics
         * resets the device's counters and does not see the DLL's own queue. */
        {"usb2can", "usb2can", 0, 0, "8devices", 1984375, 2, 29, CF_CODES_EMPTY, 1024,
         CF_USB2CAN_TRAITS | CF_TABLE_RATES, 0, CF_USB2CAN_CONFIG, CF_USB2CAN_REASONS, CF_UNVERIFIED,
         "8devices USB2CAN, usb2can.dll 1.0.9"},
        /* Answers 8 at once for ever after a drain; data available of a dead handle is 35. */
        {"toucan", NULL, CF_HAS_EXT(filter_11bit), 0, "rusoku", CF_TICKS_UNKNOWN, CF_CODES_EMPTY, 500000, 0, 0,
         "0;SERIAL;KBPS or 0;SERIAL;0;TSEG1;TSEG2;SJW;BRP",
         "check the serial number and the speed: an unknown one is refused",
         CF_UNVERIFIED, "Rusoku TouCAN"},
        {"canusb", "canusbdrv", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY, 0, 0, 0x4, "SERIAL;KBPS;FILTER;MASK",
         "check the serial number, and that FTDI's D2XX driver is installed", CF_UNSEEN, "Lawicel CANUSB"},
        /* The time stamp is never written, its receive queue drops without counting, and it opens without the
         * interface. */
        {"vscp-socketcan", "vscpl1drv-socketcan", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY, 512,
         CF_NO_REMOTE | CF_CONFIG_INTERFACE, 0, "INTERFACE;MASK;FILTER", NULL, CF_UNVERIFIED, "VSCP SocketCAN driver"},
        /* Host's microseconds, unless open flag 0x10 asks for the device's (29 bits). */
        {"can4vscp", "vscpl1drv-can4vscp", 0, 0, NULL, 1000, 1, 32, CF_CODES_EMPTY, 4096,
         CF_NO_REMOTE | CF_SLOW_OPEN | CF_CONFIG_PORT, 0, "PORT;BAUDCODE",
         "check the port and that it may be opened", CF_UNVERIFIED, "VSCP CAN4VSCP (Frankfurt RS-232)"},
        /* Milliseconds that wrap at 60 s, times 1000, or 0: no use. Polls the port every 100 ms. */
        {"can232", "vscpl1drv-can232", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12,
         CF_BY_SYSTEM(10000, 512), CF_NO_REMOTE | CF_NO_EMPTY | CF_CONFIG_PORT, 0,
         "PORT;BAUD;MASK;FILTER;KBPS", "check the port and that it may be opened", CF_UNVERIFIED,
         "VSCP CAN232 (Lawicel protocol)"},
        {"logger", "vscpl1drv-logger", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, CF_SEND_ONLY | CF_CONFIG_FILE, 0,
         "PATH;FILTER;MASK",
         "check that the file may be written", CF_UNVERIFIED, "VSCP logger: sends to a file, receives nothing"},
        {"peak", "vscpl1_peakdrv", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0,
         "BOARD;KBPS;CHANNEL;FILTER;MASK", "check that PCANBasic.dll is installed", CF_UNSEEN, "PEAK (VSCP driver)"},
        {"ixxat", "vscpl1_ixxatvcidrv", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0,
         "BOARD;CHANNEL;FILTER;MASK;KBPS;BTR0;BTR1", NULL, CF_UNSEEN, "IXXAT VCI 2 (VSCP driver)"},
        {"vector", "vector", CF_HAS(get_level), CF_HAS(blocking_receive), NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0,
         "BOARD;INDEX;CHANNEL;FILTER;MASK;BITRATE", NULL, CF_UNSEEN, "Vector, Vector XL (VSCP driver)"},
        {"xap", "vscpl1_xapdrv", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0, "UID;PORT", NULL, CF_UNSEEN,
         "xAP (VSCP driver)"},
        {"zanthic", "zanthic", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0, "KBPS", NULL, CF_UNSEEN,
         "Zanthic (VSCP driver)"},
        {"apox", "apox", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0, "SERIAL;KBPS", NULL, CF_UNSEEN,
         "Apox (VSCP driver)"},
        {"tellstick", "tellstick", 0, 0, NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0, NULL, NULL, CF_UNSEEN,
         "Tellstick (VSCP driver; no CAN)"},
        {"generation-1", NULL, 0, CF_HAS(blocking_receive), NULL, CF_NO_TICKS, CF_CODES_EMPTY_12, 0, 0, 0, NULL, NULL,
         "no driver in particular", "any CANAL driver without blocking calls"},
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* The row of that name, or NULL. */
CF_INLINE const cf_profile *cf_profile_named(const char *name)
{
    size_t i;
    for (i = 0; cf_profile_row(i) != NULL; i++)
        if (strcmp(cf_profile_row(i)->name, name) == 0)
            return cf_profile_row(i);
    return NULL;
}

/* The row for a library of this file name (lower case, no folder) with these functions (cf_library's
 * `functions`); row 0 when none fits. */
CF_INLINE const cf_profile *cf_profile_choose(const char *file, uint64_t functions)
{
    size_t i;
    for (i = 1; cf_profile_row(i) != NULL; i++) {
        const cf_profile *row = cf_profile_row(i);
        if ((row->file == NULL || strstr(file, row->file) != NULL) && (functions & row->has) == row->has &&
            (functions & row->lacks) == 0)
            return row;
    }
    return cf_profile_row(0);
}

/* Whether `set` (bit n: CANAL code n) has the code. */
CF_INLINE int cf_code_in(uint64_t set, long code)
{
    return code >= 0 && code < 64 && (set >> code & 1);
}

#endif
