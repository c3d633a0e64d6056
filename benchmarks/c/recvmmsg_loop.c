/* recvmmsg_loop.c - a bare C receiver on a CAN interface with the options of our SocketCAN driver, and a sender. */
#define _GNU_SOURCE
#include <canal_fast/frame.h>
#include <canal_fast/system/thread.h>

#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { MANY = 256 };

/* A socket that receives everything (rcvbuf > 0) or nothing; -1. */
EXPORT int bare_open(const char *name, int rcvbuf)
{
    const can_err_mask_t errors = CAN_ERR_MASK;
    const int one = 1, made = socket(PF_CAN, SOCK_RAW | SOCK_CLOEXEC, CAN_RAW);
    struct sockaddr_can address = {0};
    address.can_family = AF_CAN;
    address.can_ifindex = (int)if_nametoindex(name);
    if (rcvbuf > 0) {
        if (setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf) < 0)
            setsockopt(made, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
        setsockopt(made, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
        setsockopt(made, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
        setsockopt(made, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors);
    } else {
        setsockopt(made, SOL_CAN_RAW, CAN_RAW_FILTER, NULL, 0);
    }
    return address.can_ifindex != 0 && bind(made, (struct sockaddr *)&address, sizeof address) == 0 ? made : -1;
}

EXPORT void bare_close(int made)
{
    close(made);
}

/* Sends `count` frames of 8 bytes; returns how many. */
EXPORT int bare_send(int made, int count)
{
    static struct can_frame frames[MANY];
    static struct iovec vectors[MANY];
    static struct mmsghdr heads[MANY];
    int i, got, sent = 0;
    for (i = 0; i < MANY; i++) {
        frames[i].can_id = (canid_t)i;
        frames[i].can_dlc = 8;
        vectors[i].iov_base = &frames[i];
        vectors[i].iov_len = sizeof frames[i];
        heads[i].msg_hdr.msg_iov = &vectors[i];
        heads[i].msg_hdr.msg_iovlen = 1;
    }
    for (; sent < count; sent += got) {
        got = sendmmsg(made, heads, (unsigned)(count - sent < MANY ? count - sent : MANY), 0);
        if (got <= 0)
            break;
    }
    return sent;
}

/* What any C program would do: many frames a call, packed to rows (`mask` + 1 of them). Returns the nanoseconds that it
 * took to receive until nothing was left; frames into *count. */
EXPORT uint64_t bare_drain(int made, cf_frame *rows, uint64_t mask, uint64_t *count)
{
    static struct can_frame frames[MANY];
    static struct iovec vectors[MANY];
    static struct mmsghdr heads[MANY];
    static uint64_t control[MANY][8];
    const uint64_t before = cf_monotonic_ns();
    int i, got = MANY;
    *count = 0;
    for (i = 0; i < MANY; i++) {
        vectors[i].iov_base = &frames[i];
        vectors[i].iov_len = sizeof frames[i];
        heads[i].msg_hdr.msg_iov = &vectors[i];
        heads[i].msg_hdr.msg_iovlen = 1;
        heads[i].msg_hdr.msg_control = control[i];
    }
    while (got == MANY) {
        for (i = 0; i < MANY; i++)
            heads[i].msg_hdr.msg_controllen = sizeof control[i];
        got = recvmmsg(made, heads, MANY, MSG_DONTWAIT, NULL);
        for (i = 0; i < got; i++) {
            cf_frame *row = &rows[(*count)++ & mask];
            const struct cmsghdr *note = CMSG_FIRSTHDR(&heads[i].msg_hdr);
            struct timespec time = {0, 0};
            if (note != NULL)
                memcpy(&time, CMSG_DATA(note), sizeof time);
            row->timestamp_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
            row->arbitration_id = frames[i].can_id & CAN_EFF_MASK;
            row->flags = (uint16_t)(frames[i].can_id >> 31);
            row->channel = 0;
            row->dlc = frames[i].can_dlc;
            memcpy(row->data, frames[i].data, sizeof row->data);
        }
    }
    return cf_monotonic_ns() - before;
}
