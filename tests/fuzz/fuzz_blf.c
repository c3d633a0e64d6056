/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_blf.c */
#define CF_FUZZ_FORMAT cf_log_format_blf
#include "binary_format.h"
