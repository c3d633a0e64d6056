/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_pcap.c */
#define CF_FUZZ_FORMAT cf_log_format_pcap
#include "binary_format.h"
