/* play_clock.c - a lane of the player against a clock that only moves when it waits or sends.
 *
 *     play_clock SPEED GAP_MAX_NS WAKE_NS SEND_NS DELAY_AT DELAY_NS < times
 *
 * Waits end WAKE_NS too late, each frame takes the driver SEND_NS, and frame DELAY_AT takes DELAY_NS more. Prints for
 * each frame its number and when the driver had it, after the beginning; then the books of the lane.
 */
#include <canal_fast/logger/play.h>

#include <stdio.h>

static int64_t now_ns, wake_ns, send_ns, delay_at, delay_ns, begin_ns;

static int64_t tell(void *context)
{
    (void)context;
    return now_ns;
}

static void wait_late(cf_play_lane *lane, int64_t until_ns)
{
    (void)lane;
    now_ns = until_ns + wake_ns;
}

static cf_status carry(cf_port *port, cf_request *request)
{
    const cf_fd_frame *frames = (const cf_fd_frame *)request->question;
    uint64_t i;
    (void)port;
    for (i = 0; i < request->count; i++) {
        now_ns += send_ns + ((int64_t)frames[i].arbitration_id == delay_at ? delay_ns : 0);
        printf("%u %lld\n", (unsigned)frames[i].arbitration_id, (long long)(now_ns - begin_ns));
    }
    request->result = request->count;
    return CF_OK;
}

int main(int argc, char **argv)
{
    cf_play *play = cf_play_new(1);
    cf_fd_frame frame;
    cf_port port;
    long long time;
    size_t i;
    if (argc != 7 || play == NULL)
        return 2;
    memset(&port, 0, sizeof port);
    memset(&frame, 0, sizeof frame);
    port.carry = carry;
    play->lanes[0].port = &port;
    play->clock.now_ns = tell;
    play->clock.wait = wait_late;
    play->timed = atof(argv[1]) > 0;
    play->schedule.speed = atof(argv[1]);
    play->schedule.gap_max_ns = atoll(argv[2]);
    wake_ns = atoll(argv[3]);
    send_ns = atoll(argv[4]);
    delay_at = atoll(argv[5]);
    delay_ns = atoll(argv[6]);
    for (; scanf("%lld", &time) == 1; frame.arbitration_id++) {
        frame.timestamp_ns = time;
        if (cf_play_push(play, &frame, 1, 0) != 1)
            return 2; /* more than a queue holds */
    }
    cf_play_end(play);
    begin_ns = play->begin_ns;
    cf_play_main(&play->lanes[0]);
    printf("late %llu %lld %lld\n", (unsigned long long)play->lanes[0].lateness.frames,
           (long long)play->lanes[0].lateness.sum_ns, (long long)play->lanes[0].lateness.max_ns);
    for (i = 0; i < CF_LATENESS_CLASSES; i++)
        printf("%llu ", (unsigned long long)play->lanes[0].lateness.classes[i]);
    cf_play_free(play);
    return 0;
}
