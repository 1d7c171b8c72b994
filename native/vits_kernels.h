/* The voice's arithmetic, once for each instruction set, and the choice between them when the program runs.
 *
 * x86-64 is compiled for three sets in one file: GCC sees the set in force from the pragmas, and nothing outside them
 * uses more than every machine has. aarch64 has NEON everywhere.
 */
#ifndef VITS_KERNELS_H
#define VITS_KERNELS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

#define VITS_BLOCK 16     /* columns that lie side by side in the weights file */
#define VITS_COLUMNS 32   /* every layer's columns are padded to a multiple of this, the widest panel */
#define VITS_SLOPE 0.1f   /* of the leaky rectifier inside the decoder */
#define VITS_WIDEST_DEPTH 2304  /* taps × channels of the layer with most of them (768 channels, 3 taps) */

/* Rows to be convolved: row r's tap t begins at rows + r * stride + t * tap_stride. */
typedef struct {
    const float *rows;
    ptrdiff_t stride, tap_stride;
    int taps;
    ptrdiff_t in;
} vits_source;

/* Where a convolution's result goes and what is done to it on the way; see finish(). */
typedef struct {
    float *rows;
    ptrdiff_t stride;
    const float *bias;
    const float *residual;
    ptrdiff_t residual_stride;
    int residual_is_leaky; /* the residual was rectified with VITS_SLOPE; what it was before is added */
    int adds;
    float scale, slope; /* 1 for none */
} vits_target;

typedef struct {
    int panel; /* columns that multiply() computes at once */
    void (*widen)(const uint16_t *blocks, ptrdiff_t depth, float *panel);
    void (*multiply)(const vits_source *from, const float *panel, ptrdiff_t rows, const vits_target *to);
    void (*gate)(const float *in, float *out, ptrdiff_t rows, int channels);
    void (*normalise)(const float *in, float *out, ptrdiff_t rows, int channels, const float *gamma, const float *beta);
    void (*gelu)(float *x, const float *residual, ptrdiff_t count);
    void (*softmax)(float *x, ptrdiff_t rows, ptrdiff_t count, ptrdiff_t stride);
    void (*depthwise)(const float *in, float *out, ptrdiff_t rows, int channels, ptrdiff_t reach, const float *weights,
                      const float *bias);
    void (*output)(const float *in, ptrdiff_t stride, ptrdiff_t rows, const float *weights, int depth, float *out);
} vits_kernel;

/* binary16 → binary32, also for subnormal numbers (even while the processor takes those of binary32 for 0). */
static inline float vits_float16(uint16_t half) {
    uint32_t rest = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float subnormal = (float)(half & 0x3ff) * 0x1p-24f;
    uint32_t bits, normal = rest + (rest >= 0x0f800000 ? 224u << 23 : 112u << 23); /* infinity and NaN stay so */
    memcpy(&bits, &subnormal, 4);
    bits = sign | (rest < 0x00800000 ? bits : normal);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

#if defined __x86_64__
#pragma GCC push_options
#ifdef VITS_AVX512_WITHOUT /* for tests on machines without it: the same code, its vectors made of two */
#pragma GCC target("avx2,fma,f16c")
#else
#pragma GCC target("avx512f,avx512vl,avx2,fma,f16c,prefer-vector-width=512")
#endif
#define VITS_SET avx512
#define VITS_LANES 16
#define VITS_ROWS 12
#define VITS_WIDE 2
#include "vits_kernel.h"
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#define VITS_SET avx2
#define VITS_LANES 8
#define VITS_ROWS 6
#define VITS_WIDE 2
#include "vits_kernel.h"
#pragma GCC pop_options

#define VITS_SET sse2
#define VITS_LANES 4
#define VITS_ROWS 3
#define VITS_WIDE 4
#include "vits_kernel.h"
#elif defined __aarch64__
#define VITS_SET neon
#define VITS_LANES 4
#define VITS_ROWS 5
#define VITS_WIDE 4
#include "vits_kernel.h"
#else
#define VITS_SET plain
#define VITS_LANES 4
#define VITS_ROWS 3
#define VITS_WIDE 4
#include "vits_kernel.h"
#endif

typedef struct {
    const char *name;
    const vits_kernel *kernel;
    int is_slow; /* onnxruntime is quicker on a machine that has no more than this */
} vits_set;

/* All that were compiled, the best first. */
static const vits_set vits_sets[] = {
#if defined __x86_64__
    {"avx512", &vits_kernel_avx512, 0}, {"avx2", &vits_kernel_avx2, 0}, {"sse2", &vits_kernel_sse2, 1},
#elif defined __aarch64__
    {"neon", &vits_kernel_neon, 0},
#else
    {"plain", &vits_kernel_plain, 1},
#endif
};
#define VITS_SETS ((int)(sizeof(vits_sets) / sizeof(vits_sets[0])))

/* Whether this machine has the instructions of vits_sets[index]. */
static inline int vits_runs(int index) {
#if defined __x86_64__
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
#ifndef VITS_AVX512_WITHOUT
    if (index == 0) return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
#endif
    if (index <= 1) return avx2;
#endif
    return index >= 0 && index < VITS_SETS;
}

#endif
