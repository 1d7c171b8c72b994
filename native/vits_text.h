/* The first half of the voice's network: symbols → for each a mean and a deviation of the sound, and a duration.
 *
 * Formulas: Kim, Kong and Son, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
 * Text-to-Speech" (2021); the attention with relative positions is Shaw et al. (2018), the splines are Durkan et al.,
 * "Neural Spline Flows" (2019).
 */
#ifndef VITS_TEXT_H
#define VITS_TEXT_H

#include "vits_network.h"

enum { VITS_TILE = 64 /* symbols whose attention is computed at once */ };

/* Room for `count` numbers a row in rows that a multiplication may write whole panels to. */
static inline ptrdiff_t vits_padded(ptrdiff_t count) { return (count + VITS_COLUMNS - 1) / VITS_COLUMNS * VITS_COLUMNS; }

/* One head: qkv is [n][3 · VITS_CHANNELS]; writes VITS_HEAD channels of out [n][VITS_CHANNELS]. */
static inline void vits_attend(const vits_call *call, const float *qkv, ptrdiff_t n, const float *near_keys,
                               const float *near_values, float *keys, float *values, float *scores, float *queries,
                               float *out) {
    const ptrdiff_t stride = 3 * VITS_CHANNELS, padded = vits_padded(n);
    const int panel = call->kernel->panel;
    static const float none[VITS_COLUMNS] = {0};
    vits_target to = vits_plain;
    to.bias = none;
    for (ptrdiff_t j = 0; j < padded; j++) /* keys: panels of symbols, [VITS_HEAD][panel] */
        for (int c = 0; c < VITS_HEAD; c++)
            keys[(j / panel * VITS_HEAD + c) * panel + j % panel] = j < n ? qkv[j * stride + VITS_CHANNELS + c] : 0.0f;
    for (int c = 0; c < VITS_HEAD; c += panel) /* values: panels of channels, [n][panel] */
        for (ptrdiff_t j = 0; j < n; j++)
            memcpy(values + (c / panel * n + j) * panel, qkv + j * stride + 2 * VITS_CHANNELS + c,
                   (size_t)panel * sizeof(float));
    for (ptrdiff_t begin = 0; begin < n; begin += VITS_TILE) {
        ptrdiff_t rows = n - begin < VITS_TILE ? n - begin : VITS_TILE;
        for (ptrdiff_t i = 0; i < rows; i++)
            for (int c = 0; c < VITS_HEAD; c++)
                queries[i * VITS_HEAD + c] = qkv[(begin + i) * stride + c] * 0.102062073f; /* 1 / sqrt(VITS_HEAD) */
        vits_source from = {queries, VITS_HEAD, 0, 1, VITS_HEAD};
        to.stride = padded;
        for (ptrdiff_t j = 0; j < padded; j += panel) {
            to.rows = scores + j;
            call->kernel->multiply(&from, keys + j * VITS_HEAD, rows, &to);
        }
        for (ptrdiff_t i = 0; i < rows; i++)
            for (int d = -VITS_REACH; d <= VITS_REACH; d++)
                if (begin + i + d >= 0 && begin + i + d < n) {
                    const float *query = queries + i * VITS_HEAD, *key = near_keys + (d + VITS_REACH) * VITS_HEAD;
                    float sum = 0.0f;
                    for (int c = 0; c < VITS_HEAD; c++) sum += query[c] * key[c];
                    scores[i * padded + begin + i + d] += sum;
                }
        call->kernel->softmax(scores, rows, n, padded);
        from = (vits_source){scores, padded, 0, 1, n};
        to.stride = VITS_CHANNELS;
        for (int c = 0; c < VITS_HEAD; c += panel) {
            to.rows = out + begin * VITS_CHANNELS + c;
            call->kernel->multiply(&from, values + c * n, rows, &to);
        }
        for (ptrdiff_t i = 0; i < rows; i++)
            for (int d = -VITS_REACH; d <= VITS_REACH; d++)
                if (begin + i + d >= 0 && begin + i + d < n) {
                    const float *value = near_values + (d + VITS_REACH) * VITS_HEAD;
                    float *row = out + (begin + i) * VITS_CHANNELS, share = scores[i * padded + begin + i + d];
                    for (int c = 0; c < VITS_HEAD; c++) row[c] += share * value[c];
                }
    }
}

