/* open_port.h - for the C tests: a port from nothing to open, here or, with `host` (its program), in a host. */
#ifndef OPEN_PORT_H
#define OPEN_PORT_H

#include <canal_fast/live/port_host.h>
#include <canal_fast/live/port_thread.h>

#include <stdio.h>

static inline cf_open_question question_of(const char *config, const char *profile)
{
    cf_open_question question;
    memset(&question, 0, sizeof question);
    cf_copy_text(question.config, sizeof question.config, config);
    cf_copy_text(question.profile, sizeof question.profile, profile);
    question.coalesce_ns = 1000000;
    return question;
}

/* Closes and frees; what CanalClose returned. */
static inline long end_port(cf_port *port)
{
    long code = 0;
    cf_port_close(port, &code);
    cf_port_free(port);
    return code;
}

/* An open port, or NULL and what went wrong in *status. Profile "auto": the one that fits. */
static inline cf_port *open_port(const char *library, const char *host, cf_open_question *question,
                                 const cf_filter *filters, size_t count, uint64_t ring_capacity, cf_status *status)
{
    const uint32_t slot_size = question->fd ? sizeof(cf_fd_frame) : sizeof(cf_frame);
    cf_load_answer answer;
    cf_port *port = NULL;
    char why[CF_WHY_BYTES];
    long code;
    *status = host != NULL ? cf_host_port_new(host, ring_capacity, slot_size, &port, &code)
                           : cf_thread_port_new(ring_capacity, slot_size, &port);
    if (*status != CF_OK)
        return NULL;
    *status = cf_port_load(port, library, CF_CONVENTION_AUTO, &answer, &code);
    if (strcmp(question->profile, "auto") == 0) {
        const char *slash = strrchr(library, '/');
        strcpy(question->profile, cf_profile_choose(slash ? slash + 1 : library, answer.functions)->name);
    }
    if (*status == CF_OK)
        *status = cf_port_open(port, question, filters, count, why, &code);
    if (*status == CF_OK)
        return port;
    end_port(port);
    return NULL;
}

#endif
