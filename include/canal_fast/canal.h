/* canal_fast/canal.h - the CANAL interface: functions, types, codes, flags.
 *
 * Written from the published CANAL specification (VSCP project) and from what drivers do. The
 * vendor's names (Canal..., canalMsg) live here and nowhere else. `unsigned long` is 4 bytes on
 * Windows and 8 on LP64 systems, so the structs below are those of *this* platform's headers; a
 * driver may have been built with others (message.h).
 */
#ifndef CANAL_FAST_CANAL_H
#define CANAL_FAST_CANAL_H

#include "base.h"

#if defined(_WIN32) && !defined(_WIN64)
#define CF_CANAL_CALL __stdcall
#else
#define CF_CANAL_CALL
#endif

/* For drivers: an exported function. Its C name is the vendor's. */
#if defined(_WIN32)
#define CF_CANAL_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define CF_CANAL_EXPORT __attribute__((visibility("default")))
#else
#define CF_CANAL_EXPORT
#endif

typedef struct cf_canal_msg {
    unsigned long flags; /* CF_MSG_... */
    unsigned long obid;  /* private to the driver */
    unsigned long id;
    unsigned char sizeData; /* the dlc code, 0..15 */
    unsigned char data[8];
    unsigned long timestamp; /* microseconds by the specification; see the driver's profile */
} cf_canal_msg;

typedef struct cf_canal_msg_fd { /* as the header has it; the manual swaps id and timestamp */
    uint32_t flags;
    uint32_t obid;
    uint32_t id;
    uint32_t timestamp;
    uint8_t reserved[7];
    uint8_t sizeData; /* bytes: 0..8, 12, 16, 20, 24, 32, 48, 64 */
    uint8_t data[64];
} cf_canal_msg_fd;

typedef struct cf_canal_statistics {
    unsigned long rx_frames, tx_frames, rx_data, tx_data; /* frames, frames, bytes, bytes */
    unsigned long overruns, bus_warnings, bus_off;
} cf_canal_statistics;

typedef struct cf_canal_status {
    unsigned long channel_status; /* CF_CANAL_STATUS_... */
    unsigned long last_error_code, last_error_subcode;
    char last_error_text[80]; /* not always terminated */
} cf_canal_status;

/* CanalReceiveBatch is not CANAL's but this project's: many frames in one call. It waits at most timeout_ms for
 * the first (0: not at all; never for ever), then takes, without waiting, as many as are there up to `count`, and
 * writes them to `records` as frame.h's records of `size` bytes: 24, or 80 for a handle opened with CF_OPEN_FD.
 * timestamp_ns is the driver's own time stamp as in CanalReceive, or nanoseconds since 1970 where its profile says so;
 * channel is 0; CF_FLAG_GAP tells that the driver lost frames just before this one, which are then in the overruns of
 * CanalGetStatistics. Returns the number of records, or minus a CANAL code when there is none; the codes are
 * CanalReceive's. One thread at a time. A failure comes after the frames that came before it, but before those that may
 * have come later: the calls that follow return these, with CF_FLAG_GAP each, until the handle is closed.
 *
 * CanalTransmitPending is this project's, too: how many frames the driver has accepted from this handle that are not
 * yet on the bus, or minus a CANAL code. *moving becomes 0 when they will not go by themselves (bus off), 1 otherwise.
 * With it closing a channel can wait for them.
 *
 * Every function of the interface.
 * X(member, vendor's name, bytes of arguments on a 32-bit stack, mandatory, return type, arguments) */
