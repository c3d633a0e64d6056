/* Drives clock.h from a test: arrays of ticks and reading times in, time stamps out. */
#include <canal_fast/live/clock.h>

typedef struct report {
    double drift_ppm, residual_ns;
    int64_t offset_ns, uncertainty_ns;
    uint32_t tick_num, tick_den, settled, calibrated;
    uint64_t frames, resets;
} report;

/* host_ns: when each frame's run began to be read; observed_ns: the end of the run for its last frame,
 * 0 for the others. Either of stamps and uncertainties gets a number for each frame. */
void clock_run(uint32_t num, uint32_t den, uint32_t wrap_bits, int device, int64_t epoch_ns, size_t count,
               const uint32_t *raw, const int64_t *host_ns, const int64_t *observed_ns, int64_t *stamps,
               int64_t *uncertainties, report *result)
{
    cf_clock clock;
    size_t i;
    cf_clock_init(&clock, num, den, wrap_bits, device, epoch_ns);
    clock.settled_ns = count > 0 ? host_ns[0] : 0;
    for (i = 0; i < count; i++) {
        stamps[i] = cf_clock_stamp(&clock, raw[i], host_ns[i]);
        if (observed_ns[i] != 0) {
            cf_clock_observe(&clock, observed_ns[i]);
            clock.settled_ns = host_ns[i];
        }
        uncertainties[i] = cf_clock_uncertainty(&clock);
    }
    result->drift_ppm = (1.0 / (1.0 + clock.fit.line.slope) - 1.0) * 1e6;
    result->residual_ns = clock.fit.residual_ns;
    result->offset_ns = clock.offset_ns;
    result->uncertainty_ns = cf_clock_uncertainty(&clock);
    result->tick_num = clock.tick_num;
    result->tick_den = clock.tick_den;
    result->settled = (uint32_t)clock.fit.settled;
    result->calibrated = (uint32_t)clock.calibrated;
    result->frames = clock.frames;
    result->resets = clock.resets;
}

int64_t clock_unwrap(uint32_t raw, int64_t predicted, uint32_t wrap_bits)
{
    return cf_unwrap(raw, predicted, wrap_bits);
}

int64_t clock_scale(int64_t a, uint32_t num, uint32_t den)
{
    return cf_scale(a, num, den);
}

void clock_hull_edge(const double *x, const double *y, size_t count, size_t *first, size_t *last)
{
    cf_hull_edge(x, y, count, first, last);
}
