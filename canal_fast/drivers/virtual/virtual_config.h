/* virtual_config.h - the virtual driver's configuration string, one row per key.
 *
 *     NAME[;BITRATE][;key=value]...          bus0;1000000;load=0.8;seed=1
 *
 * Blanks around fields, keys and values do not matter; empty fields are skipped. Numbers are
 * decimal or 0x.. hexadecimal, shares, rates and factors decimal with a point, lists `1,4-7,0x10`.
 *
 * Of the bus; who joins one that is open gives the same values or leaves them out:
 *     bitrate   bit/s (or the second field)      load      share of the bus that the generator takes
 *     rate      generated frames/s (not load)    frames    the generator ends after so many
 *     seed      of the generator                 status    a status message after every so many
 *     ids       base identifiers                 extids    extended identifiers
 *     dlc       codes                            ext       share of extended frames
 *     remote    share of remote frames           t0        time stamp of the bus's first moment, us
 *     clock     wall, or step: CanalVirtualStep  replay    path of a recording, instead of generating
 *     fd        share of CAN FD frames           brs       share of those that switch the bit rate
 *     data_bitrate   bit/s of their data phase; the nominal one without it
 *     speed     of the replay: 1 the log's own, 0 as fast as it is drained, losing nothing
 *     faults    path of a file of faults, one a line (simulation/fault_text.h)
 *     ack       1: a frame of who is alone counts as acknowledged, 0: it does not
 * Of the handle:
 *     errors    1: ERROR_FRAME records of the simulation come to it; by CanalReceiveBatch, as those that others send
 *     recovery  from bus off: automatic, or request (CanalVirtualSetErrors)
 *     fifo      messages its receive queue holds; the newest are lost, and counted as overruns
 *     txqueue   frames its transmit queue holds
 *
 * One of faults, ack, errors and recovery makes the bus one that is simulated bit by bit: each handle is then a node
 * with error counters of its own. Such a bus has one bit rate, and nothing is replayed on it.
 */
#ifndef VIRTUAL_CONFIG_H
#define VIRTUAL_CONFIG_H

#include "../config_text.h"

enum { VC_NAME_SIZE = 32, VC_MAX_RANGES = 16, VC_MAX_TICKS = 1000000000 };

typedef struct vc_ranges { /* inclusive */
    uint32_t count;
    uint32_t low[VC_MAX_RANGES], high[VC_MAX_RANGES];
    uint64_t total; /* values in all of them */
} vc_ranges;

typedef struct vc_config {
    char name[VC_NAME_SIZE];
    char replay[CT_CONFIG_SIZE], faults[CT_CONFIG_SIZE];
    uint64_t bitrate, seed, frames, t0, status, step, fifo, txqueue;
    uint64_t load, ext, remote, fd, brs; /* shares, in millionths */
    uint64_t rate, speed;                /* frames/s and factor, in thousandths */
    uint64_t data_bitrate;
    uint64_t errors, on_request, ack;
    int bitwise; /* simulated bit by bit */
    uint64_t ticks;               /* per second: whole ones make both bits */
    uint32_t bit_ticks, data_ticks; /* that make one */
    vc_ranges ids, extids, dlc;
    uint32_t given; /* bit i: row i of the table was in the string */
} vc_config;

typedef enum vc_kind { VC_NUMBER, VC_DECIMAL, VC_RANGES, VC_CLOCK, VC_RECOVERY, VC_PATH } vc_kind;

typedef struct vc_key {
    const char *name;
    vc_kind kind;
    size_t offset;
    uint64_t low, high; /* in the stored unit */
    uint64_t unit;      /* VC_DECIMAL: stored units in 1 */
    const char *preset;
    int per_handle; /* may differ between the handles of a bus */
} vc_key;

enum { VC_BITRATE, VC_LOAD, VC_RATE, VC_FRAMES, VC_STATUS, VC_REPLAY };