/* clang-format off */
#define CF_CANAL_FUNCTIONS(X)                                                                          \
    X(open, CanalOpen, 8, 1, long, (const char *config, unsigned long flags))                          \
    X(close, CanalClose, 4, 1, int, (long handle))                                                     \
    X(send, CanalSend, 8, 1, int, (long handle, void *message))                                        \
    X(receive, CanalReceive, 8, 1, int, (long handle, void *message))                                  \
    X(blocking_send, CanalBlockingSend, 12, 0, int,                                                    \
      (long handle, void *message, unsigned long timeout_ms))                                          \
    X(blocking_receive, CanalBlockingReceive, 12, 0, int,                                              \
      (long handle, void *message, unsigned long timeout_ms))                                          \
    X(data_available, CanalDataAvailable, 4, 0, int, (long handle))                                    \
    X(get_status, CanalGetStatus, 8, 0, int, (long handle, void *status))                              \
    X(get_statistics, CanalGetStatistics, 8, 0, int, (long handle, void *statistics))                  \
    X(set_filter, CanalSetFilter, 8, 0, int, (long handle, unsigned long filter))                      \
    X(set_mask, CanalSetMask, 8, 0, int, (long handle, unsigned long mask))                            \
    X(set_baudrate, CanalSetBaudrate, 8, 0, int, (long handle, unsigned long code))                    \
    X(get_level, CanalGetLevel, 4, 0, unsigned long, (long handle))                                    \
    X(get_version, CanalGetVersion, 0, 0, unsigned long, (void))                                       \
    X(get_dll_version, CanalGetDllVersion, 0, 0, unsigned long, (void))                                \
    X(get_vendor_string, CanalGetVendorString, 0, 0, const char *, (void))                             \
    X(get_driver_info, CanalGetDriverInfo, 0, 0, const char *, (void))                                 \
    X(send_fd, CanalSendFD, 8, 0, int, (long handle, void *message))                                   \
    X(receive_fd, CanalReceiveFD, 8, 0, int, (long handle, void *message))                             \
    X(blocking_send_fd, CanalBlockingSendFD, 12, 0, int,                                               \
      (long handle, void *message, unsigned long timeout_ms))                                          \
    X(blocking_receive_fd, CanalBlockingReceiveFD, 12, 0, int,                                         \
      (long handle, void *message, unsigned long timeout_ms))                                          \
    X(receive_batch, CanalReceiveBatch, 20, 0, int,                                                    \
      (long handle, void *records, unsigned long size, unsigned long count, unsigned long timeout_ms)) \
    X(transmit_pending, CanalTransmitPending, 8, 0, int, (long handle, unsigned long *moving))

enum { /* index of each function in the table, and their number */
#define CF_CANAL_INDEX(member, name, bytes, mandatory, result, arguments) CF_FN_##member,
    CF_CANAL_FUNCTIONS(CF_CANAL_INDEX)
#undef CF_CANAL_INDEX
    CF_CANAL_FUNCTION_COUNT
};
/* clang-format on */

/* Functions beyond the interface, by which some drivers are known; looked for, never called. X(member, name) */
/* clang-format off */
#define CF_CANAL_EXTENSIONS(X)                                                                         \
    X(set_filters, "CanalSetFilters")                                                                  \
    X(receive_handle, "CanalGetReceiveHandle")                                                         \
    X(filter_11bit, "CanalSetFilter11bit")

enum {
#define CF_CANAL_EXTENSION_INDEX(member, name) CF_EXT_##member,
    CF_CANAL_EXTENSIONS(CF_CANAL_EXTENSION_INDEX)
#undef CF_CANAL_EXTENSION_INDEX
    CF_CANAL_EXTENSION_COUNT
};
/* clang-format on */

/* Name of extension `index`, or NULL past the end. */
CF_INLINE const char *cf_canal_extension(size_t index)
{
    /* clang-format off */
    static const char *const names[] = {
#define CF_CANAL_EXTENSION_NAME(member, name) name,
        CF_CANAL_EXTENSIONS(CF_CANAL_EXTENSION_NAME)
#undef CF_CANAL_EXTENSION_NAME
    };
    /* clang-format on */
    return index < sizeof names / sizeof names[0] ? names[index] : NULL;
}

