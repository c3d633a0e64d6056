/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_asc.c */
#define CF_FUZZ_FORMAT cf_log_format_asc
#include "text_format.h"
