/* The decoder of the voice's network (HiFi-GAN's generator), streaming: latent frames → samples, VITS_DECODER_LAG
 * frames later.
 *
 * Three stages, each of which makes more rows of fewer channels: a transposed convolution, then three branches of two
 * convolutions whose mean goes on. Every convolution keeps the rows it will need again; a stage takes in no more than
 * the next caches hold. All rows are kept as the leaky rectifier leaves them, because the convolutions want them so;
 * what they were before, for the residual, is the smaller of a row and ten times it.
 *
 * A transposed convolution with 2s taps and stride s is one with two taps and s times as many columns: its row *is*
 * s samples, the first of which lies s/2 before the frame.
 */
#ifndef VITS_DECODER_H
#define VITS_DECODER_H

#include "vits_flow.h"

enum {
    VITS_DECODER_LAG = 11, /* frames, rounded up */
    VITS_FRAMES_MOST = 24, /* that the first layer takes in at once */
    VITS_STAGE_FLOATS = 32768, /* that a stage gives out at once: 128 KB */
    VITS_ROWS_LATE = 45, /* rows by which a stage's slowest branch is behind */
    VITS_ROWS_KEPT = 44, /* of what all branches read */
    VITS_BRANCH_KEPT = 72, /* of what the second convolution of the slowest branch reads */
};

typedef struct {
    ptrdiff_t frames, seen, between[VITS_BRANCHES], done; /* rows: taken in, made of them, in each branch, given out */
    float input[VITS_DECODER]; /* the last row taken in */
    float rows[VITS_ROWS_KEPT * VITS_DECODER / 2];
    float branch[VITS_BRANCHES][VITS_BRANCH_KEPT * VITS_DECODER / 2];
} vits_stage_state;

typedef struct {
    int ended;
    ptrdiff_t frames, frames_done, samples, samples_done; /* of the first layer and of the last */
    float latent[6 * VITS_CHANNELS], last[6 * VITS_LAST];
    vits_stage_state stage[VITS_STAGES];
} vits_decoder;

/* Working rows of one stage. */
typedef struct {
    float *in; /* one row of room, then the stage's input */
    float *rows, *branch, *out;
} vits_stage_rows;

typedef struct {
    const vits_call *call;
    vits_decoder *decoder;
    vits_stage_rows stage[VITS_STAGES + 1]; /* of the last only `in`: the input of the last layer, after six rows */
    float *samples;
    ptrdiff_t given;
} vits_decoding;

static inline ptrdiff_t vits_stage_most(int stage) { return VITS_STAGE_FLOATS / vits_channels(stage) / vits_strides[stage]; }

/* Half of what a convolution looks at besides the row itself. */
static inline ptrdiff_t vits_half(const vits_layer *layer) { return (layer->taps - 1) * layer->dilation / 2; }

/* `rows` rows that begin at decoding->stage[VITS_STAGES].in + 6 rows → samples. */
static inline void vits_last_layer(vits_decoding *decoding, ptrdiff_t rows, int last) {
    vits_decoder *state = decoding->decoder;
    float *in = decoding->stage[VITS_STAGES].in;
    vits_copy(in, state->last, 6, VITS_LAST);
    if (last) memset(in + (6 + rows) * VITS_LAST, 0, 3 * VITS_LAST * sizeof(float));
    ptrdiff_t before = state->samples, begin = state->samples_done;
    ptrdiff_t end = vits_reached(before + rows, 3, begin, last);
    decoding->call->kernel->output(in + (begin - 3 - before + 6) * VITS_LAST, VITS_LAST, end - begin,
                                   decoding->call->net->output, 7 * VITS_LAST, decoding->samples + decoding->given);
    decoding->given += end - begin;
    vits_copy(state->last, in + rows * VITS_LAST, 6, VITS_LAST);
    state->samples += rows;
    state->samples_done = end;
}

/* The transposed convolution: `rows` rows from in (whose row before is at hand, and when it is the last room for one
 * after) → what follows VITS_ROWS_KEPT rows in work->rows. Returns the new rows.
 */