/* Return codes. X(name, number, sentence) */
/* clang-format off */
#define CF_CANAL_CODE_LIST(X)                                                                          \
    X(SUCCESS, 0, "success")                                                                           \
    X(BAUDRATE, 1, "the bit rate is not possible")                                                     \
    X(BUS_OFF, 2, "the controller is bus off")                                                         \
    X(BUS_PASSIVE, 3, "the controller is error passive")                                               \
    X(BUS_WARNING, 4, "an error counter reached the warning limit")                                    \
    X(CAN_ID, 5, "the identifier is not valid")                                                        \
    X(CAN_MESSAGE, 6, "the message is not valid")                                                      \
    X(CHANNEL, 7, "there is no such channel")                                                          \
    X(FIFO_EMPTY, 8, "the receive queue is empty")                                                     \
    X(FIFO_FULL, 9, "the queue is full")                                                               \
    X(FIFO_SIZE, 10, "the queue could not be given that size")                                         \
    X(FIFO_WAIT, 11, "waiting for the queue failed")                                                   \
    X(GENERIC, 12, "an error that the driver does not name")                                           \
    X(HARDWARE, 13, "the hardware failed")                                                             \
    X(INIT_FAIL, 14, "the controller could not be initialised")                                        \
    X(INIT_MISSING, 15, "the controller is not initialised")                                           \
    X(INIT_READY, 16, "the controller is initialised already")                                         \
    X(NOT_SUPPORTED, 17, "the driver does not support this")                                           \
    X(OVERRUN, 18, "received frames were overwritten")                                                 \
    X(RCV_EMPTY, 19, "nothing was received")                                                           \
    X(REGISTER, 20, "a register could not be accessed")                                                \
    X(TRM_FULL, 21, "the transmit queue is full")                                                      \
    X(ERRFRM_STUFF, 22, "stuff error on the bus")                                                      \
    X(ERRFRM_FORM, 23, "form error on the bus")                                                        \
    X(ERRFRM_ACK, 24, "no node acknowledged")                                                          \
    X(ERRFRM_BIT1, 25, "a recessive bit was read back dominant")                                       \
    X(ERRFRM_BIT0, 26, "a dominant bit was read back recessive")                                       \
    X(ERRFRM_CRC, 27, "CRC error on the bus")                                                          \
    X(LIBRARY, 28, "the driver library could not be loaded")                                           \
    X(PROCADDRESS, 29, "a function of the driver library is missing")                                  \
    X(ONLY_ONE_INSTANCE, 30, "the driver can be opened only once")                                     \
    X(SUB_DRIVER, 31, "a driver below this one failed")                                                \
    X(TIMEOUT, 32, "timed out")                                                                        \
    X(NOT_OPEN, 33, "the device is not open")                                                          \
    X(PARAMETER, 34, "a parameter is not valid")                                                       \
    X(MEMORY, 35, "out of memory, or an unknown handle")                                               \
    X(INTERNAL, 36, "internal error of the driver")                                                    \
    X(COMMUNICATION, 37, "communication with the device failed")                                       \
    X(USER, 38, "the user or password was refused")                                                    \
    X(MTU, 39, "the frame is too long for the interface")                                              \
    X(FD_SUPPORT, 40, "the interface has no CAN FD")                                                   \
    X(FD_SUPPORT_ENABLE, 41, "CAN FD could not be enabled")                                            \
    X(SOCKET_CREATE, 42, "the socket could not be created")                                            \
    X(CONVERT_NAME_TO_INDEX, 43, "there is no interface of that name")                                 \
    X(SOCKET_BIND, 44, "the socket could not be bound")                                                \
    /* above CF_CANAL_DRIVER_DEFINED: those of this project's drivers */                               \
    X(INTERFACE_DOWN, 0x43460001, "the network interface is down")                                     \
    X(INTERFACE_GONE, 0x43460002, "the network interface was removed")                                 \
    X(INTERFACE_KIND, 0x43460003, "the network interface is not CAN")                                  \
    X(NO_SOCKETCAN, 0x43460004, "this kernel has no SocketCAN")                                        \
    X(DENIED, 0x43460005, "permission was denied")

enum {
#define CF_CANAL_CODE_ENUM(name, number, sentence) CF_CANAL_##name = number,
    CF_CANAL_CODE_LIST(CF_CANAL_CODE_ENUM)
#undef CF_CANAL_CODE_ENUM
    CF_CANAL_DRIVER_DEFINED = 0x10000 /* codes from here on belong to the driver */
};
/* clang-format on */

/* Row `index` of the code table, or NULL past its end. */
CF_CODE_ROWS(cf_canal_code_row, CF_CANAL_CODE_LIST)

