/* Calvano et al.'s (2020) sessions as one plain scalar loop: two tabular Q-learners, 15 prices, memory one.
 *
 * What one decision of one firm does: a scan of the row of the state for the best action, a scan of the next row for its
 * value, one cell updated, and a scan of the first row again to see whether the best action changed (the stopping rule).
 * Random numbers: xoroshiro128+, 16 bits a coin and 16 an action, one 64-bit word for both firms.
 */
#include <math.h>
#include <stdint.h>

#include "generator.h"

enum { STATES = 225, ACTIONS = 15, WIDTH = 16 };

/* tables [sessions][2][STATES][WIDTH], states and stable [sessions], profit [STATES][2]; periods start .. start + periods */
void calvano(float *tables, int32_t *states, int32_t *stable, const float *profit, int sessions, int64_t start,
             int64_t periods, float alpha, float delta, double beta, uint64_t seed) {
    for (int session = 0; session < sessions; session++) {
        Generator g = seeded(seed + (uint64_t)session);
        float *q0 = tables + (int64_t)session * 2 * STATES * WIDTH, *q1 = q0 + STATES * WIDTH;
        int s = states[session], still = stable[session];
        double epsilon = exp(-beta * (double)start), decay = exp(-beta);
        for (int64_t t = 0; t < periods; t++) {
            uint64_t x = next(&g);
            uint32_t e = (uint32_t)(epsilon * 65535.0);
            const float *r0 = q0 + s * WIDTH, *r1 = q1 + s * WIDTH;
            int g0 = 0, g1 = 0;
            float m0 = r0[0], m1 = r1[0];
            for (int a = 1; a < ACTIONS; a++) {
                if (r0[a] > m0) { m0 = r0[a]; g0 = a; }
                if (r1[a] > m1) { m1 = r1[a]; g1 = a; }
            }
            int a0 = ((x & 0xffff) < e) ? (int)((((x >> 16) & 0xffff) * ACTIONS) >> 16) : g0;
            int a1 = (((x >> 32) & 0xffff) < e) ? (int)(((x >> 48) * ACTIONS) >> 16) : g1;
            int z = a0 * ACTIONS + a1;
            const float *n0 = q0 + z * WIDTH, *n1 = q1 + z * WIDTH;
            float v0 = n0[0], v1 = n1[0];
            for (int a = 1; a < ACTIONS; a++) {
                v0 = n0[a] > v0 ? n0[a] : v0;
                v1 = n1[a] > v1 ? n1[a] : v1;
            }
            float *p0 = q0 + s * WIDTH + a0, *p1 = q1 + s * WIDTH + a1;
            *p0 = (1 - alpha) * *p0 + alpha * (profit[z * 2] + delta * v0);
            *p1 = (1 - alpha) * *p1 + alpha * (profit[z * 2 + 1] + delta * v1);
            int h0 = 0, h1 = 0;
            float w0 = r0[0], w1 = r1[0];
            for (int a = 1; a < ACTIONS; a++) {
                if (r0[a] > w0) { w0 = r0[a]; h0 = a; }
                if (r1[a] > w1) { w1 = r1[a]; h1 = a; }
            }
            still = (h0 == g0 && h1 == g1) ? still + 1 : 0;
            s = z;
            epsilon *= decay;
        }
        states[session] = s;
        stable[session] = still;
    }
}
