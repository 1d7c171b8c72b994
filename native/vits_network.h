/* The network of a "medium" Piper voice: its sizes, its weights in a mapped file, and working memory for a thread.
 *
 * The file is what appliance/speaking/weights.py writes: 64 bytes of header, then every layer in the order in which
 * vits_open() takes them, with nothing between. Weights of convolutions are float16 in blocks of VITS_BLOCK columns,
 * [columns / block][taps][in][block]; the rest is float32. Everything begins at a multiple of 64 bytes. The sizes
 * follow from the number of symbols alone, so a file of any other size is refused and no content can lead outside it.
 */
#ifndef VITS_NETWORK_H
#define VITS_NETWORK_H

#include <pthread.h>
#include <stdlib.h>

#include "vits_kernels.h"

enum {
    VITS_VERSION = 1,
    VITS_HEADER = 64,
    VITS_CHANNELS = 192,
    VITS_HALF = VITS_CHANNELS / 2,
    VITS_TEXT_LAYERS = 6,
    VITS_HEADS = 2,
    VITS_HEAD = VITS_CHANNELS / VITS_HEADS,
    VITS_REACH = 4, /* how far attention tells distances apart */
    VITS_INNER = 768,
    VITS_STATS = 2 * VITS_CHANNELS, /* a symbol's mean and log of the deviation, for every channel */
    VITS_BINS = 10, /* of the splines that shape durations */
    VITS_SPLINES = 3,
    VITS_COUPLINGS = 4,
    VITS_WAVES = 4, /* layers in a coupling */
    VITS_STAGES = 3,
    VITS_BRANCHES = 3,
    VITS_DECODER = 256,
    VITS_HOP = 256, /* samples a frame */
    VITS_LAST = 32, /* channels before the last layer, which has 7 taps and one column */
};
static const int vits_strides[VITS_STAGES] = {8, 8, 4};
static const int vits_taps[VITS_BRANCHES] = {3, 5, 7};
static const int vits_dilations[VITS_BRANCHES][2] = {{1, 2}, {2, 6}, {3, 12}};

typedef struct {
    int in, out, taps, dilation;
    const uint16_t *weights;
    const float *bias;
} vits_layer;

typedef struct { const float *gamma, *beta; } vits_norm;

typedef struct { /* three times: depthwise, norm, gelu, 1×1, norm, gelu */
    const float *depthwise[3], *bias[3];
    vits_norm before[3], after[3];
    vits_layer pointwise[3];
} vits_separable;

typedef struct {
    uint32_t symbols;
    const float *embedding;
    struct {
        vits_layer qkv, joined, widened, narrowed;
        const float *near_keys, *near_values; /* [2 · VITS_REACH + 1][VITS_HEAD] */
        vits_norm attended, fed;
    } text[VITS_TEXT_LAYERS];
    vits_layer stats;
    vits_layer duration_before, duration_after;
    vits_separable duration;
    struct {
        const float *weights, *bias;
        vits_separable layers;
        vits_layer parameters;
    } spline[VITS_SPLINES];
    const float *affine; /* of the log durations: what is taken off, then the factor */
    struct {
        vits_layer before, wave[VITS_WAVES], mixed[VITS_WAVES], after;
    } coupling[VITS_COUPLINGS];
    vits_layer before;
    struct {
        vits_layer up, branch[VITS_BRANCHES][2];
    } stage[VITS_STAGES];
    const float *output; /* [7][VITS_LAST] */
} vits_network;

static inline int vits_channels(int stage) { return VITS_DECODER >> (stage + 1); }

/* The next `bytes` of the file, rounded up to whole 64; with base NULL only the offset moves. */
static inline const void *vits_take(const char *base, size_t *offset, size_t bytes) {
    const void *at = base == NULL ? NULL : base + *offset;
    *offset += (bytes + 63) & ~(size_t)63;
    return at;
}

static inline const float *vits_floats(const char *base, size_t *offset, size_t count) {
    return vits_take(base, offset, count * sizeof(float));
}

static inline vits_layer vits_take_layer(const char *base, size_t *offset, int in, int out, int taps, int dilation) {
    int columns = (out + VITS_COLUMNS - 1) / VITS_COLUMNS * VITS_COLUMNS;
    vits_layer layer = {in, columns, taps, dilation, NULL, NULL};
    layer.weights = vits_take(base, offset, (size_t)columns * (size_t)taps * (size_t)in * sizeof(uint16_t));
    layer.bias = vits_floats(base, offset, (size_t)columns);
    return layer;
}