/* Bits of a message's flags. Drivers leave garbage in the others. */
#define CF_MSG_EXTENDED 0x00000001UL
#define CF_MSG_REMOTE 0x00000002UL
#define CF_MSG_STATUS 0x00000004UL
#define CF_MSG_FD 0x00000008UL
#define CF_MSG_BITRATE_SWITCH 0x00000010UL        /* in FD messages of this project's drivers, */
#define CF_MSG_ERROR_STATE_INDICATOR 0x00000020UL /* since CANAL has no flags for them */
#define CF_MSG_ERROR_FRAME 0x00000080UL /* to send, likewise: CF_CANAL_SENDS_ERRORS tells whether they can */
#define CF_MSG_SEND 0x80000000UL /* direction: sent by this node */

#define CF_CANAL_STOPPED 0x00800000UL
#define CF_CANAL_SENDS_ERRORS 0x00010000UL /* of this project's drivers: CF_MSG_ERROR_FRAME messages can be sent */
#define CF_CANAL_ACTIVE 0x10000000UL

/* Bits of channel_status as the header has them (the manual swaps PASSIVE and WARNING).
 * X(name, bit, meaning) */
/* clang-format off */
#define CF_CANAL_STATUS_LIST(X)                                  \
    X(BUS_OFF, 0x80000000, "bus off")                            \
    X(PASSIVE, 0x40000000, "error passive")                      \
    X(WARNING, 0x20000000, "error warning")                      \
    X(ACTIVE, 0x10000000, "error active")                        \
    X(PHY_FAULT, 0x08000000, "fault of the bus wires")           \
    X(PHY_H, 0x04000000, "fault of CAN high")                    \
    X(PHY_L, 0x02000000, "fault of CAN low")                     \
    X(SLEEPING, 0x01000000, "asleep")                            \
    X(STOPPED, 0x00800000, "stopped: no more frames will come")  \
    X(RX_FULL, 0x00400000, "receive buffer full")                \
    X(TX_FULL, 0x00200000, "transmit buffer full")
/* clang-format on */

/* usb2can's low 16 bits: error counters. */
#define CF_CANAL_TEC(channel_status) ((unsigned)(channel_status) & 0xFF)
#define CF_CANAL_REC(channel_status) ((unsigned)(channel_status) >> 8 & 0x7F)

/* Row `index` of the status bit table, or NULL past its end. */
CF_INLINE const cf_code *cf_canal_status_row(size_t index)
{
    /* clang-format off */
    static const cf_code rows[] = {
#define CF_CANAL_STATUS_ROW(name, bit, meaning) {(long)(bit##L), #name, meaning},
        CF_CANAL_STATUS_LIST(CF_CANAL_STATUS_ROW)
#undef CF_CANAL_STATUS_ROW
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* What a status message (CF_MSG_STATUS) reports; in data[0] when sizeData >= 1 and id is 0, else in id. */
/* clang-format off */
#define CF_CANAL_STATUS_MESSAGE_LIST(X)          \
    X(OK, 0x00, "error active")                  \
    X(OVERRUN, 0x01, "overrun")                  \
    X(BUS_LIGHT, 0x02, "error warning")          \
    X(BUS_HEAVY, 0x03, "error passive")          \
    X(BUS_OFF, 0x04, "bus off")                  \
    X(STUFF, 0x20, "stuff error")                \
    X(FORM, 0x21, "form error")                  \
    X(ACK, 0x23, "acknowledge error")            \
    X(BIT1, 0x24, "recessive bit error")         \
    X(BIT0, 0x25, "dominant bit error")          \
    X(CRC, 0x27, "CRC error")
/* clang-format on */

CF_CODE_ROWS(cf_canal_status_message_row, CF_CANAL_STATUS_MESSAGE_LIST)

/* Open flags of usb2can.dll and of our virtual driver; others define their own. */
enum {
    CF_OPEN_LISTEN_ONLY = 0x1,
    CF_OPEN_LOOPBACK = 0x2,
    CF_OPEN_ONE_SHOT = 0x4,
    CF_OPEN_STATUS_FRAMES = 0x8,
    CF_OPEN_FD = 0x10 /* of our SocketCAN and virtual drivers: CAN FD frames, too */
};

/* Beside the bits of the functions that a library exports: its CanalGetDllVersion says 2 or more. Asked only where the
 * file's name has CF_VERSION_TELLS: those kinds differ in nothing else, and answer without a device. */
#define CF_DLL_VERSION_2 ((uint64_t)1 << 63)
#define CF_VERSION_TELLS "usb2can"

#endif
