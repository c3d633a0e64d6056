/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_candump.c
 *
 * Every line of the input that parses must format to a line that parses to the same record. */
#include <canal_fast/logs/candump.h>
#include <stdlib.h>

static void again(const cf_fd_frame *frame)
{
    char line[CF_CANDUMP_LINE_MAX];
    const char *name;
    size_t length, column, size = cf_candump_format(frame, sizeof *frame, "can0", 1, line);
    cf_fd_frame copy;
    if (size > sizeof line || cf_candump_parse(line, size, &copy, &name, &length, &column) != CF_OK)
        abort();
    copy.channel = frame->channel;
    copy.flags |= frame->flags & CF_FLAG_GAP; /* text has no place for it */
    if (memcmp(&copy, frame, sizeof copy) != 0)
        abort();
}

#define CF_FUZZ_FORMAT cf_log_format_candump
#define CF_FUZZ_FRAME again
#include "text_format.h"
