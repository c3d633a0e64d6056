/* socketcan_receive.h - frames out of the socket, many in one system call, and what error frames tell. */
#ifndef SOCKETCAN_RECEIVE_H
#define SOCKETCAN_RECEIVE_H

#include <time.h>

#include "../../../include/canal_fast/drivers/message.h"
#include "socketcan_open.h"

enum { SC_BOX = 256, SC_CONTROL_WORDS = 16 };

/* Frames that came in one system call, taken out one by one. */
typedef struct sc_box {
    unsigned at, have;
    struct mmsghdr heads[SC_BOX];
    struct iovec vectors[SC_BOX];
    struct canfd_frame frames[SC_BOX];
    uint64_t control[SC_BOX][SC_CONTROL_WORDS];
} sc_box;

/* What a socket has been through. */
typedef struct sc_state {
    int socket, index;
    int trouble; /* the code to return once the box is empty, or before it when that is mixed; 0: none */
    int told;    /* it was returned */
    int mixed;   /* the interface was down and is up again: the box may be from before, from after, or both */
    uint32_t kernel_drops;
    int64_t last_ns;
    unsigned long condition; /* CF_CANAL_ACTIVE ... */
    unsigned tec, rec, last_error;
    cf_canal_statistics statistics;
    sc_box box;
} sc_state;

static void sc_init(sc_state *s)
{
    unsigned i;
    memset(s, 0, sizeof *s);
    s->condition = CF_CANAL_ACTIVE;
    for (i = 0; i < SC_BOX; i++) {
        struct msghdr *head = &s->box.heads[i].msg_hdr;
        s->box.vectors[i].iov_base = &s->box.frames[i];
        s->box.vectors[i].iov_len = sizeof s->box.frames[i];
        head->msg_iov = &s->box.vectors[i];
        head->msg_iovlen = 1;
        head->msg_control = s->box.control[i];
        head->msg_controllen = sizeof s->box.control[i];
    }
}

/* Notes that a system call failed: an interface that went down or away is trouble. */
static void sc_note_failure(sc_state *s, int number)
{
    const int code = sc_code(number);
    if (code == CF_CANAL_INTERFACE_GONE || (code == CF_CANAL_INTERFACE_DOWN && s->trouble == 0))
        s->trouble = code;
}

/* Fills an empty box with what the socket holds, without waiting. The kernel tells of an interface's end before it
 * hands out what came earlier: that comes first here, but where the interface is up again, and nobody can tell earlier
 * from later. Returns 0, or the code of another failure. */
static int sc_fill(sc_state *s)
{
    int tries, got;
    if (s->mixed && s->told && s->box.have < SC_BOX) /* the socket was empty after the outage was noticed */
        s->trouble = s->told = 0;
    s->mixed = 0;
    for (tries = 0; tries < 3; tries++) {
        got = recvmmsg(s->socket, s->box.heads, SC_BOX, MSG_DONTWAIT, NULL);
        s->box.at = 0;
        s->box.have = got > 0 ? (unsigned)got : 0;
        if (got >= 0 || errno == EAGAIN || errno == EINTR) {
            s->mixed = got > 0 && s->trouble == CF_CANAL_INTERFACE_DOWN && sc_is_up(s->socket, s->index);
            return 0;
        }
        sc_note_failure(s, errno);
        if (s->trouble == 0)
            return sc_code(errno);
    }
    return 0;
}

/* What an empty receive is to return. An interface that came up again is no trouble any more once that was told. */
static int sc_nothing(sc_state *s)
{
    if (s->told && s->trouble == CF_CANAL_INTERFACE_DOWN && sc_is_up(s->socket, s->index))
        s->trouble = 0;
    s->told = s->trouble != 0;
    return s->trouble != 0 ? s->trouble : CF_CANAL_FIFO_EMPTY;
}