/* x ← x + its three layers, in place; a and b are of x's size. */
static inline void vits_separate(const vits_call *call, const vits_separable *layers, float *x, ptrdiff_t n, float *a,
                                 float *b) {
    const ptrdiff_t count = n * VITS_CHANNELS;
    for (int i = 0, reach = 1; i < 3; i++, reach *= 3) {
        vits_target to = vits_plain;
        call->kernel->depthwise(x, a, n, VITS_CHANNELS, reach, layers->depthwise[i], layers->bias[i]);
        call->kernel->normalise(a, a, n, VITS_CHANNELS, layers->before[i].gamma, layers->before[i].beta);
        call->kernel->gelu(a, NULL, count);
        to.rows = b;
        to.stride = VITS_CHANNELS;
        vits_convolve(call, &layers->pointwise[i], 0, VITS_CHANNELS, a, VITS_CHANNELS, n, to);
        call->kernel->normalise(b, b, n, VITS_CHANNELS, layers->after[i].gamma, layers->after[i].beta);
        call->kernel->gelu(b, x, count);
        memcpy(x, b, (size_t)count * sizeof(float));
    }
}

static inline float vits_softplus(float x) { return x > 20.0f ? x : log1pf(expf(x)); }

/* Shares of the interval -5 … 5 with at least 0.001 of it each → the VITS_BINS + 1 places where they meet. */
static inline void vits_knots(const float *logits, float *knots) {
    float most = logits[0], sum = 0.0f, reached = 0.0f, shares[VITS_BINS];
    const float scale = 0.0721687824f; /* 1 / sqrt(VITS_CHANNELS) */
    for (int i = 1; i < VITS_BINS; i++) most = logits[i] > most ? logits[i] : most;
    for (int i = 0; i < VITS_BINS; i++) sum += shares[i] = expf((logits[i] - most) * scale);
    for (int i = 0; i < VITS_BINS; i++) {
        knots[i] = 10.0f * reached - 5.0f;
        reached += 0.001f + (1.0f - 0.001f * VITS_BINS) * shares[i] / sum;
    }
    knots[0] = -5.0f;
    knots[VITS_BINS] = 5.0f;
}

/* The monotone rational-quadratic spline with these parameters, backwards; outside -5 … 5 it is the identity. */
static inline float vits_unbend(const float *parameters, float y) {
    float x_knots[VITS_BINS + 1], y_knots[VITS_BINS + 1];
    if (!(y >= -5.0f && y <= 5.0f)) return y;
    vits_knots(parameters, x_knots);
    vits_knots(parameters + VITS_BINS, y_knots);
    int bin = 0;
    while (bin < VITS_BINS - 1 && y >= y_knots[bin + 1]) bin++;
    const float *slopes = parameters + 2 * VITS_BINS; /* at the inner knots; 1 at both ends */
    float before = bin > 0 ? 0.001f + vits_softplus(slopes[bin - 1]) : 1.0f;
    float after = bin < VITS_BINS - 1 ? 0.001f + vits_softplus(slopes[bin]) : 1.0f;
    float width = x_knots[bin + 1] - x_knots[bin], height = y_knots[bin + 1] - y_knots[bin];
    float slope = height / width, above = y - y_knots[bin], bend = above * (before + after - 2.0f * slope);
    float a = bend + height * (slope - before), b = height * before - bend, c = -slope * above;
    float root = sqrtf(fmaxf(b * b - 4.0f * a * c, 0.0f));
    return 2.0f * c / (-b - root) * width + x_knots[bin];
}

/* Symbols → stats [n][VITS_STATS] and log_durations [n] (in frames). noise: [n][2], normal, already scaled.
 *
 * The caller has checked that every symbol is below net->symbols. Returns 0 if there is no memory for it.
 */
