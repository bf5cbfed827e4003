/* Pairwise karma with decentralised epsilon-SARSA, as one plain scalar loop.
 *
 * A step: a random perfect matching (Fisher-Yates); in each pair the higher bid wins, ties by a coin; the winner pays
 * the loser (peer) or the pool (society); what the cap cuts off goes to the pool, or (kept) the winner pays only what
 * the loser can take; the pool is shared out by integer water-fill, the rest among players drawn without replacement
 * (sequential sampling); urgency is redrawn; the next bid is drawn from cumulative policies that are frozen in an epoch;
 * each player's table moves by one temporal difference. Policies are recomputed at the start of each epoch: all rows
 * of all tables, or with epochs of length 1 only the row that the step moved.
 *
 * Random numbers: xoroshiro128+, one word a pair, one word a player, one word an exchange of the shuffle.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "generator.h"

enum { LEVELS = 21, CAP = 20, WIDTH = 24, ROWS = 2 * LEVELS, PEER = 0, SOCIETY = 1, KEPT = 2 };

/* Cumulative policy of one row, scaled to 2^16. */
static void refresh_row(const float *q, float *c, int karma, float beta) {
    float top = -1e30f, e[WIDTH], sum = 0;
    for (int a = 0; a <= karma; a++) top = q[a] > top ? q[a] : top;
    for (int a = 0; a < WIDTH; a++) e[a] = expf(beta * (q[a] - top));
    for (int a = 0; a <= karma; a++) {
        sum += e[a];
        c[a] = sum;
    }
    float scale = 65536.0f / sum;
    for (int a = 0; a <= karma; a++) c[a] *= scale;
    for (int a = karma; a < WIDTH; a++) c[a] = 1e9f;
}

static void share_out(int *k, int n, int pool, Generator *g) {
    int at[LEVELS] = {0}, open[LEVELS];
    for (int i = 0; i < n; i++) at[CAP - k[i]]++; /* players by room */
    open[CAP] = 0;
    for (int a = CAP; a > 0; a--) open[a - 1] = open[a] + at[a]; /* players with room above a */
    int level = 0;
    while (level < CAP && pool >= open[level] && open[level] > 0) pool -= open[level++];
    int left = open[level];
    for (int i = 0; i < n; i++) {
        int room = CAP - k[i], gift = room < level ? room : level;
        if (room > level) {
            if (pool > 0 && (int)(((uint64_t)(uint32_t)(next(g) >> 32) * left) >> 32) < pool) {
                gift++;
                pool--;
            }
            left--;
        }
        k[i] += gift;
    }
}

/* Returns the sum of rewards. q, c: [n][ROWS][WIDTH]; karma, urgent, bid: [n]; all are carried on. */
double karma(float *q, float *c, int *k, int *u, int *b, int n, int64_t steps, int64_t epoch, int payment, float alpha,
             float gamma, float epsilon, float beta, uint64_t seed) {
    Generator g = seeded(seed);
    int *order = malloc(sizeof(int) * n), *held = malloc(sizeof(int) * n);
    float *reward = malloc(sizeof(float) * n);
    uint32_t explore = (uint32_t)(epsilon * 65536);
    double total = 0;
    for (int i = 0; i < n; i++) order[i] = i;
    for (int64_t t = 0; t < steps; t++) {
        if (t == 0 || (epoch > 1 && t % epoch == 0))
            for (int i = 0; i < n; i++)
                for (int row = 0; row < ROWS; row++) {
                    size_t at = ((size_t)i * ROWS + row) * WIDTH;
                    refresh_row(q + at, c + at, row % LEVELS, beta);
                }
        for (int i = n - 1; i > 0; i--) {
            int j = (int)(((uint64_t)(uint32_t)next(&g) * (i + 1)) >> 32), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        int pool = 0;
        for (int p = 0; p < n; p += 2) {
            int i = order[p], j = order[p + 1], first = b[i] > b[j] || (b[i] == b[j] && (next(&g) >> 63));
            int w = first ? i : j, l = first ? j : i, pay = b[w], room = CAP - k[l];
            held[w] = k[w] - pay;
            held[l] = k[l];
            if (payment == SOCIETY) pool += pay;
            else {
                int taken = pay < room ? pay : room;
                held[l] += taken;
                if (payment == KEPT) held[w] += pay - taken;
                else pool += pay - taken;
            }
            reward[w] = 0;
            reward[l] = u[l] ? -5.0f : -1.0f;
            total += reward[l];
        }
        if (pool) share_out(held, n, pool, &g);
        for (int i = 0; i < n; i++) {
            uint64_t y = next(&g);
            int after = y >> 63, have = held[i], act;
            size_t row = ((size_t)i * ROWS + after * LEVELS + have) * WIDTH;
            if (((y >> 16) & 0xffff) < explore) act = (int)(((y & 0xffff) * (have + 1)) >> 16);
            else {
                float v = (float)(y & 0xffff);
                act = 0;
                for (int z = 0; z < WIDTH; z++) act += c[row + z] <= v;
            }
            size_t old = ((size_t)i * ROWS + u[i] * LEVELS + k[i]) * WIDTH;
            q[old + b[i]] += alpha * (reward[i] + gamma * q[row + act] - q[old + b[i]]);
            if (epoch == 1) refresh_row(q + old, c + old, k[i], beta);
            k[i] = have;
            u[i] = after;
            b[i] = act;
        }
    }
    free(order);
    free(held);
    free(reward);
    return total;
}