typedef struct sc_meaning {
    uint32_t class_bit; /* of the identifier; the first row that fits counts */
    uint8_t byte, bits; /* bits in that data byte; 0: any */
    uint8_t code;       /* of a CANAL status message */
    unsigned long condition; /* of the controller from now on; 0: as before */
} sc_meaning;

/* What an error frame means, or NULL: nothing that CANAL has a code for. */
static const sc_meaning *sc_meaning_of(const struct canfd_frame *frame)
{
    /* clang-format off */
    static const sc_meaning rows[] = {
        {CAN_ERR_BUSOFF, 0, 0, 0x04, 0x80000000UL},
        {CAN_ERR_RESTARTED, 0, 0, 0x00, CF_CANAL_ACTIVE},
        {CAN_ERR_CRTL, 1, CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE, 0x03, 0x40000000UL},
        {CAN_ERR_CRTL, 1, CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING, 0x02, 0x20000000UL},
        {CAN_ERR_CRTL, 1, CAN_ERR_CRTL_ACTIVE, 0x00, CF_CANAL_ACTIVE},
        {CAN_ERR_CRTL, 1, CAN_ERR_CRTL_RX_OVERFLOW | CAN_ERR_CRTL_TX_OVERFLOW, 0x01, 0},
        {CAN_ERR_ACK, 0, 0, 0x23, 0},
        {CAN_ERR_PROT, 2, CAN_ERR_PROT_STUFF, 0x20, 0},
        {CAN_ERR_PROT, 2, CAN_ERR_PROT_FORM, 0x21, 0},
        {CAN_ERR_PROT, 2, CAN_ERR_PROT_BIT1, 0x24, 0},
        {CAN_ERR_PROT, 2, CAN_ERR_PROT_BIT0, 0x25, 0},
    };
    /* clang-format on */
    size_t i;
    if ((frame->can_id & CAN_ERR_PROT) && frame->data[3] == CAN_ERR_PROT_LOC_CRC_SEQ) {
        static const sc_meaning crc = {CAN_ERR_PROT, 3, 0, 0x27, 0};
        return &crc;
    }
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((frame->can_id & rows[i].class_bit) && (rows[i].bits == 0 || (frame->data[rows[i].byte] & rows[i].bits)))
            return &rows[i];
    return NULL;
}

/* Takes in what an error frame tells of the controller. */
static void sc_note_error(sc_state *s, const struct canfd_frame *frame)
{
    const sc_meaning *meaning = sc_meaning_of(frame);
    /* Kernels before 6.0 put the counters there without a word. */
    if ((frame->can_id & CAN_ERR_CNT) || ((frame->can_id & CAN_ERR_CRTL) && (frame->data[6] | frame->data[7]))) {
        s->tec = frame->data[6];
        s->rec = frame->data[7];
    }
    if (meaning == NULL)
        return;
    s->last_error = meaning->code;
    if (meaning->condition != 0)
        s->condition = meaning->condition;
    s->statistics.bus_warnings += meaning->code == 0x02;
    s->statistics.bus_off += meaning->code == 0x04;
}

/* What the kernel says beside frame `i`: its time, into *ns, and how many were lost before it. */
static uint32_t sc_notes(sc_state *s, unsigned i, int64_t *ns)
{
    struct msghdr *head = &s->box.heads[i].msg_hdr;
    struct cmsghdr *note;
    struct timespec time;
    uint32_t drops = s->kernel_drops, lost;
    *ns = s->last_ns;
    for (note = CMSG_FIRSTHDR(head); note != NULL; note = CMSG_NXTHDR(head, note)) {
        if (note->cmsg_level != SOL_SOCKET)
            continue;
        if (note->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&drops, CMSG_DATA(note), sizeof drops);
        } else if (note->cmsg_type == SO_TIMESTAMPNS || note->cmsg_type == SO_TIMESTAMPING) {
            /* of three times the last is the hardware's */
            memcpy(&time, CMSG_DATA(note) + (note->cmsg_type == SO_TIMESTAMPING ? 2 * sizeof time : 0), sizeof time);
            if (time.tv_sec != 0 || time.tv_nsec != 0)
                *ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
        }
    }
    head->msg_controllen = sizeof s->box.control[i];
    lost = drops - s->kernel_drops; /* 32 bits that wrap */
    s->kernel_drops = drops;
    s->last_ns = *ns;
    return lost;
}

