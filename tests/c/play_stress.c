/* play_stress.c - the player's lanes, who fills them, who looks at them and who halts them, all at once.
 *
 *     play_stress ROUNDS     exit 0: each lane's frames came whole and in order
 *
 * Drivers take some of what they are offered. Every other round is halted in the middle.
 */
#include <canal_fast/logger/play.h>

#include <stdio.h>

enum { LANES = 3, FRAMES = 100000, SOME = 1000 };

static uint64_t next_of[LANES], wrong[LANES];
static cf_port ports[LANES];

static cf_status carry(cf_port *port, cf_request *request)
{
    const cf_fd_frame *frames = (const cf_fd_frame *)request->question;
    const size_t lane = (size_t)(port - ports);
    const uint64_t most = 1 + next_of[lane] % 7, count = request->count < most ? request->count : most;
    uint64_t i;
    for (i = 0; i < count; i++)
        wrong[lane] += frames[i].arbitration_id != next_of[lane]++;
    request->result = count;
    return CF_OK;
}

static void look(void *argument)
{
    cf_play *play = (cf_play *)argument;
    int more = 1;
    while (more) {
        cf_lateness lateness;
        cf_status status;
        uint64_t sent, sum = 0;
        long code;
        size_t i;
        for (i = 0; i < LANES; i++) {
            cf_play_books(play, i, &lateness, &sent, &status, &code);
            sum += sent;
        }
        more = !cf_play_finish(play, 100000);
        if (sum > FRAMES && play->schedule.gap_max_ns == 0) /* the rounds that are halted */
            cf_play_halt(play);
    }
}

int main(int argc, char **argv)
{
    static cf_fd_frame frames[SOME];
    int round;
    for (round = 0; argc == 2 && round < atoi(argv[1]); round++) {
        cf_play *play = cf_play_new(LANES);
        cf_thread looker;
        uint64_t numbers[LANES] = {0}, made = 0;
        size_t i, pushed = SOME;
        if (play == NULL)
            return 2;
        for (i = 0; i < LANES; i++) {
            memset(&ports[i], 0, sizeof ports[i]);
            ports[i].carry = carry;
            play->lanes[i].port = &ports[i];
            next_of[i] = 0;
        }
        play->timed = round % 4 < 2;
        play->schedule.speed = 1;
        play->schedule.gap_max_ns = round % 2 ? 0 : INT64_MAX;
        if (cf_play_start(play) != CF_OK || cf_thread_start(&looker, look, play, "looker") != CF_OK)
            return 2;
        while (made < 2 * FRAMES && pushed == SOME) {
            for (i = 0; i < SOME; i++) {
                const size_t lane = (size_t)((made + i) * 7 / 3 % LANES);
                frames[i].timestamp_ns = (int64_t)(made + i) * 1000;
                frames[i].channel = (uint8_t)lane;
                frames[i].arbitration_id = (uint32_t)numbers[lane]++;
            }
            pushed = cf_play_push(play, frames, SOME, INT64_C(60000000000));
            made += pushed;
        }
        cf_play_end(play);
        while (!cf_play_finish(play, 1000000000))
            ;
        cf_thread_join(&looker);
        cf_play_stop(play);
        for (i = 0; i < LANES; i++)
            if (play->lanes[i].sent != next_of[i] || (round % 2 == 0 && next_of[i] != numbers[i]))
                wrong[i]++;
        cf_play_free(play);
    }
    printf("%llu wrong\n", (unsigned long long)(wrong[0] + wrong[1] + wrong[2]));
    return argc != 2 || wrong[0] + wrong[1] + wrong[2] != 0;
}