static inline ptrdiff_t vits_raise(const vits_decoding *decoding, int index, float *in, ptrdiff_t rows, int last) {
    vits_stage_state *state = &decoding->decoder->stage[index];
    const vits_layer *up = &decoding->call->net->stage[index].up;
    const int channels = vits_channels(index), stride = vits_strides[index];
    float *kept = decoding->stage[index].rows, *fresh = kept + VITS_ROWS_KEPT * channels;
    vits_target to = vits_plain;
    vits_copy(kept, state->rows, VITS_ROWS_KEPT, channels);
    if (last) memset(in + rows * up->in, 0, (size_t)up->in * sizeof(float));
    to.rows = fresh, to.stride = up->out, to.slope = VITS_SLOPE;
    vits_convolve(decoding->call, up, 0, up->out, in - up->in, up->in, rows + last, to);
    ptrdiff_t made = (rows + last) * stride;
    if (state->frames == 0 && made > 0) memset(fresh, 0, (size_t)(stride / 2 * channels) * sizeof(float));
    if (last) made -= stride / 2;
    return made;
}

/* One of a stage's branches, up to row `target` of the stage's result (below 0 while too little has been taken in),
 * which is the sum of all three / 3.
 */
static inline void vits_branch(const vits_decoding *decoding, int stage_index, int index, ptrdiff_t target, int last) {
    vits_stage_state *state = &decoding->decoder->stage[stage_index];
    const vits_layer *layers = decoding->call->net->stage[stage_index].branch[index];
    const vits_stage_rows *work = &decoding->stage[stage_index];
    const int channels = vits_channels(stage_index);
    const ptrdiff_t reach = vits_half(&layers[0]), next_reach = vits_half(&layers[1]), kept = 2 * next_reach;
    const ptrdiff_t begin = state->between[index], middle = vits_reached(target, -next_reach, begin, last);
    const ptrdiff_t rows_begin = state->seen - VITS_ROWS_KEPT; /* the row at work->rows; seen: before this call */
    vits_target to = vits_plain;
    vits_copy(work->branch, state->branch[index], kept, channels);
    to.rows = work->branch + kept * channels, to.stride = channels, to.slope = VITS_SLOPE;
    to.residual = work->rows + (begin - rows_begin) * channels, to.residual_stride = channels, to.residual_is_leaky = 1;
    vits_convolve(decoding->call, &layers[0], 0, channels, to.residual - reach * channels, channels, middle - begin, to);
    if (last) memset(to.rows + (middle - begin) * channels, 0, (size_t)(next_reach * channels) * sizeof(float));
    vits_copy(state->branch[index], work->branch + (middle - begin) * channels, kept, channels);
    state->between[index] = middle;

    to.residual = work->branch + (state->done - begin + kept) * channels;
    to.rows = work->out, to.adds = index > 0;
    to.scale = index == VITS_BRANCHES - 1 ? 1.0f / VITS_BRANCHES : 1.0f;
    to.slope = index < VITS_BRANCHES - 1 ? 1.0f : stage_index < VITS_STAGES - 1 ? VITS_SLOPE : 0.01f;
    vits_convolve(decoding->call, &layers[1], 0, channels, to.residual - next_reach * channels, channels,
                  target - state->done, to);
}

/* The stage's input, `rows` rows behind one of room, through it and all that follow. */
static void vits_stage(vits_decoding *decoding, int index, ptrdiff_t rows, int last) {
    if (index == VITS_STAGES) {
        vits_last_layer(decoding, rows, last);
        return;
    }
    vits_stage_state *state = &decoding->decoder->stage[index];
    const int channels = vits_channels(index), wide = 2 * channels;
    const ptrdiff_t most = vits_stage_most(index);
    float *in = decoding->stage[index].in;
    vits_copy(in, state->input, 1, wide);
    vits_copy(state->input, in + rows * wide, 1, wide);
    in += wide;
    do {
        ptrdiff_t count = rows < most ? rows : most;
        int ends = last && count == rows;
        if (state->frames == 0) state->seen = -vits_strides[index] / 2;
        ptrdiff_t made = vits_raise(decoding, index, in, count, ends);
        ptrdiff_t target = state->seen + made - (ends ? 0 : VITS_ROWS_LATE);
        if (ends)
            memset(decoding->stage[index].rows + (VITS_ROWS_KEPT + made) * channels, 0,
                   (size_t)(VITS_ROWS_LATE * channels) * sizeof(float));
        for (int branch = 0; branch < VITS_BRANCHES; branch++) vits_branch(decoding, index, branch, target, ends);
        vits_copy(state->rows, decoding->stage[index].rows + made * channels, VITS_ROWS_KEPT, channels);
        state->frames += count;
        state->seen += made;
        ptrdiff_t given = target > state->done ? target - state->done : 0;
        state->done += given;
        vits_stage(decoding, index + 1, given, ends);
        in += count * wide, rows -= count;
    } while (rows > 0);
}

