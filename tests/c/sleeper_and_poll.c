/* sleeper_and_poll.c - one thread sleeps until a record comes while another looks whether there is one.
 *
 *     sleeper_and_poll DRIVER     exit 0: the reader thread still knows of the sleeper
 */
#include <canal_fast/live/port.h>

static void sleeper(void *argument)
{
    uint64_t pending;
    long code = 0;
    cf_consumer_wait((cf_consumer *)argument, 1, INT64_C(20000000000), &pending, &code);
}

int main(int argc, char **argv)
{
    cf_library library;
    cf_channel_options options;
    cf_channel *channel;
    cf_thread thread;
    uint64_t pending;
    uint32_t wanted;
    long code = 0;
    memset(&options, 0, sizeof options);
    options.config = "sleeper";
    options.profile = cf_profile_named("virtual");
    options.coalesce_ns = 1000000;
    options.ring_capacity = 16;
    if (argc != 2 || cf_library_load(&library, argv[1], CF_CONVENTION_AUTO) != CF_OK ||
        cf_channel_open(&library, &options, &channel, &code) != CF_OK ||
        cf_thread_start(&thread, sleeper, &channel->consumer, "sleeper") != CF_OK)
        return 2;
    while (cf_atomic_u32_load_relaxed(&channel->share.alarm) == 0)
        cf_sleep_ns(1000000);
    cf_consumer_wait(&channel->consumer, 0, 0, &pending, &code);
    wanted = cf_atomic_u32_load_relaxed(&channel->share.alarm);
    cf_channel_close(channel, &code);
    cf_thread_join(&thread);
    cf_channel_free(channel);
    return wanted == 1 ? 0 : 1;
}
