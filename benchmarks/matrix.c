/* Smooth Q-learning in a two-player game with three actions, fixed-step RK4, many trajectories: two plain C loops.
 *
 * State [player, action, trajectory], trajectories last, taken in blocks that stay in the first cache, so that the
 * compiler vectorises over trajectories (-O3 -march=native -ffast-math). `flow_log` integrates dz/dt = r - T z with
 * x = softmax(z), as the library does; `flow_simplex` integrates dx/dt = x (f - <x, f>), f = r - T ln x. The faster one
 * is the yardstick.
 */
#include <math.h>
#include <string.h>

enum { A = 3, N = 2, S = N * A, BLOCK = 64 };

static void combine(float s[S][BLOCK], float k[S][BLOCK], float sum[S][BLOCK], float y[S][BLOCK], int stage, float h) {
    float weight = (stage == 0 || stage == 3) ? 1.0f / 6 : 1.0f / 3, ahead = stage == 2 ? 1.0f : 0.5f;
    for (int c = 0; c < S; c++)
        for (int l = 0; l < BLOCK; l++) {
            sum[c][l] += weight * k[c][l];
            y[c][l] = s[c][l] + h * ahead * k[c][l];
        }
}

static void field_log(float y[S][BLOCK], float k[S][BLOCK], float tau, const float *pay) {
    float p[S][BLOCK];
    for (int who = 0; who < N; who++)
        for (int l = 0; l < BLOCK; l++) {
            float a = y[who * A][l], b = y[who * A + 1][l], c = y[who * A + 2][l];
            float top = a > b ? a : b;
            top = top > c ? top : c;
            float ea = expf(a - top), eb = expf(b - top), ec = expf(c - top), share = 1.0f / (ea + eb + ec);
            p[who * A][l] = ea * share;
            p[who * A + 1][l] = eb * share;
            p[who * A + 2][l] = ec * share;
        }
    for (int who = 0; who < N; who++)
        for (int i = 0; i < A; i++)
            for (int l = 0; l < BLOCK; l++) {
                float r = 0;
                for (int j = 0; j < A; j++) r += pay[(who * A + i) * A + j] * p[(1 - who) * A + j][l];
                k[who * A + i][l] = r - tau * y[who * A + i][l];
            }
}

static void field_simplex(float y[S][BLOCK], float k[S][BLOCK], float tau, const float *pay) {
    for (int who = 0; who < N; who++)
        for (int l = 0; l < BLOCK; l++) {
            float f[A], mean = 0;
            for (int i = 0; i < A; i++) {
                float r = 0, x = y[who * A + i][l];
                for (int j = 0; j < A; j++) r += pay[(who * A + i) * A + j] * y[(1 - who) * A + j][l];
                f[i] = r - tau * logf(x);
                mean += x * f[i];
            }
            for (int i = 0; i < A; i++) k[who * A + i][l] = y[who * A + i][l] * (f[i] - mean);
        }
}

/* x: [S, count]; count a multiple of BLOCK. */
static void flow(float *x, int count, int steps, float h, float tau, const float *pay, int simplex) {
    for (int first = 0; first < count; first += BLOCK) {
        float s[S][BLOCK], y[S][BLOCK], k[S][BLOCK], sum[S][BLOCK];
        for (int c = 0; c < S; c++) memcpy(s[c], x + c * count + first, sizeof s[c]);
        for (int t = 0; t < steps; t++) {
            memcpy(y, s, sizeof s);
            memset(sum, 0, sizeof sum);
            for (int stage = 0; stage < 4; stage++) {
                if (simplex)
                    field_simplex(y, k, tau, pay);
                else
                    field_log(y, k, tau, pay);
                combine(s, k, sum, y, stage, h);
            }
            for (int c = 0; c < S; c++)
                for (int l = 0; l < BLOCK; l++) s[c][l] += h * sum[c][l];
        }
        for (int c = 0; c < S; c++) memcpy(x + c * count + first, s[c], sizeof s[c]);
    }
}

void flow_log(float *x, int count, int steps, float h, float tau, const float *pay) {
    flow(x, count, steps, h, tau, pay, 0);
}

void flow_simplex(float *x, int count, int steps, float h, float tau, const float *pay) {
    flow(x, count, steps, h, tau, pay, 1);
}
