/* host_kills.c - a host that is killed at every request: before it, and while it is done.
 *
 *     host_kills DRIVER HOST     exit 0: each request came back in time and said why; nothing leaked (with a sanitizer)
 *
 * DRIVER is the virtual driver.
 */
#include "open_port.h"

#include <signal.h>
#include <sys/wait.h>

#define LATE_NS INT64_C(5000000000)

static void kill_soon(void *argument)
{
    cf_sleep_ns(20000000);
    kill((pid_t)cf_host_port_process((const cf_port *)argument), SIGKILL);
}

/* Asks `operation` of a host that is killed; 0: as it should be. */
static int killed(const char *driver, const char *host, cf_operation operation, int meanwhile)
{
    static union {
        uint64_t aligned;
        char bytes[CF_ANSWER_BYTES];
    } answer;
    cf_open_question question = question_of("kills", "virtual");
    cf_port *port;
    cf_load_answer loaded;
    cf_request request;
    cf_frame frame;
    cf_thread killer;
    siginfo_t stopped;
    cf_status status, wanted = CF_HOST_ENDED;
    int64_t began_ns;
    long code;
    if (cf_host_port_new(host, 1024, sizeof(cf_frame), &port, &code) != CF_OK)
        return 1;
    if (operation > CF_ASK_LOAD && cf_port_load(port, driver, CF_CONVENTION_AUTO, &loaded, &code) != CF_OK)
        return 1;
    if (operation > CF_ASK_OPEN && cf_port_open(port, &question, NULL, 0, answer.bytes, &code) != CF_OK)
        return 1;
    memset(&request, 0, sizeof request);
    memset(&frame, 0, sizeof frame);
    request.question = operation == CF_ASK_LOAD   ? (const void *)driver
                       : operation == CF_ASK_OPEN ? (const void *)&question
                                                  : (const void *)&frame;
    request.question_bytes = operation == CF_ASK_LOAD   ? strlen(driver) + 1
                             : operation == CF_ASK_OPEN ? sizeof question
                                                        : sizeof frame;
    request.count = 1;
    request.value = sizeof frame;
    request.answer = &answer;
    request.answer_bytes = sizeof answer;
    kill((pid_t)cf_host_port_process(port), meanwhile ? SIGSTOP : SIGKILL);
    if (meanwhile && waitid(P_PID, (id_t)cf_host_port_process(port), &stopped, WSTOPPED | WNOWAIT) != 0)
        return 1;
    if (cf_thread_start(&killer, kill_soon, port, "killer") != CF_OK)
        return 1;
    began_ns = cf_now_ns();
    if (operation == CF_ASK_CLOSE) {
        status = cf_port_close(port, &code);
        wanted = meanwhile ? CF_HOST_ENDED : status; /* one that ended before was closed by its end */
    } else {
        status = cf_port_ask(port, operation, &request, &code);
    }
    cf_thread_join(&killer);
    if (status != wanted || cf_now_ns() - began_ns > LATE_NS)
        printf("operation %d, %s: status %d, %lld ms\n", (int)operation, meanwhile ? "meanwhile" : "before",
               (int)status, (long long)(cf_now_ns() - began_ns) / 1000000);
    end_port(port);
    return status != wanted || cf_now_ns() - began_ns > 2 * LATE_NS;
}

static int slow(void)
{
    cf_sleep_ns(500000000);
    return 0;
}

/* Asks a host that is killed and that is replaced by some that find no driver: they end, too, before the caller looks.
 * 0: it is told of the end that it met. */
static int replaced(const char *driver, const char *host)
{
    cf_open_question question = question_of("replaced", "virtual");
    cf_driver_status answer;
    cf_status status;
    cf_thread killer;
    long code = 0;
    char elsewhere[4096];
    siginfo_t stopped;
    cf_port *port;
    question.reconnect_ns = 1000000;
    port = open_port(driver, host, &question, NULL, 0, 1024, &status);
    snprintf(elsewhere, sizeof elsewhere, "%s.away", driver);
    if (port == NULL || rename(driver, elsewhere) != 0)
        return 1;
    port->waiting.interrupted = slow;
    kill((pid_t)cf_host_port_process(port), SIGSTOP);
    if (waitid(P_PID, (id_t)cf_host_port_process(port), &stopped, WSTOPPED | WNOWAIT) != 0 ||
        cf_thread_start(&killer, kill_soon, port, "killer") != CF_OK)
        return 1;
    status = cf_port_status(port, &answer, &code);
    cf_thread_join(&killer);
    port->waiting.interrupted = NULL;
    end_port(port);
    if (rename(elsewhere, driver) != 0)
        return 1;
    if (status != CF_HOST_ENDED || code != -SIGKILL)
        printf("replaced: status %d, code %ld\n", (int)status, code);
    return status != CF_HOST_ENDED || code != -SIGKILL;
}

int main(int count, char **arguments)
{
    int operation, bad = 0;
    if (count < 3)
        return 2;
    for (operation = 0; operation < CF_ASK_FREE; operation++)
        bad |= killed(arguments[1], arguments[2], (cf_operation)operation, 0) |
               killed(arguments[1], arguments[2], (cf_operation)operation, 1);
    return bad | replaced(arguments[1], arguments[2]);
}
