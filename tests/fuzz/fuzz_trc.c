/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_trc.c */
#define CF_FUZZ_FORMAT cf_log_format_trc
#include "text_format.h"