#define VC_AT(member) offsetof(vc_config, member)
/* clang-format off */
static const vc_key vc_keys[] = {
    {"bitrate", VC_NUMBER, VC_AT(bitrate), 1000, 1000000, 1, "500000", 0},
    {"load", VC_DECIMAL, VC_AT(load), 0, 1000000, 1000000, "0", 0},
    {"rate", VC_DECIMAL, VC_AT(rate), 1, 1000000000, 1000, "0", 0},
    {"frames", VC_NUMBER, VC_AT(frames), 1, UINT64_MAX, 1, "0", 0},
    {"status", VC_NUMBER, VC_AT(status), 1, UINT32_MAX, 1, "0", 0},
    {"replay", VC_PATH, VC_AT(replay), 0, 0, 1, "", 0},
    {"speed", VC_DECIMAL, VC_AT(speed), 0, 1000000000, 1000, "1", 0},
    {"seed", VC_NUMBER, VC_AT(seed), 0, UINT64_MAX, 1, "0", 0},
    {"ids", VC_RANGES, VC_AT(ids), 0, 0x7FF, 1, "0-0x7ff", 0},
    {"extids", VC_RANGES, VC_AT(extids), 0, 0x1FFFFFFF, 1, "0-0x1fffffff", 0},
    {"dlc", VC_RANGES, VC_AT(dlc), 0, 15, 1, "8", 0},
    {"ext", VC_DECIMAL, VC_AT(ext), 0, 1000000, 1000000, "0", 0},
    {"remote", VC_DECIMAL, VC_AT(remote), 0, 1000000, 1000000, "0", 0},
    {"fd", VC_DECIMAL, VC_AT(fd), 0, 1000000, 1000000, "0", 0},
    {"brs", VC_DECIMAL, VC_AT(brs), 0, 1000000, 1000000, "0", 0},
    {"data_bitrate", VC_NUMBER, VC_AT(data_bitrate), 1000, 20000000, 1, "0", 0},
    {"t0", VC_NUMBER, VC_AT(t0), 0, UINT32_MAX, 1, "0", 0},
    {"clock", VC_CLOCK, VC_AT(step), 0, 1, 1, "wall", 0},
    {"fifo", VC_NUMBER, VC_AT(fifo), 1, 1 << 20, 1, "1024", 1},
    {"txqueue", VC_NUMBER, VC_AT(txqueue), 1, 1 << 16, 1, "1024", 1},
    {"faults", VC_PATH, VC_AT(faults), 0, 0, 1, "", 0},
    {"ack", VC_NUMBER, VC_AT(ack), 0, 1, 1, "1", 0},
    {"errors", VC_NUMBER, VC_AT(errors), 0, 1, 1, "0", 1},
    {"recovery", VC_RECOVERY, VC_AT(on_request), 0, 1, 1, "automatic", 1},
};
/* clang-format on */
#undef VC_AT
enum { VC_KEY_COUNT = sizeof vc_keys / sizeof vc_keys[0] };

/* "0.25" times `unit` (a power of ten), exactly; more decimals than the unit has are refused. */
static int vc_decimal(const char **at, uint64_t unit, uint64_t *value)
{
    uint64_t sum;
    const char *p = *at;
    if (*p < '0' || *p > '9' || !ct_number(&p, &sum) || sum > UINT32_MAX)
        return 0;
    sum *= unit;
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9'; p++) {
            unit /= 10;
            if (unit == 0 && *p != '0')
                return 0;
            sum += unit * (uint64_t)(*p - '0');
        }
    }
    *at = p;
    *value = sum;
    return 1;
}

static int vc_range_list(const char **at, const vc_key *key, vc_ranges *out)
{
    const char *p = *at;
    memset(out, 0, sizeof *out);
    for (;;) {
        uint64_t low, high;
        if (out->count == VC_MAX_RANGES || !ct_number(&p, &low))
            return 0;
        high = low;
        if (*p == '-' && (p++, !ct_number(&p, &high)))
            return 0;
        if (low > high || high > key->high)
            return 0;
        out->low[out->count] = (uint32_t)low;
        out->high[out->count++] = (uint32_t)high;
        out->total += high - low + 1;
        if (*p != ',')
            break;
        p++;
    }
    *at = p;
    return 1;
}