static inline vits_norm vits_take_norm(const char *base, size_t *offset) {
    vits_norm norm;
    norm.gamma = vits_floats(base, offset, VITS_CHANNELS);
    norm.beta = vits_floats(base, offset, VITS_CHANNELS);
    return norm;
}

static inline void vits_take_separable(const char *base, size_t *offset, vits_separable *layers) {
    for (int i = 0; i < 3; i++) {
        layers->depthwise[i] = vits_floats(base, offset, 3 * VITS_CHANNELS);
        layers->bias[i] = vits_floats(base, offset, VITS_CHANNELS);
        layers->before[i] = vits_take_norm(base, offset);
        layers->pointwise[i] = vits_take_layer(base, offset, VITS_CHANNELS, VITS_CHANNELS, 1, 1);
        layers->after[i] = vits_take_norm(base, offset);
    }
}

/* Point the network into a file's bytes, or with base NULL only count them. Returns the size such a file has. */
static inline size_t vits_lay_out(const char *base, uint32_t symbols, vits_network *net) {
    size_t at = VITS_HEADER;
    net->symbols = symbols;
    net->embedding = vits_floats(base, &at, (size_t)symbols * VITS_CHANNELS);
    for (int i = 0; i < VITS_TEXT_LAYERS; i++) {
        net->text[i].qkv = vits_take_layer(base, &at, VITS_CHANNELS, 3 * VITS_CHANNELS, 1, 1);
        net->text[i].near_keys = vits_floats(base, &at, (2 * VITS_REACH + 1) * VITS_HEAD);
        net->text[i].near_values = vits_floats(base, &at, (2 * VITS_REACH + 1) * VITS_HEAD);
        net->text[i].joined = vits_take_layer(base, &at, VITS_CHANNELS, VITS_CHANNELS, 1, 1);
        net->text[i].attended = vits_take_norm(base, &at);
        net->text[i].widened = vits_take_layer(base, &at, VITS_CHANNELS, VITS_INNER, 3, 1);
        net->text[i].narrowed = vits_take_layer(base, &at, VITS_INNER, VITS_CHANNELS, 3, 1);
        net->text[i].fed = vits_take_norm(base, &at);
    }
    net->stats = vits_take_layer(base, &at, VITS_CHANNELS, VITS_STATS, 1, 1);
    net->duration_before = vits_take_layer(base, &at, VITS_CHANNELS, VITS_CHANNELS, 1, 1);
    vits_take_separable(base, &at, &net->duration);
    net->duration_after = vits_take_layer(base, &at, VITS_CHANNELS, VITS_CHANNELS, 1, 1);
    for (int i = 0; i < VITS_SPLINES; i++) {
        net->spline[i].weights = vits_floats(base, &at, VITS_CHANNELS);
        net->spline[i].bias = vits_floats(base, &at, VITS_CHANNELS);
        vits_take_separable(base, &at, &net->spline[i].layers);
        net->spline[i].parameters = vits_take_layer(base, &at, VITS_CHANNELS, 3 * VITS_BINS - 1, 1, 1);
    }
    net->affine = vits_floats(base, &at, 2);
    for (int i = 0; i < VITS_COUPLINGS; i++) {
        net->coupling[i].before = vits_take_layer(base, &at, VITS_HALF, VITS_CHANNELS, 1, 1);
        for (int j = 0; j < VITS_WAVES; j++) {
            net->coupling[i].wave[j] = vits_take_layer(base, &at, VITS_CHANNELS, 2 * VITS_CHANNELS, 5, 1);
            net->coupling[i].mixed[j] =
                vits_take_layer(base, &at, VITS_CHANNELS, (j < VITS_WAVES - 1 ? 2 : 1) * VITS_CHANNELS, 1, 1);
        }
        net->coupling[i].after = vits_take_layer(base, &at, VITS_CHANNELS, VITS_HALF, 1, 1);
    }
    net->before = vits_take_layer(base, &at, VITS_CHANNELS, VITS_DECODER, 7, 1);
    for (int i = 0; i < VITS_STAGES; i++) {
        int channels = vits_channels(i);
        net->stage[i].up = vits_take_layer(base, &at, 2 * channels, vits_strides[i] * channels, 2, 1);
        for (int j = 0; j < VITS_BRANCHES; j++)
            for (int k = 0; k < 2; k++)
                net->stage[i].branch[j][k] =
                    vits_take_layer(base, &at, channels, channels, vits_taps[j], vits_dilations[j][k]);
    }
    net->output = vits_floats(base, &at, 7 * VITS_LAST);
    return at;
}

