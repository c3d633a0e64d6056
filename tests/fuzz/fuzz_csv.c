/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_csv.c */
#define CF_FUZZ_FORMAT cf_log_format_csv
#include "text_format.h"
