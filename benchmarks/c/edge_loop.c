/* The barest loops over a waveform: runs between edges to loose bits with a double, and idle samples byte by byte. */
#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) size_t edges_to_bits(const int64_t *edges, size_t count, double bit,
                                                            uint8_t *bits)
{
    const double inverse = 1 / bit;
    size_t at = 0, i;
    unsigned level = 0;
    for (i = 1; i < count; i++, level ^= 1) {
        int64_t n = (int64_t)((double)(edges[i] - edges[i - 1]) * inverse + 0.5);
        for (n = n < 16 ? n : 16; n > 0; n--)
            bits[at++] = (uint8_t)level;
    }
    return at;
}

__attribute__((visibility("default"))) size_t idle_bytes(const uint8_t *samples, size_t count)
{
    size_t i = 0;
    while (i < count && samples[i] == 0xFF)
        i++;
    return i;
}
