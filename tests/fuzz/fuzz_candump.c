/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_candump.c
 *
 * Every line of the input that parses must format to a line that parses to the same record. */
#include <canal_fast/logs/candump.h>
#include <stdlib.h>

static cf_log_reader reader;

static void again(const cf_fd_frame *frame)
{
    char line[CF_CANDUMP_LINE_MAX];
    const char *name;
    size_t length, column, size = cf_candump_format(frame, sizeof *frame, "can0", line);
    cf_fd_frame copy;
    if (size > sizeof line || cf_candump_parse(line, size, &copy, &name, &length, &column) != CF_OK)
        abort();
    copy.channel = frame->channel;
    if (memcmp(&copy, frame, sizeof copy) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = (uint8_t *)malloc(size ? size : 1); /* its own block, so that the sanitizer sees its end */
    size_t at = 0, consumed, made, i;
    cf_fd_frame frames[4];
    memcpy(text, data, size);
    memset(&reader, 0, sizeof reader);
    while (at < size) {
        const cf_status status = cf_candump_read(&reader, text + at, size - at, 1, frames, 4, sizeof frames[0],
                                                 &consumed, &made);
        if (consumed > size - at || made > 4)
            abort();
        for (i = 0; i < made; i++)
            again(&frames[i]);
        at += consumed;
        if (status != CF_OK) { /* step over the line, as a reader that forgives would */
            const uint8_t *end = (const uint8_t *)memchr(text + at, '\n', size - at);
            if (reader.column > size - at)
                abort();
            if (end == NULL)
                break;
            at = (size_t)(end - text) + 1;
        }
    }
    free(text);
    return 0;
}
