/* socketcan_config.h - the SocketCAN driver's configuration string.
 *
 *     INTERFACE[;key=value]...          can0;own=1;rcvbuf=1000000;filter=100:7FF,80001234:9FFFFFFF
 *
 *     own       1: what this handle sent comes back, marked as sent, once it is on the bus
 *     loopback  0: other programs on this host do not see what this handle sends
 *     errors    0: no error frames
 *     rcvbuf    bytes that the kernel may keep for this handle; without privileges net.core.rmem_max limits it
 *     stamps    kernel, or hardware: the adapter's own clock, refused where it offers none
 *     filter    frames that the kernel is to let through: ID:MASK in hexadecimal, as linux/can.h has them (bit 31 for
 *               extended identifiers); a frame passes when one of them matches
 */
#ifndef SOCKETCAN_CONFIG_H
#define SOCKETCAN_CONFIG_H

#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>

#include "../config_text.h"

enum { SC_MAX_FILTERS = 16 };

typedef struct sc_config {
    char name[IFNAMSIZ];
    uint64_t own, loopback, errors, rcvbuf, hardware;
    unsigned filter_count;
    struct can_filter filters[SC_MAX_FILTERS];
} sc_config;

typedef struct sc_key {
    const char *name;
    size_t offset;
    uint64_t high;
} sc_key;

#define SC_DEFAULT_RCVBUF (8 << 20)

/* "ID:MASK,ID:MASK" */
static int sc_filters(char *text, sc_config *config, ct_error *error)
{
    char *at = text;
    while (*at != 0) {
        struct can_filter *row = &config->filters[config->filter_count];
        unsigned id, mask;
        int used = 0;
        if (config->filter_count == SC_MAX_FILTERS)
            return ct_fail(error, "filter has more than %d entries", SC_MAX_FILTERS);
        if (sscanf(at, "%8x:%8x%n", &id, &mask, &used) != 2 || (at[used] != 0 && at[used] != ','))
            return ct_fail(error, "filter=%s is not ID:MASK[,ID:MASK]... in hexadecimal", text);
        row->can_id = id;
        row->can_mask = mask;
        config->filter_count++;
        at += used + (at[used] == ',');
    }
    return 1;
}

static int sc_set(char *field, sc_config *config, ct_error *error)
{
    static const sc_key keys[] = {{"own", offsetof(sc_config, own), 1},
                                  {"loopback", offsetof(sc_config, loopback), 1},
                                  {"errors", offsetof(sc_config, errors), 1},
                                  {"rcvbuf", offsetof(sc_config, rcvbuf), 0x3FFFFFFF}};
    char *value = strchr(field, '=');
    const char *at;
    uint64_t number;
    size_t i;
    if (value == NULL)
        return ct_fail(error, "%s is not key=value", field);
    *value++ = 0;
    field = ct_trim(field);
    value = ct_trim(value);
    if (strcmp(field, "filter") == 0)
        return sc_filters(value, config, error);
    if (strcmp(field, "stamps") == 0) {
        config->hardware = strcmp(value, "hardware") == 0;
        return config->hardware || strcmp(value, "kernel") == 0 ||
               ct_fail(error, "stamps=%s, allowed kernel, hardware", value);
    }
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(field, keys[i].name) == 0) {
            at = value;
            if (!ct_number(&at, &number) || *at != 0 || number > keys[i].high)
                return ct_fail(error, "%s=%s, allowed 0..%llu", field, value, (unsigned long long)keys[i].high);
            memcpy((char *)config + keys[i].offset, &number, sizeof number);
            return 1;
        }
    return ct_fail(error, "unknown key %s; known are own, loopback, errors, rcvbuf, stamps, filter", field);
}

static int sc_parse(const char *text, sc_config *config, ct_error *error)
{
    char copy[CT_CONFIG_SIZE];
    char *rest = copy, *field;
    memset(config, 0, sizeof *config);
    config->loopback = config->errors = 1;
    config->rcvbuf = SC_DEFAULT_RCVBUF;
    if (!ct_copy(text, copy, error))
        return 0;
    field = ct_field(&rest);
    if (*field == 0 || strlen(field) >= sizeof config->name)
        return ct_fail(error, "the first field, '%s', is not an interface name of 1 to %d bytes", field, IFNAMSIZ - 1);
    strcpy(config->name, field);
    while ((field = ct_field(&rest)) != NULL)
        if (*field != 0 && !sc_set(field, config, error))
            return 0;
    return 1;
}

#endif
