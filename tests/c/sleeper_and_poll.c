/* sleeper_and_poll.c - one thread sleeps until a record comes while another looks whether there is one.
 *
 *     sleeper_and_poll DRIVER     exit 0: the reader thread still knows of the sleeper
 */
#include "open_port.h"

static void sleeper(void *argument)
{
    uint64_t pending;
    long code = 0;
    cf_consumer_wait((cf_consumer *)argument, 1, INT64_C(20000000000), &pending, &code);
}

int main(int argc, char **argv)
{
    cf_open_question question = question_of("sleeper", "virtual");
    cf_port *port = NULL;
    cf_status status = CF_FILE_MISSING;
    cf_thread thread;
    uint64_t pending;
    uint32_t wanted;
    long code = 0;
    if (argc == 2)
        port = open_port(argv[1], NULL, &question, NULL, 0, 16, &status);
    if (port == NULL || cf_thread_start(&thread, sleeper, &port->consumer, "sleeper") != CF_OK)
        return 2;
    while (cf_atomic_u32_load_relaxed(&port->consumer.share->alarm) == 0)
        cf_sleep_ns(1000000);
    cf_consumer_wait(&port->consumer, 0, 0, &pending, &code);
    wanted = cf_atomic_u32_load_relaxed(&port->consumer.share->alarm);
    cf_port_close(port, &code);
    cf_thread_join(&thread);
    cf_port_free(port);
    return wanted == 1 ? 0 : 1;
}