/* Frame `i` of the box as a record of 24 or 80 bytes. */
static void sc_record(sc_state *s, unsigned i, void *record, size_t size)
{
    const struct canfd_frame *frame = &s->box.frames[i];
    const uint32_t id = frame->can_id;
    cf_frame_head *head = (cf_frame_head *)record;
    uint8_t *data = (uint8_t *)record + sizeof *head;
    unsigned length = frame->len, flags = 0;
    int64_t ns;
    const uint32_t lost = sc_notes(s, i, &ns);
    if (s->box.heads[i].msg_len == CANFD_MTU) {
        flags = CF_FLAG_FD | (frame->flags & CANFD_BRS ? CF_FLAG_BITRATE_SWITCH : 0) |
                (frame->flags & CANFD_ESI ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
        length = length < CANFD_MAX_DLEN ? length : CANFD_MAX_DLEN;
        head->dlc = (uint8_t)cf_fd_dlc(length);
    } else {
        const unsigned code = ((const struct can_frame *)(const void *)frame)->len8_dlc;
        length = length < CAN_MAX_DLEN ? length : CAN_MAX_DLEN;
        head->dlc = (uint8_t)(length == CAN_MAX_DLEN && code > CAN_MAX_DLEN && code <= 15 ? code : length);
    }
    if (id & CAN_ERR_FLAG) {
        flags = CF_FLAG_ERROR_FRAME;
        sc_note_error(s, frame);
    } else {
        flags |= (id & CAN_EFF_FLAG ? CF_FLAG_EXTENDED_ID : 0) |
                 (id & CAN_RTR_FLAG && !(flags & CF_FLAG_FD) ? CF_FLAG_REMOTE : 0);
    }
    if (s->box.heads[i].msg_hdr.msg_flags & MSG_CONFIRM)
        flags |= CF_FLAG_TX;
    if (lost != 0 || s->mixed) /* any of a mixed box may be the first after the outage */
        flags |= CF_FLAG_GAP;
    s->statistics.overruns += lost;
    head->timestamp_ns = ns;
    head->arbitration_id = id & (id & (CAN_EFF_FLAG | CAN_ERR_FLAG) ? CAN_EFF_MASK : CAN_SFF_MASK);
    head->flags = (uint16_t)flags;
    head->channel = 0;
    if (flags & CF_FLAG_REMOTE)
        length = 0;
    memset(data, 0, size - sizeof *head);
    memcpy(data, frame->data, length);
    s->statistics.rx_frames++;
    s->statistics.rx_data += length;
}

/* Is the box empty, and was the socket, too, when it was filled? */
static int sc_is_drained(const sc_state *s)
{
    return s->box.at == s->box.have && s->box.have < SC_BOX;
}

/* The next frame as a record. CF_CANAL_SUCCESS; CF_CANAL_MTU when it does not fit a record of that size and
 * stays; or what an empty receive returns. An outage is told before a frame that may have come after it. */
static int sc_next(sc_state *s, void *record, size_t size)
{
    if (s->box.at == s->box.have) {
        const int code = sc_fill(s);
        if (code != 0 || s->box.have == 0)
            return code != 0 ? code : sc_nothing(s);
    }
    if (s->mixed && !s->told) {
        s->told = 1;
        return s->trouble;
    }
    if (s->box.heads[s->box.at].msg_len == CANFD_MTU && size != sizeof(cf_fd_frame))
        return CF_CANAL_MTU;
    sc_record(s, s->box.at++, record, size);
    return CF_CANAL_SUCCESS;
}

#endif
