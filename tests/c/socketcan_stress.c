/* socketcan_stress.c - the SocketCAN driver's handles under threads, for sanitizers, on kernels without CAN.
 *
 * A pair of datagram sockets stands for the CAN socket: what is written to one end is received by the driver. Handles
 * are closed while others receive, send and ask. Frames must come in order, none twice.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <net/if.h>
#include <net/if_arp.h>

static int far_end;

static int pair_open(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return -1;
    far_end = ends[1];
    return ends[0];
}

static int agree(int file, int level, int option, const void *value, socklen_t size)
{
    return file < 0 || level < 0 || option < 0 || value == NULL || size == 0 ? -1 : 0;
}

static int answer(int file, unsigned long request, struct ifreq *about)
{
    if (file < 0)
        return -1;
    if (request == SIOCGIFINDEX)
        about->ifr_ifindex = 1;
    else if (request == SIOCGIFHWADDR)
        about->ifr_hwaddr.sa_family = ARPHRD_CAN;
    else if (request == SIOCGIFFLAGS)
        about->ifr_flags = IFF_UP;
    else if (request == SIOCGIFMTU)
        about->ifr_mtu = 72;
    return 0;
}

#define socket(domain, type, protocol) pair_open()
#define bind(file, address, size) agree(file, 0, 0, address, size)
#define setsockopt agree
#define ioctl answer
#include "../../canal_fast/drivers/socketcan/socketcan.c"

enum { ROUNDS = 20, FRAMES = 3000 };

typedef struct party {
    long handle;
    uint64_t received;
    int failed;
} party;

static uint32_t number_of(const cf_frame *frame)
{
    uint32_t number;
    memcpy(&number, frame->data, sizeof number);
    return number;
}

static void *take_batches(void *argument)
{
    party *self = (party *)argument;
    cf_frame frames[100];
    uint32_t last = 0;
    int got, i;
    while ((got = CanalReceiveBatch(self->handle, frames, sizeof frames[0], 100, 3)) != -CF_CANAL_NOT_OPEN) {
        for (i = 0; i < got; i++) {
            self->failed |= number_of(&frames[i]) <= last || frames[i].dlc != 4;
            last = number_of(&frames[i]);
        }
        self->received += got > 0 ? (uint64_t)got : 0;
    }
    return NULL;
}

static void *take_one_by_one(void *argument)
{
    party *self = (party *)argument;
    cf_canal_msg message;
    uint32_t last = 0, number;
    int code;
    while ((code = CanalBlockingReceive(self->handle, &message, 0)) != CF_CANAL_NOT_OPEN) {
        if (code != CF_CANAL_SUCCESS)
            continue;
        memcpy(&number, message.data, sizeof number);
        self->failed |= number <= last;
        last = number;
        self->received++;
    }
    return NULL;
}

static void *send_and_ask(void *argument)
{
    party *self = (party *)argument;
    cf_canal_msg message;
    cf_canal_status status;
    cf_canal_statistics statistics;
    memset(&message, 0, sizeof message);
    message.id = 0x123;
    message.sizeData = 8;
    while (CanalBlockingSend(self->handle, &message, 1) != CF_CANAL_NOT_OPEN) {
        CanalGetStatus(self->handle, &status);
        CanalGetStatistics(self->handle, &statistics);
        CanalDataAvailable(self->handle);
    }
    return NULL;
}

int main(void)
{
    static void *(*const roles[])(void *) = {take_batches, take_one_by_one, send_and_ask};
    int round, failed = 0;
    for (round = 0; round < ROUNDS; round++) {
        party parties[3];
        pthread_t threads[3];
        uint8_t rest[128];
        uint32_t number;
        const long handle = CanalOpen("vcan0", 0);
        int i;
        for (i = 0; i < 3; i++) {
            parties[i].handle = handle;
            parties[i].received = 0;
            parties[i].failed = 0;
            pthread_create(&threads[i], NULL, roles[i], &parties[i]);
        }
        for (number = 1; number <= FRAMES; number++) {
            struct can_frame frame = {0};
            frame.can_id = number % 2048;
            frame.len = 4;
            memcpy(frame.data, &number, sizeof number);
            while (send(far_end, &frame, sizeof frame, MSG_DONTWAIT) < 0)
                cf_sleep_ns(1000);
            if (number % 64 == 0)
                while (recv(far_end, rest, sizeof rest, MSG_DONTWAIT) > 0)
                    ;
        }
        while (round % 2 == 0 && CanalDataAvailable(handle) > 0)
            cf_sleep_ns(100000);
        failed |= CanalClose(handle) != CF_CANAL_SUCCESS || CanalClose(handle) != CF_CANAL_NOT_OPEN;
        for (i = 0; i < 3; i++) {
            pthread_join(threads[i], NULL);
            failed |= parties[i].failed;
        }
        failed |= round % 2 == 0 && parties[0].received + parties[1].received != FRAMES;
        close(far_end);
    }
    printf("%s\n", failed ? "FAILED" : "ok");
    return failed;
}