/* Take `rows` latent frames; `last` ends the stream. Writes what samples that gives to out, which has room for
 * (rows + VITS_DECODER_LAG) · VITS_HOP, and returns their number, or -1 if there is no memory for it.
 */
static inline ptrdiff_t vits_decoder_run(const vits_network *net, const vits_kernel *kernel, vits_decoder *decoder,
                                         const float *in, ptrdiff_t rows, int last, float *out) {
    const int C = VITS_CHANNELS;
    vits_memory *memory = vits_own_memory();
    size_t latent = (6 + VITS_FRAMES_MOST + 3) * VITS_CHANNELS, total = VITS_PANEL_FLOATS + latent;
    size_t inputs[VITS_STAGES + 1], rows_of[VITS_STAGES], branches[VITS_STAGES];
    inputs[0] = (VITS_FRAMES_MOST + 8) * VITS_DECODER;
    for (int i = 0; i < VITS_STAGES; i++) {
        size_t channels = (size_t)vits_channels(i);
        size_t made = (size_t)(vits_stage_most(i) + 1) * (size_t)vits_strides[i] + VITS_ROWS_LATE;
        rows_of[i] = (VITS_ROWS_KEPT + made + VITS_ROWS_LATE) * channels;
        branches[i] = (VITS_BRANCH_KEPT + made + VITS_BRANCH_KEPT) * channels;
        inputs[i + 1] = (made + 8 + 6) * channels;
        total += rows_of[i] + branches[i] + inputs[i + 1];
    }
    total += inputs[0];
    if (memory == NULL || !vits_begin(memory, total, 16)) return -1;
    vits_call call = {net, kernel, memory, vits_floats_of(memory, VITS_PANEL_FLOATS)};
    vits_decoding decoding = {&call, decoder, {{0}}, out, 0};
    float *frames = vits_floats_of(memory, latent);
    for (int i = 0; i <= VITS_STAGES; i++) {
        decoding.stage[i].in = vits_floats_of(memory, inputs[i]);
        if (i == VITS_STAGES) break;
        decoding.stage[i].rows = vits_floats_of(memory, rows_of[i]);
        decoding.stage[i].branch = vits_floats_of(memory, branches[i]);
    }
    for (int i = 0; i < VITS_STAGES; i++) /* a stage gives its rows to where the next expects them */
        decoding.stage[i].out = decoding.stage[i + 1].in + (i < VITS_STAGES - 1 ? 1 : 6) * vits_channels(i);
    vits_mode mode = vits_enter();
    do {
        ptrdiff_t count = rows < VITS_FRAMES_MOST ? rows : VITS_FRAMES_MOST;
        int ends = last && count == rows;
        vits_target to = vits_plain;
        vits_copy(frames, decoder->latent, 6, C);
        vits_copy(frames + 6 * C, in, count, C);
        vits_copy(decoder->latent, frames + count * C, 6, C);
        if (ends) memset(frames + (6 + count) * C, 0, 3 * (size_t)C * sizeof(float));
        ptrdiff_t begin = decoder->frames_done, end = vits_reached(decoder->frames + count, 3, begin, ends);
        to.rows = decoding.stage[0].in + VITS_DECODER, to.stride = VITS_DECODER, to.slope = VITS_SLOPE;
        vits_convolve(&call, &net->before, 0, VITS_DECODER, frames + (begin - 3 - decoder->frames + 6) * C, C,
                      end - begin, to);
        decoder->frames += count;
        decoder->frames_done = end;
        vits_stage(&decoding, 0, end - begin, ends);
        in += count * C, rows -= count;
    } while (rows > 0);
    decoder->ended = last;
    vits_leave(mode);
    return decoding.given;
}

#endif
