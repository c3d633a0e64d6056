/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_gvret.c */
#define CF_FUZZ_FORMAT cf_log_format_csv_gvret
#include "text_format.h"
