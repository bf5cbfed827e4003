/* The random numbers of the C references: xoroshiro128+ (Blackman and Vigna 2018), seeded by splitmix64. */
#include <stdint.h>

typedef struct {
    uint64_t a, b;
} Generator;

static inline uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next(Generator *g) {
    uint64_t a = g->a, b = g->b, word = a + b;
    b ^= a;
    g->a = rotate(a, 24) ^ b ^ (b << 16);
    g->b = rotate(b, 37);
    return word;
}

static inline Generator seeded(uint64_t seed) {
    uint64_t words[2];
    for (int i = 0; i < 2; i++) {
        uint64_t x = (seed += 0x9E3779B97F4A7C15ULL);
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        words[i] = x ^ (x >> 31);
    }
    return (Generator){words[0], words[1]};
}
