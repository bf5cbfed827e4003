/* The memoryless double auction of Rawat (2023) with eight zero-intelligence traders, as one plain scalar loop.
 *
 * What one round does: 32 limits drawn from normal effects (44 normal numbers) and sorted within traders, or the given
 * limits taken; then 16 ticks. What one tick does: a uniform quote for each trader with units left, best bid and ask
 * with ties broken by equal chances, acceptance of whatever is profitable, midpoint price if both accept and the other
 * side's quote if one does, units used up, surplus added. One number is kept of each round: its surplus.
 *
 * Random numbers: xoroshiro128+, 24 bits a quote, one word for two traders. Normal numbers: inversion by Giles'
 * polynomial, as the library does (a polar method is slower here).
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "generator.h"

enum { SIDE = 4, UNITS = 4, TICKS = 16 };

static const float LOW = 35.0f, HIGH = 90.0f, NONE = 1e30f;

static inline float high_unit(uint64_t word) { return (float)(int32_t)(word >> 40) * 0x1p-24f; }
static inline float low_unit(uint64_t word) { return (float)(int32_t)((word >> 8) & 0xffffff) * 0x1p-24f; }

static inline float normal(float unit) { /* sqrt(2) erfinv(2 unit - 1), Giles (2010), single precision */
    float x = 2.0f * unit + (0x1p-24f - 1.0f), w = -logf((1.0f - x) * (1.0f + x)), p;
    if (w < 5.0f) {
        w -= 2.5f;
        p = 2.81022636e-08f;
        p = 3.43273939e-07f + p * w;
        p = -3.5233877e-06f + p * w;
        p = -4.39150654e-06f + p * w;
        p = 0.00021858087f + p * w;
        p = -0.00125372503f + p * w;
        p = -0.00417768164f + p * w;
        p = 0.246640727f + p * w;
        p = 1.50140941f + p * w;
    } else {
        w = sqrtf(w) - 3.0f;
        p = -0.000200214257f;
        p = 0.000100950558f + p * w;
        p = 0.00134934322f + p * w;
        p = -0.00367342844f + p * w;
        p = 0.00573950773f + p * w;
        p = -0.0076224613f + p * w;
        p = 0.00943887047f + p * w;
        p = 1.00167406f + p * w;
        p = 2.83297682f + p * w;
    }
    return 1.41421356f * p * x;
}

static inline float clip(float x) { return x < 0.0f ? 0.0f : x > 100.0f ? 100.0f : x; }

/* limits[0..3]: buyers, descending; limits[4..7]: sellers, ascending */
static void draw_tokens(Generator *g, float limits[2 * SIDE][UNITS]) {
    enum { NORMALS = 2 * SIDE * UNITS + 2 * SIDE + UNITS };
    float z[NORMALS];
    for (int i = 0; i < NORMALS; i += 2) {
        uint64_t word = next(g);
        z[i] = normal(high_unit(word));
        z[i + 1] = normal(low_unit(word));
    }
    const float *agent = z + 2 * SIDE * UNITS, *slot = agent + 2 * SIDE;
    for (int i = 0; i < 2 * SIDE; i++) {
        int buys = i < SIDE;
        float mean = buys ? 80.0f : 50.0f, effect = agent[i] * (buys ? 1.41421356f : 1.0f);
        float *x = limits[i];
        for (int j = 0; j < UNITS; j++) x[j] = clip(mean + 5.0f * z[i * UNITS + j] + effect + slot[j]);
        for (int j = 1; j < UNITS; j++) /* insertion sort, best unit first */
            for (int k = j; k > 0 && (buys ? x[k] > x[k - 1] : x[k] < x[k - 1]); k--) {
                float other = x[k];
                x[k] = x[k - 1];
                x[k - 1] = other;
            }
    }
}

static float play_round(Generator *g, const float limits[2 * SIDE][UNITS]) {
    int used[2 * SIDE] = {0};
    float surplus = 0.0f;
    for (int tick = 0; tick < TICKS; tick++) {
        float bid = -NONE, ask = NONE;
        int bidder = -1, asker = -1, bids_tied = 0, asks_tied = 0;
        for (int i = 0; i < SIDE; i++) {
            uint64_t word = next(g);
            int j = SIDE + i;
            if (used[i] < UNITS) {
                float value = limits[i][used[i]];
                float quote = LOW + (value - LOW) * high_unit(word);
                if (value >= LOW && quote >= bid) {
                    bids_tied = quote > bid ? 1 : bids_tied + 1;
                    if (bids_tied == 1 || next(g) % bids_tied == 0) bidder = i;
                    bid = quote;
                }
            }
            if (used[j] < UNITS) {
                float cost = limits[j][used[j]];
                float quote = HIGH - (HIGH - cost) * low_unit(word);
                if (cost <= HIGH && quote <= ask) {
                    asks_tied = quote < ask ? 1 : asks_tied + 1;
                    if (asks_tied == 1 || next(g) % asks_tied == 0) asker = j;
                    ask = quote;
                }
            }
        }
        if (bidder < 0 || asker < 0) continue;
        float value = limits[bidder][used[bidder]], cost = limits[asker][used[asker]];
        int buys = value >= ask, sells = cost <= bid;
        if (!buys && !sells) continue;
        float price = buys && sells ? 0.5f * (bid + ask) : buys ? ask : bid;
        surplus += (value - price) + (price - cost);
        used[bidder]++;
        used[asker]++;
    }
    return surplus;
}

/* `given`: 8 x 4 limits used in every round, or NULL for fresh ones; `out`: the surplus of each round. */
void play(int64_t rounds, uint64_t seed, const float *given, float *out) {
    Generator g = seeded(seed);
    float limits[2 * SIDE][UNITS];
    for (int i = 0; i < 2 * SIDE * UNITS; i++) limits[i / UNITS][i % UNITS] = given ? given[i] : 0.0f;
    for (int64_t r = 0; r < rounds; r++) {
        if (!given) draw_tokens(&g, limits);
        out[r] = play_round(&g, (const float(*)[UNITS])limits);
    }
}
