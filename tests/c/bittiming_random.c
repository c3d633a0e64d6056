/* Random limits and requests, to the ends of their ranges, through every function of the bit timing headers.
 * Checks that the pruned search, the whole search and the ranking agree; the sanitizers check the rest. */
#include <canal_fast/bittiming/solve_fd.h>
#include <canal_fast/bittiming/solve_linux.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;
static cf_timing all[5000];

static uint32_t chance(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % below);
}

int main(int argc, char **argv)
{
    const long rounds = argc > 1 ? atol(argv[1]) : 1000;
    long i, solved = 0;
    for (i = 0; i < rounds; i++) {
        const int huge = !chance(256);
        const uint32_t spread = huge ? 4088 : 30;
        cf_timing_limits l;
        cf_timing_request r;
        cf_timing best, other;
        uint32_t slower, faster;
        l.tseg1_min = 1 + chance(8);
        l.tseg1_max = l.tseg1_min + chance(spread);
        l.tseg2_min = 1 + chance(8);
        l.tseg2_max = l.tseg2_min + chance(spread);
        l.sjw_max = 1 + chance(16);
        l.brp_min = 1 + chance(4);
        l.brp_max = l.brp_min + chance(huge ? 65532 : 1024);
        l.brp_inc = 1 + chance(4);
        l.brp_fine_max = chance(2) ? 0 : l.brp_min + chance(l.brp_max - l.brp_min + 1);
        l.brp_coarse_inc = l.brp_fine_max ? 1 + chance(12) : 0;
        r.f_clock = chance(4) ? 1 + chance(100000000) : 0xFFFFFFFFu - chance(10);
        r.rate_of = 1 + chance(1000);
        r.rate = chance(16) ? (uint64_t)(100 + chance(1000000)) * r.rate_of + chance(r.rate_of)
                            : (uint64_t)r.f_clock * r.rate_of;
        r.sample_of = 2 + chance(999999);
        r.sample = 1 + chance(r.sample_of - 1);
        r.max_error_ppm = chance(2) ? 0 : chance(huge ? 100 : 100001);
        r.data_phase = chance(2);
        r.delay_ps = huge || chance(2) ? 0 : chance(chance(2) ? 3000000 : 0x100000000u);
        r.tolerance_ppb = huge || chance(2) ? 0 : chance(chance(2) ? 10000000 : 100000001);
        r.sjw = huge || chance(2) ? 0 : chance(6);
        if (cf_timing_check(&l, &r) != CF_OK)
            continue;
        cf_timing_best(&l, &r, &best);
        cf_timing_nearest(&l, &r, &slower, &faster);
        cf_timing_linux(&l, r.f_clock, (uint32_t)(r.rate / r.rate_of), chance(1000), 0, chance(4), &other);
        solved += best.status == CF_OK;
        if (!huge) {
            const size_t count = cf_timing_all(&l, &r, all, 5000, &other);
            const size_t kept = count < 5000 ? count : 5000, few = count < 40 ? count : 40;
            cf_timing_pair pairs[8];
            cf_timing_rank(&r, all, kept);
            if (other.status != best.status || (count > 0) != (best.status == CF_OK) ||
                (count && memcmp(&other, &best, sizeof best)) ||
                (count && kept == count && memcmp(&all[0], &best, sizeof best))) {
                printf("round %ld: the searches disagree\n", i);
                return 1;
            }
            cf_timing_pairs(&r, all, few, &r, all, few, pairs, 8, 0);
        }
    }
    printf("%ld solved\n", solved);
    return solved > rounds / 20 ? 0 : 1;
}
