/* can_sender.c - sends numbered frames into a CAN interface: can_sender INTERFACE COUNT [FIRST].
 *
 * Frame n has the identifier n % 2048 and its number in eight bytes, the lowest first.
 */
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
    struct sockaddr_can address = {0};
    struct can_frame frame = {0};
    const int made = socket(PF_CAN, SOCK_RAW, CAN_RAW);
    uint64_t at = count > 3 ? strtoull(words[3], NULL, 0) : 0, end;
    if (count < 3 || made < 0)
        return 2;
    end = at + strtoull(words[2], NULL, 0);
    address.can_family = AF_CAN;
    address.can_ifindex = (int)if_nametoindex(words[1]);
    setsockopt(made, SOL_CAN_RAW, CAN_RAW_FILTER, NULL, 0); /* it receives nothing */
    if (bind(made, (struct sockaddr *)&address, sizeof address) < 0)
        return 2;
    frame.can_dlc = 8;
    for (; at < end; at++) {
        frame.can_id = at % 2048;
        memcpy(frame.data, &at, sizeof at);
        if (write(made, &frame, sizeof frame) != sizeof frame) {
            perror(words[1]);
            return 1;
        }
    }
    close(made);
    return 0;
}