static inline int vits_read(const vits_network *net, const vits_kernel *kernel, const int32_t *symbols, ptrdiff_t n,
                            const float *noise, float *stats, float *log_durations) {
    const ptrdiff_t count = n * VITS_CHANNELS, padded = vits_padded(n);
    vits_memory *memory = vits_own_memory();
    size_t wide = (size_t)n * VITS_INNER + 2 * VITS_INNER, square = (size_t)VITS_TILE * (size_t)padded;
    size_t key_count = (size_t)padded * VITS_HEAD, narrow = (size_t)count + 2 * VITS_CHANNELS;
    size_t total = VITS_PANEL_FLOATS + 3 * narrow + wide + square + 2 * key_count + VITS_TILE * VITS_HEAD;
    if (memory == NULL || !vits_begin(memory, total, 16)) return 0;
    vits_call call = {net, kernel, memory, vits_floats_of(memory, VITS_PANEL_FLOATS)};
    float *padded_x = vits_floats_of(memory, narrow), *x = padded_x + VITS_CHANNELS; /* a row of zeros around */
    float *a = vits_floats_of(memory, narrow), *b = vits_floats_of(memory, narrow);
    float *padded_h = vits_floats_of(memory, wide), *h = padded_h + VITS_INNER;
    float *scores = vits_floats_of(memory, square), *queries = vits_floats_of(memory, VITS_TILE * VITS_HEAD);
    float *keys = vits_floats_of(memory, key_count), *values = vits_floats_of(memory, key_count);
    vits_mode mode = vits_enter();
    vits_target to;

    for (ptrdiff_t i = 0; i < n; i++)
        for (int c = 0; c < VITS_CHANNELS; c++)
            x[i * VITS_CHANNELS + c] = net->embedding[symbols[i] * VITS_CHANNELS + c] * 13.8564065f; /* √channels */
    memset(padded_x, 0, VITS_CHANNELS * sizeof(float));
    memset(x + count, 0, VITS_CHANNELS * sizeof(float));
    memset(padded_h, 0, VITS_INNER * sizeof(float));
    memset(h + n * VITS_INNER, 0, VITS_INNER * sizeof(float));
    for (int i = 0; i < VITS_TEXT_LAYERS; i++) {
        to = vits_plain, to.rows = h, to.stride = 3 * VITS_CHANNELS;
        vits_convolve(&call, &net->text[i].qkv, 0, 3 * VITS_CHANNELS, x, VITS_CHANNELS, n, to);
        for (int head = 0; head < VITS_HEADS; head++)
            vits_attend(&call, h + head * VITS_HEAD, n, net->text[i].near_keys, net->text[i].near_values, keys, values,
                        scores, queries, a + head * VITS_HEAD);
        to.rows = b, to.stride = VITS_CHANNELS, to.residual = x, to.residual_stride = VITS_CHANNELS;
        vits_convolve(&call, &net->text[i].joined, 0, VITS_CHANNELS, a, VITS_CHANNELS, n, to);
        kernel->normalise(b, x, n, VITS_CHANNELS, net->text[i].attended.gamma, net->text[i].attended.beta);
        to = vits_plain, to.rows = h, to.stride = VITS_INNER, to.slope = 0.0f;
        vits_convolve(&call, &net->text[i].widened, 0, VITS_INNER, padded_x, VITS_CHANNELS, n, to);
        to = vits_plain, to.rows = b, to.stride = VITS_CHANNELS, to.residual = x, to.residual_stride = VITS_CHANNELS;
        vits_convolve(&call, &net->text[i].narrowed, 0, VITS_CHANNELS, padded_h, VITS_INNER, n, to);
        kernel->normalise(b, x, n, VITS_CHANNELS, net->text[i].fed.gamma, net->text[i].fed.beta);
    }
    to = vits_plain, to.rows = stats, to.stride = VITS_STATS;
    vits_convolve(&call, &net->stats, 0, VITS_STATS, x, VITS_CHANNELS, n, to);

    float *condition = h; /* the text as the durations see it; the wide rows are free now */
    float *z = h + count, *parameters = scores;
    to.rows = a, to.stride = VITS_CHANNELS;
    vits_convolve(&call, &net->duration_before, 0, VITS_CHANNELS, x, VITS_CHANNELS, n, to);
    vits_separate(&call, &net->duration, a, n, x, b);
    to.rows = condition;
    vits_convolve(&call, &net->duration_after, 0, VITS_CHANNELS, a, VITS_CHANNELS, n, to);
    memcpy(z, noise, (size_t)n * 2 * sizeof(float));
    for (int i = 0, kept = 1; i < VITS_SPLINES; i++, kept ^= 1) { /* the halves change places before each */
        for (ptrdiff_t r = 0; r < n; r++)
            for (int c = 0; c < VITS_CHANNELS; c++)
                a[r * VITS_CHANNELS + c] = z[2 * r + kept] * net->spline[i].weights[c] + net->spline[i].bias[c]
                    + condition[r * VITS_CHANNELS + c];
        vits_separate(&call, &net->spline[i].layers, a, n, x, b);
        to.rows = parameters, to.stride = VITS_COLUMNS;
        for (ptrdiff_t begin = 0; begin < n; begin += VITS_TILE) {
            ptrdiff_t rows = n - begin < VITS_TILE ? n - begin : VITS_TILE;
            vits_convolve(&call, &net->spline[i].parameters, 0, VITS_COLUMNS, a + begin * VITS_CHANNELS, VITS_CHANNELS,
                          rows, to);
            for (ptrdiff_t r = 0; r < rows; r++) {
                float *bent = z + 2 * (begin + r) + (kept ^ 1);
                *bent = vits_unbend(parameters + r * VITS_COLUMNS, *bent);
            }
        }
    }
    for (ptrdiff_t r = 0; r < n; r++) log_durations[r] = (z[2 * r] - net->affine[0]) * net->affine[1];
    vits_leave(mode);
    return 1;
}

#endif
