/* Two stateless Q-learners in a first-price auction as one plain scalar loop (Banchio and Skrzypacz 2022).
 *
 * What one round does: a scan of each bidder's values for the best bid (which is also the value of what comes next), a
 * coin for exploring and one for a tie, one cell of each table written. Double precision.
 */
#include <math.h>
#include <stdint.h>

#include "generator.h"

enum { BIDS = 19 };

/* tables [runs][2][BIDS], revenue [runs]; rounds start .. start + rounds */
void sealed_bid(double *tables, double *revenue, int runs, int64_t start, int64_t rounds, double alpha, double gamma,
                double epsilon, double decay, uint64_t seed) {
    for (int run = 0; run < runs; run++) {
        Generator g = seeded(seed + (uint64_t)run);
        double *q0 = tables + (int64_t)run * 2 * BIDS, *q1 = q0 + BIDS, taken = 0;
        double chance = epsilon * exp(-decay * (double)start), fall = exp(-decay);
        for (int64_t t = 0; t < rounds; t++) {
            uint64_t x = next(&g), y = next(&g);
            double unit = 1.0 / 4294967296.0;
            int b0 = 0, b1 = 0;
            double m0 = q0[0], m1 = q1[0];
            for (int a = 1; a < BIDS; a++) {
                if (q0[a] > m0) { m0 = q0[a]; b0 = a; }
                if (q1[a] > m1) { m1 = q1[a]; b1 = a; }
            }
            if ((double)(x & 0xffffffff) * unit < chance) b0 = (int)((y & 0xffff) * BIDS >> 16);
            if ((double)(x >> 32) * unit < chance) b1 = (int)((y >> 16 & 0xffff) * BIDS >> 16);
            int first = b0 > b1 || (b0 == b1 && (y >> 63));
            double price = 0.05 * ((first ? b0 : b1) + 1);
            q0[b0] += alpha * ((first ? 1 - price : 0) + gamma * m0 - q0[b0]);
            q1[b1] += alpha * ((first ? 0 : 1 - price) + gamma * m1 - q1[b1]);
            taken += price;
            chance *= fall;
        }
        revenue[run] += taken;
    }
}
