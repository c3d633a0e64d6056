/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_signals.c
 *
 * Plans made from bytes: those that cf_plan_check lets through decode and encode any frames without reading or writing
 * outside a payload or a column. */
#include "seen.h"

#include <canal_fast/signals.h>
#include <stdlib.h>

enum { MESSAGES = 3, SIGNALS = 6, SELECTORS = 4, RANGES = 4, FRAMES = 5 };

typedef struct input {
    const uint8_t *at;
    size_t left;
} input;

static unsigned take(input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static void fill(input *in, void *out, size_t size)
{
    uint8_t *to = (uint8_t *)out;
    while (size--)
        *to++ = (uint8_t)take(in);
}

/* A block of its own for each array, so that the sanitizer sees its end. */
static void *own(size_t size)
{
    void *got = calloc(size ? size : 1, 1);
    if (got == NULL)
        abort();
    return got;
}

static void make_signal(input *in, cf_signal *s, uint32_t message)
{
    fill(in, &s->scale, 16);
    s->scale_integer = (int64_t)(int8_t)take(in);
    s->offset_integer = (int64_t)(int8_t)take(in);
    s->null_from = take(in);
    s->message = message;
    s->selector = (int32_t)take(in) % (SELECTORS + 2) - 1;
    s->first_byte = (uint8_t)take(in);
    s->shift = (uint8_t)take(in) % 72;
    s->length = (uint8_t)take(in) % 70;
    s->bytes = (uint8_t)take(in);
    s->kind = (uint8_t)take(in);
    s->rule = (uint8_t)take(in) % 6;
    s->width = (uint8_t)(1 << take(in) % 4);
}

static void decode(const cf_plan *plan, input *in)
{
    const size_t stride = take(in) & 1 ? sizeof(cf_frame) : sizeof(cf_fd_frame), count = take(in) % (FRAMES + 1);
    const size_t groups = plan->message_count + CF_GROUP_OTHERS;
    char *frames = (char *)own(count * stride);
    uint16_t *which = (uint16_t *)own(count * sizeof *which);
    int64_t *counts = (int64_t *)own(groups * sizeof *counts), bytes, scratch_bytes;
    uint8_t *shortest = (uint8_t *)own(groups), *scratch;
    cf_message_place *messages = (cf_message_place *)own(plan->message_count * sizeof *messages);
    cf_signal_place *signals = (cf_signal_place *)own(plan->signal_count * sizeof *signals);
    cf_message_rows *rows = (cf_message_rows *)own(plan->message_count * sizeof *rows);
    char *memory;
    size_t i;
    fill(in, frames, count * stride);
    for (i = 0; i < count && plan->message_count; i++) { /* most frames are of a message of the plan */
        cf_frame_head *head = (cf_frame_head *)(void *)(frames + i * stride);
        const uint32_t key = plan->messages[i % plan->message_count].identifier;
        if (take(in) & 3)
            head->arbitration_id = key & CF_MAX_EXTENDED_ID;
        if (take(in) & 3)
            head->flags = (uint16_t)(key & CF_KEY_EXTENDED ? CF_FLAG_EXTENDED_ID : 0) |
                          (uint16_t)(take(in) & CF_FLAG_FD);
    }
    cf_signals_group(plan, frames, count, stride, which, counts, shortest);
    cf_signals_layout(plan, counts, shortest, messages, signals, &bytes, &scratch_bytes);
    memory = (char *)own((size_t)bytes);
    scratch = (uint8_t *)own((size_t)scratch_bytes);
    cf_signals_decode(plan, frames, count, stride, which, messages, signals, rows, memory, scratch);
    seen(memory, (size_t)bytes);
    free(frames), free(which), free(counts), free(shortest), free(messages), free(signals), free(rows);
    free(memory), free(scratch);
}

static void encode(const cf_plan *plan, input *in)
{
    size_t m, i, row, signal;
    unsigned padding;
    int saturate;
    for (m = 0; m < plan->message_count; m++) {
        const cf_plan_message *message = &plan->messages[m];
        cf_encode_column *columns = (cf_encode_column *)own(message->signals * sizeof *columns);
        uint8_t *payloads = (uint8_t *)own((size_t)FRAMES * message->row_bytes);
        uint64_t values[FRAMES];
        uint8_t given[FRAMES];
        fill(in, values, sizeof values);
        fill(in, given, sizeof given);
        for (i = 0; i < message->signals; i++) {
            columns[i].values = take(in) & 7 ? values : NULL;
            columns[i].given = take(in) & 1 ? given : NULL;
            columns[i].type = (int32_t)(take(in) % 3);
            columns[i].raw = (int32_t)(take(in) & 1);
            columns[i].fallback = take(in);
        }
        saturate = (int)(take(in) & 1); /* one at a time: arguments are evaluated in any order */
        padding = take(in) & 1 ? 0xFF : 0;
        (void)cf_signals_encode(plan, m, columns, FRAMES, saturate, padding, payloads, &row, &signal);
        seen(payloads, (size_t)FRAMES * message->row_bytes);
        free(columns), free(payloads);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    cf_plan plan = {0};
    cf_plan_message *messages;
    cf_signal *signals;
    cf_selector *selectors;
    cf_selector_range *ranges;
    uint16_t *slots;
    size_t index, i, k, next = 0;
    plan.message_count = take(&in) % (MESSAGES + 1);
    plan.signal_count = take(&in) % (SIGNALS + 1);
    plan.selector_count = take(&in) % (SELECTORS + 1);
    plan.range_count = take(&in) % (RANGES + 1);
    plan.messages = messages = (cf_plan_message *)own(plan.message_count * sizeof *messages);
    plan.signals = signals = (cf_signal *)own(plan.signal_count * sizeof *signals);
    plan.selectors = selectors = (cf_selector *)own(plan.selector_count * sizeof *selectors);
    plan.ranges = ranges = (cf_selector_range *)own(plan.range_count * sizeof *ranges);
    for (i = 0; i < plan.message_count; i++) {
        const size_t rest = plan.signal_count - next;
        fill(&in, &messages[i].key, 8);
        messages[i].row_bytes = take(&in) & 1 ? 8 : 64;
        messages[i].first_signal = (uint32_t)next;
        messages[i].signals = (uint32_t)(i + 1 == plan.message_count ? rest : take(&in) % (rest + 1));
        for (k = 0; k < messages[i].signals; k++)
            make_signal(&in, &signals[next++], (uint32_t)(i + (take(&in) == 255)));
    }
    for (i = 0; i < plan.selector_count; i++) {
        selectors[i].multiplexer = take(&in) % (SIGNALS + 1);
        selectors[i].parent = (int32_t)(take(&in) % (SELECTORS + 1)) - 1;
        selectors[i].first_range = take(&in) % (RANGES + 2);
        selectors[i].ranges = take(&in) % (RANGES + 2);
    }
    for (i = 0; i < plan.range_count; i++) {
        ranges[i].low = take(&in);
        ranges[i].high = take(&in);
    }
    if (cf_plan_check(&plan, &index) == CF_OK) {
        plan.slot_count = cf_plan_slots(plan.message_count);
        plan.slots = slots = (uint16_t *)own(plan.slot_count * sizeof *slots);
        cf_plan_index(messages, plan.message_count, slots, plan.slot_count);
        decode(&plan, &in);
        encode(&plan, &in);
        free(slots);
    }
    free(messages), free(signals), free(selectors), free(ranges);
    return 0;
}