/* Read a weights file's bytes, which must stay in place, at a multiple of 64. Returns NULL, or what is wrong. */
static inline const char *vits_open(const void *file, size_t bytes, vits_network *net) {
    uint32_t version, symbols;
    if ((uintptr_t)file % 64 != 0) return "its bytes do not begin at a multiple of 64";
    if (bytes < VITS_HEADER || memcmp(file, "STIMVITS", 8) != 0) return "it is not a weights file of Stimme";
    memcpy(&version, (const char *)file + 8, 4);
    memcpy(&symbols, (const char *)file + 12, 4);
    if (version != VITS_VERSION) return "it was written by another release";
    if (symbols < 1 || symbols > 4096) return "it has no sensible number of symbols";
    if (vits_lay_out(NULL, symbols, net) != bytes) return "it is incomplete or too long";
    vits_lay_out(file, symbols, net);
    return NULL;
}

/* ---- working memory: one block a thread, for every voice, kept until the thread ends ---- */

typedef struct {
    char *block;
    size_t size, used;
} vits_memory;

static pthread_key_t vits_memory_key;
static pthread_once_t vits_memory_once = PTHREAD_ONCE_INIT;

static inline void vits_forget(void *memory) {
    free(((vits_memory *)memory)->block);
    free(memory);
}

static inline void vits_make_memory_key(void) { pthread_key_create(&vits_memory_key, vits_forget); }

/* The calling thread's; NULL if there is none to be had. */
static inline vits_memory *vits_own_memory(void) {
    pthread_once(&vits_memory_once, vits_make_memory_key);
    vits_memory *memory = pthread_getspecific(vits_memory_key);
    if (memory == NULL) {
        memory = calloc(1, sizeof(*memory));
        pthread_setspecific(vits_memory_key, memory);
    }
    return memory;
}

/* Begin a call that will take at most `floats` in at most `pieces` pieces; 0 if there is no memory for it. */
static inline int vits_begin(vits_memory *memory, size_t floats, size_t pieces) {
    size_t bytes = floats * sizeof(float) + pieces * 64;
    memory->used = 0;
    if (bytes > memory->size) {
        free(memory->block);
        memory->size = 0;
        memory->block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
        if (memory->block == NULL) return 0;
        memory->size = bytes;
    }
    return 1;
}

static inline float *vits_floats_of(vits_memory *memory, size_t count) {
    float *at = (float *)(memory->block + memory->used);
    memory->used += (count * sizeof(float) + 63) & ~(size_t)63;
    return at;
}

/* ---- a convolution ---- */

typedef struct {
    const vits_network *net;
    const vits_kernel *kernel;
    vits_memory *memory;
    float *panel; /* [VITS_WIDEST_DEPTH][kernel->panel] */
} vits_call;

#define VITS_PANEL_FLOATS ((size_t)VITS_WIDEST_DEPTH * VITS_COLUMNS)

/* What happens to a convolution's result; see vits_target. */
static const vits_target vits_plain = {NULL, 0, NULL, NULL, 0, 0, 0, 1.0f, 1.0f};

/* Columns begin … end of a layer for `rows` rows: `in` points to the first row's first tap, and `to` to column begin. */
static inline void vits_convolve(const vits_call *call, const vits_layer *layer, int begin, int end, const float *in,
                                 ptrdiff_t stride, ptrdiff_t rows, vits_target to) {
    ptrdiff_t depth = (ptrdiff_t)layer->taps * layer->in;
    vits_source from = {in, stride, layer->dilation * stride, layer->taps, layer->in};
    if (rows <= 0) return;
    for (int column = begin; column < end; column += call->kernel->panel) {
        call->kernel->widen(layer->weights + column * depth, depth, call->panel);
        to.bias = layer->bias + column;
        call->kernel->multiply(&from, call->panel, rows, &to);
        to.rows += call->kernel->panel;
        if (to.residual != NULL) to.residual += call->kernel->panel;
    }
}

/* ---- numbers too small to matter must not slow a call down ---- */

#if defined __x86_64__
typedef unsigned int vits_mode;
static inline vits_mode vits_enter(void) {
    vits_mode before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
    return before;
}
static inline void vits_leave(vits_mode before) { _mm_setcsr(before); }
#elif defined __aarch64__
typedef uint64_t vits_mode;
static inline vits_mode vits_enter(void) {
    vits_mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (UINT64_C(1) << 24)) : "memory");
    return before;
}
static inline void vits_leave(vits_mode before) { __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory"); }
#else
typedef int vits_mode;
static inline vits_mode vits_enter(void) { return 0; }
static inline void vits_leave(vits_mode before) { (void)before; }
#endif

#endif