/* 0 for the first word, 1 for the second. */
static int vc_either(const vc_key *key, const char *text, const char *first, const char *second, uint64_t *place,
                     ct_error *error)
{
    *place = strcmp(text, second) == 0;
    return *place || strcmp(text, first) == 0
               ? 1
               : ct_fail(error, "%s=%s is neither %s nor %s", key->name, text, first, second);
}

/* One value, blanks already cut off, into its place. `key` says what is allowed. */
static int vc_value(const vc_key *key, const char *text, vc_config *config, ct_error *error)
{
    void *place = (char *)config + key->offset;
    const char *at = text;
    uint64_t value = 0;
    int ok = 1;
    switch (key->kind) {
    case VC_PATH:
        memcpy(place, text, strlen(text) + 1);
        return *text != 0 ? 1 : ct_fail(error, "%s= needs the path of a file", key->name);
    case VC_CLOCK:
        return vc_either(key, text, "wall", "step", (uint64_t *)place, error);
    case VC_RECOVERY:
        return vc_either(key, text, "automatic", "request", (uint64_t *)place, error);
    case VC_RANGES:
        if (!vc_range_list(&at, key, (vc_ranges *)place) || *at != 0)
            return ct_fail(error, "%s=%s is not a list of at most %d values or ranges within 0..0x%llx, such as 1,4-7",
                           key->name, text, VC_MAX_RANGES, (unsigned long long)key->high);
        return 1;
    case VC_NUMBER:
        ok = ct_number(&at, &value);
        break;
    case VC_DECIMAL:
        ok = vc_decimal(&at, key->unit, &value);
        break;
    }
    if (!ok || *at != 0)
        return ct_fail(error, "%s=%s is not a %s", key->name, text,
                       key->kind == VC_NUMBER ? "whole number below 2^64"
                       : key->unit == 1000    ? "number with at most 3 decimals"
                                              : "number with at most 6 decimals");
    if (value < key->low || value > key->high) {
        const double unit = (double)key->unit;
        return ct_fail(error, "%s=%s is outside %.12g..%.20g", key->name, text, (double)key->low / unit,
                       (double)key->high / unit);
    }
    *(uint64_t *)place = value;
    return 1;
}

static int vc_set(size_t row, const char *text, vc_config *config, ct_error *error)
{
    if (config->given >> row & 1)
        return ct_fail(error, "%s is given twice", vc_keys[row].name);
    config->given |= 1u << row;
    return vc_value(&vc_keys[row], text, config, error);
}

static int vc_field(char *field, int position, vc_config *config, ct_error *error)
{
    char *equals = strchr(field, '=');
    const char *key;
    size_t row;
    if (equals == NULL) {
        if (position == 1)
            return vc_set(VC_BITRATE, field, config, error);
        return ct_fail(error, "\"%s\" is not of the form key=value", field);
    }
    *equals = 0;
    key = ct_trim(field);
    for (row = 0; row < VC_KEY_COUNT; row++)
        if (strcmp(key, vc_keys[row].name) == 0)
            return vc_set(row, ct_trim(equals + 1), config, error);
    return ct_fail(error, "unknown key \"%s\"", key);
}

static int vc_name(const char *name, vc_config *config, ct_error *error)
{
    size_t length = strlen(name), i;
    if (length == 0 || length >= VC_NAME_SIZE)
        return ct_fail(error, "the bus name \"%.40s\" must have 1 to %d characters", name, VC_NAME_SIZE - 1);
    for (i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '=')
            return ct_fail(error, "the bus name \"%s\" may not hold blanks, '=' or non-ASCII characters", name);
    memcpy(config->name, name, length + 1);
    return 1;
}

