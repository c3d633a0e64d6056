/* replay.c - a fuzz entry without libFuzzer, on fixed inputs: for machines and emulators that have none.
 *
 *     cc -DCF_FUZZ_REPLAY -Iinclude tests/fuzz/fuzz_NAME.c tests/fuzz/replay.c
 *     replay RANDOM MUTATED FILE...     pseudo-random inputs; each file's beginning, and MUTATED variants of it
 *
 * Prints the number of inputs and a digest of what the entry computed, which is the same on every machine.
 */
#include "seen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 6000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1, digest, inputs;

void seen(const void *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    for (; size; size--, at++)
        digest = (digest ^ *at) * 0x100000001B3u;
}

static unsigned below(unsigned limit) /* splitmix64 */
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (unsigned)((z ^ z >> 31) >> 33) % limit;
}

/* In memory of its own size and, every other time, at an odd address. */
static void give(const uint8_t *data, size_t size)
{
    const size_t odd = inputs++ & 1;
    uint8_t *copy = (uint8_t *)malloc(size + odd + !size);
    if (copy == NULL)
        abort();
    memcpy(copy + odd, data, size);
    LLVMFuzzerTestOneInput(copy + odd, size);
    free(copy);
}

/* Any bytes, bytes with all bits alike, or small numbers. */
static void give_random(void)
{
    uint8_t data[512];
    const size_t size = below(sizeof data + 1);
    const unsigned kind = below(4);
    size_t i;
    for (i = 0; i < size; i++) {
        const unsigned byte = below(256);
        data[i] = (uint8_t)(kind < 2 ? byte : kind == 2 ? (byte & 1 ? 0 : 255) : byte & 7);
    }
    give(data, size);
}

static int give_file(const char *path, int mutated)
{
    uint8_t whole[MOST], data[MOST];
    FILE *file = fopen(path, "rb");
    size_t size;
    if (file == NULL)
        return 0;
    size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    give(whole, size);
    for (; mutated && size; mutated--) {
        const size_t end = below(4) ? size : 1 + below((unsigned)size);
        unsigned changes = 1 + below(8);
        memcpy(data, whole, end);
        for (; changes; changes--)
            data[below((unsigned)end)] = (uint8_t)(below(2) ? below(256) : whole[below((unsigned)size)]);
        give(data, end);
    }
    return 1;
}

int main(int argc, char **argv)
{
    int i;
    if (argc < 3)
        return 2;
    for (i = atoi(argv[1]); i; i--)
        give_random();
    for (i = 3; i < argc; i++)
        if (!give_file(argv[i], atoi(argv[2])))
            return 1;
    printf("%llu %016llx\n", (unsigned long long)inputs, (unsigned long long)digest);
    return 0;
}
