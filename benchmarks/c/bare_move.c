/* What memory alone costs: so many bytes read and so many written to new memory, and nothing computed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) int bare_move(const uint8_t *source, size_t read, size_t written, uint64_t *sum)
{
    const size_t both = read < written ? read : written;
    uint8_t *target = (uint8_t *)malloc(written + 1);
    uint64_t total = 0;
    size_t i;
    if (target == NULL)
        return 1;
    memcpy(target, source, both);
    for (i = both; i + 8 <= read; i += 8) {
        uint64_t word;
        memcpy(&word, source + i, 8);
        total ^= word;
    }
    if (written > both)
        memset(target + both, 1, written - both);
    *sum = total ^ target[written / 2];
    free(target);
    return 0;
}
