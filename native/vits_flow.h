/* The flow of the voice's network, streaming: noisy frames → latent frames, VITS_FLOW_LAG frames later.
 *
 * Four couplings one after the other; in each, four convolutions with five taps. Each keeps the rows it will need
 * again, so that nothing is computed twice. The flips between couplings are in the weights' order already: the first
 * and third coupling read the upper half of the channels and change the lower one, the others the other way round.
 */
#ifndef VITS_FLOW_H
#define VITS_FLOW_H

#include "vits_network.h"

enum {
    VITS_FLOW_LAG = VITS_COUPLINGS * VITS_WAVES * 2,
    VITS_FLOW_MOST = 192, /* rows taken in at once */
    VITS_WAVE_KEPT = 4,
    VITS_LATE = 2 * VITS_WAVES, /* rows by which a coupling's result is behind */
};

typedef struct {
    ptrdiff_t seen, done; /* rows taken in, rows given out */
    float waves[VITS_WAVES][VITS_WAVE_KEPT * VITS_CHANNELS]; /* the last rows of each layer's input, at first zeros */
    float input[VITS_LATE * VITS_CHANNELS]; /* rows done … seen */
    float skipped[VITS_LATE * VITS_CHANNELS]; /* sums for the same rows, as far as they have come */
} vits_coupling_state;

typedef struct {
    int ended;
    vits_coupling_state coupling[VITS_COUPLINGS];
} vits_flow;

static inline void vits_copy(float *to, const float *from, ptrdiff_t rows, int channels) {
    memcpy(to, from, (size_t)rows * (size_t)channels * sizeof(float));
}

/* Rows that a layer `lag` rows behind its input can give: all of them once the input has ended. */
static inline ptrdiff_t vits_reached(ptrdiff_t seen, ptrdiff_t lag, ptrdiff_t before, int last) {
    ptrdiff_t reached = last ? seen : seen - lag;
    return reached > before ? reached : before;
}

/* One coupling. x: VITS_LATE rows of room, then `rows` new ones. Returns rows given out, which begin at *out. */
static inline ptrdiff_t vits_couple(const vits_call *call, int index, vits_coupling_state *state, float *x,
                                    ptrdiff_t rows, int last, float *const wave[2], float *wide, float *narrow,
                                    float *skipped, float **out) {
    const int C = VITS_CHANNELS, lower = index % 2 == 0; /* whether the lower half is changed */
    const ptrdiff_t late = state->seen - state->done, seen = state->seen + rows, first = state->done;
    ptrdiff_t begins[VITS_WAVES], available = seen;
    vits_target to;
    x += (VITS_LATE - late) * C; /* row `first` */
    vits_copy(x, state->input, late, C);
    vits_copy(skipped, state->skipped, late, C);
    vits_copy(wave[0], state->waves[0], VITS_WAVE_KEPT, C);
    to = vits_plain, to.rows = wave[0] + VITS_WAVE_KEPT * C, to.stride = C;
    vits_convolve(call, &call->net->coupling[index].before, 0, C, x + late * C + (lower ? VITS_HALF : 0), C, rows, to);
    ptrdiff_t before = state->seen; /* the layer's first new input row */
    for (int layer = 0; layer < VITS_WAVES; layer++) {
        float *in = wave[layer % 2], *next = wave[(layer + 1) % 2]; /* row before - VITS_WAVE_KEPT */
        ptrdiff_t begin = begins[layer] = before > 2 ? before - 2 : 0;
        ptrdiff_t end = vits_reached(available, 2, begin, last), count = end - begin;
        const float *from = in + (begin - 2 - before + VITS_WAVE_KEPT) * C;
        const vits_layer *mixed = &call->net->coupling[index].mixed[layer];
        if (last) memset(in + (available - before + VITS_WAVE_KEPT) * C, 0, 2 * (size_t)C * sizeof(float));
        vits_copy(state->waves[layer], in + (available - before) * C, VITS_WAVE_KEPT, C);
        to = vits_plain, to.rows = wide, to.stride = 2 * C;
        vits_convolve(call, &call->net->coupling[index].wave[layer], 0, 2 * C, from, C, count, to);
        call->kernel->gate(wide, narrow, count, C);
        if (layer < VITS_WAVES - 1) {
            vits_copy(next, state->waves[layer + 1], VITS_WAVE_KEPT, C);
            to.rows = next + VITS_WAVE_KEPT * C, to.stride = C, to.residual = from + 2 * C, to.residual_stride = C;
            vits_convolve(call, mixed, 0, C, narrow, C, count, to);
        }
        to = vits_plain, to.rows = skipped + (begin - first) * C, to.stride = C, to.adds = layer > 0;
        vits_convolve(call, mixed, mixed->out - C, mixed->out, narrow, C, count, to);
        before = begin, available = end;
    }
    const ptrdiff_t given = available - first;
    const vits_layer *after = &call->net->coupling[index].after; /* its sign is turned in the weights file */
    to = vits_plain, to.rows = x + (lower ? 0 : VITS_HALF), to.stride = C, to.adds = 1;
    vits_convolve(call, after, 0, VITS_HALF, skipped, C, given, to);
    state->seen = seen;
    state->done = available;
    vits_copy(state->input, x + given * C, seen - available, C);
    vits_copy(state->skipped, skipped + given * C, seen - available, C);
    *out = x;
    return given;
}

/* Take `rows` rows of noisy frames [rows][VITS_CHANNELS]; `last` ends the stream. Writes what latent rows that gives
 * to out, which has room for rows + VITS_FLOW_LAG, and returns their number, or -1 if there is no memory for it.
 */
static inline ptrdiff_t vits_flow_run(const vits_network *net, const vits_kernel *kernel, vits_flow *flow,
                                      const float *in, ptrdiff_t rows, int last, float *out) {
    const int C = VITS_CHANNELS;
    const size_t most = VITS_FLOW_MOST + VITS_FLOW_LAG + 2 * VITS_LATE + 8;
    vits_memory *memory = vits_own_memory();
    if (memory == NULL || !vits_begin(memory, VITS_PANEL_FLOATS + most * 8 * VITS_CHANNELS, 16)) return -1;
    vits_call call = {net, kernel, memory, vits_floats_of(memory, VITS_PANEL_FLOATS)};
    float *x[2], *wave[2], *wide = vits_floats_of(memory, most * 2 * VITS_CHANNELS);
    for (int i = 0; i < 2; i++) {
        x[i] = vits_floats_of(memory, most * VITS_CHANNELS);
        wave[i] = vits_floats_of(memory, most * VITS_CHANNELS);
    }
    float *narrow = vits_floats_of(memory, most * VITS_CHANNELS), *skipped = vits_floats_of(memory, most * VITS_CHANNELS);
    vits_mode mode = vits_enter();
    ptrdiff_t given = 0;
    do {
        ptrdiff_t count = rows < VITS_FLOW_MOST ? rows : VITS_FLOW_MOST;
        int ends = last && count == rows;
        vits_copy(x[0] + VITS_LATE * C, in, count, C);
        in += count * C, rows -= count;
        for (int i = 0; i < VITS_COUPLINGS; i++) {
            float *result;
            count = vits_couple(&call, i, &flow->coupling[i], x[i % 2], count, ends, wave, wide, narrow, skipped, &result);
            vits_copy(i < VITS_COUPLINGS - 1 ? x[(i + 1) % 2] + VITS_LATE * C : out, result, count, C);
        }
        out += count * C, given += count;
    } while (rows > 0);
    flow->ended = last;
    vits_leave(mode);
    return given;
}

#endif