/* Keys that exclude or need one another. */
static int vc_consistent(const vc_config *config, ct_error *error)
{
    const int loaded = config->load != 0, rated = config->rate != 0, replayed = config->replay[0] != 0;
    if (loaded + rated + replayed > 1)
        return ct_fail(error, "load=, rate= and replay= exclude one another");
    return 1;
}

/* The ticks in which the bus's time is counted: nominal bits, or what both bits are whole multiples of. */
static int vc_count_ticks(vc_config *config, ct_error *error)
{
    uint64_t a = config->bitrate, b = config->data_bitrate ? config->data_bitrate : config->bitrate;
    const uint64_t nominal = a, data = b;
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    config->ticks = nominal / a * data;
    config->bit_ticks = (uint32_t)(data / a);
    config->data_ticks = (uint32_t)(nominal / a);
    if (config->ticks > VC_MAX_TICKS)
        return ct_fail(error,
                       "bitrate=%llu and data_bitrate=%llu have bits with no common measure of 1 ns or more; take a "
                       "data_bitrate that is a simple multiple",
                       (unsigned long long)nominal, (unsigned long long)data);
    return 1;
}

/* Which buses are simulated bit by bit, and what those cannot have. */
static int vc_choose_gear(vc_config *config, ct_error *error)
{
    config->bitwise = config->faults[0] != 0 || config->ack == 0 || config->errors != 0 || config->on_request != 0;
    if (config->bitwise && config->replay[0] != 0)
        return ct_fail(error, "replay= goes with none of faults=, ack=0, errors=1 and recovery=request");
    if (config->bitwise && config->data_bitrate != 0 && config->data_bitrate != config->bitrate)
        return ct_fail(error,
                       "data_bitrate=%llu: a bus simulated bit by bit (faults=, ack=0, errors=1 or "
                       "recovery=request) has one bit rate, here %llu",
                       (unsigned long long)config->data_bitrate, (unsigned long long)config->bitrate);
    return 1;
}

/* Fills *config from `text`, or returns 0 with the reason in words. */
static int vc_parse(const char *text, vc_config *config, ct_error *error)
{
    char copy[CT_CONFIG_SIZE];
    char *rest = copy, *field;
    size_t row;
    int position;
    memset(config, 0, sizeof *config);
    for (row = 0; row < VC_KEY_COUNT; row++)
        if (strcmp(vc_keys[row].preset, "0") != 0 && vc_keys[row].preset[0] != 0)
            vc_value(&vc_keys[row], vc_keys[row].preset, config, error);
    if (!ct_copy(text, copy, error))
        return 0;
    for (position = 0; (field = ct_field(&rest)) != NULL; position++)
        if (position == 0 ? !vc_name(field, config, error) : *field != 0 && !vc_field(field, position, config, error))
            return 0;
    return vc_consistent(config, error) && vc_count_ticks(config, error) && vc_choose_gear(config, error);
}

/* May a handle with `wanted` join the bus that `open` made? Only what `wanted` gives can differ. */
static int vc_joins(const vc_config *wanted, const vc_config *open, ct_error *error)
{
    size_t row;
    if (wanted->bitwise && !open->bitwise)
        return ct_fail(error,
                       "bus \"%s\" is open and not simulated bit by bit: its first handle says errors=1, "
                       "recovery=request, ack=0 or faults=",
                       open->name);
    for (row = 0; row < VC_KEY_COUNT; row++) {
        const vc_key *key = &vc_keys[row];
        const void *a = (const char *)wanted + key->offset, *b = (const char *)open + key->offset;
        int same;
        if (key->per_handle || !(wanted->given >> row & 1))
            continue;
        if (key->kind == VC_PATH)
            same = strcmp((const char *)a, (const char *)b) == 0;
        else
            same = memcmp(a, b, key->kind == VC_RANGES ? sizeof(vc_ranges) : sizeof(uint64_t)) == 0;
        if (!same)
            return ct_fail(error,
                           "bus \"%s\" is open with another %s; a handle that joins gives the same or leaves it out",
                           open->name, key->name);
    }
    return 1;
}

#endif
