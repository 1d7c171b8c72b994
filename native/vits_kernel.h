/* The arithmetic of the voice's network for one instruction set. vits_kernels.h includes this once for each, with
 *
 *   VITS_SET    the set's name, a suffix of every function here
 *   VITS_LANES  float32 in a vector
 *   VITS_ROWS   rows that one tile computes at once, so that its sums fill the registers and no more
 *   VITS_WIDE   vectors side by side in a tile; VITS_LANES * VITS_WIDE columns are one panel
 *
 * Everything is row-major with time downward: a row holds all channels of one moment. Tiles are written with vectors,
 * the other loops are left to the compiler, which sees the instruction set in force.
 */
#define VITS_JOIN_(name, set) name##_##set
#define VITS_JOIN(name, set) VITS_JOIN_(name, set)
#define K(name) VITS_JOIN(name, VITS_SET)
#define PANEL (VITS_LANES * VITS_WIDE)
#define INLINE static inline __attribute__((always_inline))

typedef float K(vector) __attribute__((vector_size(4 * VITS_LANES)));
typedef int32_t K(bits) __attribute__((vector_size(4 * VITS_LANES)));
/* A vector somewhere in memory. Only ever behind a pointer: GCC 14 for aarch64 does not survive it as a parameter. */
typedef float K(loose) __attribute__((vector_size(4 * VITS_LANES), aligned(4), may_alias));

/* float16 (IEEE 754 binary16) of PANEL / VITS_BLOCK neighbouring blocks → one panel [depth][PANEL] of float32. */
static void K(widen)(const uint16_t *blocks, ptrdiff_t depth, float *panel) {
    for (ptrdiff_t i = 0; i < depth; i++)
        for (int block = 0; block < PANEL / VITS_BLOCK; block++) {
            const uint16_t *source = blocks + (block * depth + i) * VITS_BLOCK;
            float *target = panel + i * PANEL + block * VITS_BLOCK;
#if defined __AVX512F__
            _mm512_storeu_ps(target, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)source)));
#elif defined __F16C__
            _mm256_storeu_ps(target, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)source)));
            _mm256_storeu_ps(target + 8, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(source + 8))));
#elif defined __aarch64__
            for (int j = 0; j < VITS_BLOCK; j += 4)
                vst1q_f32(target + j, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(source + j))));
#else
            for (int j = 0; j < VITS_BLOCK; j++) target[j] = vits_float16(source[j]);
#endif
        }
}

INLINE K(vector) K(load)(const float *at) { return *(const K(loose) *)at; }

/* Where `below` has all bits of a number set, that of yes, elsewhere that of no. */
INLINE K(vector) K(choose)(K(bits) below, K(vector) yes, K(vector) no) {
    return (K(vector))((below & (K(bits))yes) | (~below & (K(bits))no));
}

/* What becomes of a tile's sums: + bias, + residual, + what the target holds, × scale, then leaky. */
INLINE void K(finish)(K(vector) sums[VITS_ROWS][VITS_WIDE], const int rows, const vits_target *to) {
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VITS_WIDE; v++) sums[r][v] += K(load)(to->bias + v * VITS_LANES);
    if (to->residual != NULL)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < VITS_WIDE; v++) {
                K(vector) residual = K(load)(to->residual + r * to->residual_stride + v * VITS_LANES);
                K(vector) plain = residual * (1.0f / VITS_SLOPE);
                sums[r][v] += to->residual_is_leaky ? K(choose)(plain < residual, plain, residual) : residual;
            }
    if (to->adds)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < VITS_WIDE; v++) sums[r][v] += K(load)(to->rows + r * to->stride + v * VITS_LANES);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VITS_WIDE; v++) {
            K(vector) sum = sums[r][v] * to->scale;
            *(K(loose) *)(to->rows + r * to->stride + v * VITS_LANES) =
                K(choose)(sum < (K(vector)){0}, sum * to->slope, sum);
        }
}

/* `rows` (a constant) rows of a convolution: PANEL sums each over taps × in products. */
INLINE void K(tile)(const vits_source *from, const float *panel, const int rows, const vits_target *to) {
    K(vector) sums[VITS_ROWS][VITS_WIDE];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VITS_WIDE; v++) sums[r][v] = (K(vector)){0};
    for (int tap = 0; tap < from->taps; tap++) {
        const float *x = from->rows + tap * from->tap_stride;
        ptrdiff_t c = 0;
#if defined __aarch64__ && VITS_LANES == 4
        for (; c + 4 <= from->in; c += 4, panel += 4 * PANEL) { /* one load gives four factors of a row */
            float32x4_t factors[VITS_ROWS];
            for (int r = 0; r < rows; r++) factors[r] = vld1q_f32(x + r * from->stride + c);
#define STEP(lane)                                                                                      \
    for (int v = 0; v < VITS_WIDE; v++) {                                                               \
        float32x4_t weights = vld1q_f32(panel + lane * PANEL + 4 * v);                                  \
        for (int r = 0; r < rows; r++)                                                                  \
            sums[r][v] = vfmaq_laneq_f32(sums[r][v], weights, factors[r], lane);                        \
    }
            STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
        }
#endif
        for (; c < from->in; c++, panel += PANEL) {
            K(vector) weights[VITS_WIDE];
            for (int v = 0; v < VITS_WIDE; v++) weights[v] = K(load)(panel + v * VITS_LANES);
            for (int r = 0; r < rows; r++) {
                float factor = x[r * from->stride + c];
                for (int v = 0; v < VITS_WIDE; v++) sums[r][v] += weights[v] * factor;
            }
        }
    }
    K(finish)(sums, rows, to);
}

/* A convolution's PANEL columns for `rows` rows. */
static void K(multiply)(const vits_source *source, const float *panel, ptrdiff_t rows, const vits_target *target) {
    vits_source from = *source;
    vits_target to = *target;
#define TILES(n)                                                                       \
    for (; n <= VITS_ROWS && rows >= n; rows -= n) {                                   \
        K(tile)(&from, panel, n <= VITS_ROWS ? n : 1, &to);                            \
        from.rows += n * from.stride;                                                  \
        to.rows += n * to.stride;                                                      \
        if (to.residual != NULL) to.residual += n * to.residual_stride;                \
    }
    TILES(VITS_ROWS) TILES(6) TILES(3) TILES(2) TILES(1)
#undef TILES
}

/* e^x to 1 unit in the last place or so; ±infinity and beyond become e^±87. */
INLINE float K(exponential)(float x) {
    const float shift = 12582912.0f; /* 1.5 · 2^23: what is added to it is rounded to an integer */
    x = x > 87.0f ? 87.0f : x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + shift, whole = shifted - shift;
    float f = (x - whole * 0.693145752f) - whole * 1.42860677e-6f; /* ln 2 in two parts */
    float p = 1.0f + f * (1.0f + f * (0.5f + f * (0.166666657f + f * (0.0416665003f
        + f * (0.00833345205f + f * 0.00139304355f)))));
    uint32_t bits;
    memcpy(&bits, &shifted, 4);
    bits = (bits + 127u) << 23; /* the low bits of `shifted` are the integer, modulo 2^9 and more */
    float power;
    memcpy(&power, &bits, 4);
    return p * power;
}

/* tanh of the first half of the channels × logistic of the second; in: [rows][2 · channels], out: [rows][channels]. */
static void K(gate)(const float *in, float *out, ptrdiff_t rows, int channels) {
    for (; rows > 0; rows--, in += 2 * channels, out += channels)
        for (int c = 0; c < channels; c++) {
            float a = in[c], b = in[channels + c];
            a = a > 15.0f ? 15.0f : a < -15.0f ? -15.0f : a; /* beyond, tanh is 1 in float32 */
            float ea = K(exponential)(-2.0f * a), eb = K(exponential)(-b);
            out[c] = (1.0f - ea) / ((1.0f + ea) * (1.0f + eb));
        }
}

/* Rows normalised to mean 0 and variance 1, × gamma, + beta (VITS adds 1e-5 to the variance). May be in place. */
static void K(normalise)(const float *in, float *out, ptrdiff_t rows, int channels, const float *gamma,
                         const float *beta) {
    for (; rows > 0; rows--, in += channels, out += channels) {
        float parts[16] = {0}, squares[16] = {0}, mean = 0.0f, variance = 0.0f;
        for (int c = 0; c < channels; c += 16)
            for (int j = 0; j < 16; j++) parts[j] += in[c + j];
        for (int j = 0; j < 16; j++) mean += parts[j];
        mean /= (float)channels;
        for (int c = 0; c < channels; c += 16)
            for (int j = 0; j < 16; j++) squares[j] += (in[c + j] - mean) * (in[c + j] - mean);
        for (int j = 0; j < 16; j++) variance += squares[j];
        float factor = 1.0f / sqrtf(variance / (float)channels + 1e-5f);
        for (int c = 0; c < channels; c++) out[c] = (in[c] - mean) * factor * gamma[c] + beta[c];
    }
}

/* x ← x · Φ(x), with erf by Abramowitz and Stegun 7.1.26 (1.5e-7), + residual where there is one. */
static void K(gelu)(float *x, const float *residual, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) {
        float z = fabsf(x[i]) * 0.707106781f, t = 1.0f / (1.0f + 0.3275911f * z);
        float tail = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f
            + t * 1.061405429f)))) * K(exponential)(-z * z);
        float error = 1.0f - tail;
        x[i] = 0.5f * x[i] * (1.0f + (x[i] < 0.0f ? -error : error));
    }
    if (residual != NULL)
        for (ptrdiff_t i = 0; i < count; i++) x[i] += residual[i];
}

/* The first `count` numbers of each row → e^x / their sum. */
static void K(softmax)(float *x, ptrdiff_t rows, ptrdiff_t count, ptrdiff_t stride) {
    for (; rows > 0; rows--, x += stride) {
        float most = x[0], sum = 0.0f;
        for (ptrdiff_t i = 1; i < count; i++) most = x[i] > most ? x[i] : most;
        for (ptrdiff_t i = 0; i < count; i++) x[i] = K(exponential)(x[i] - most);
        for (ptrdiff_t i = 0; i < count; i++) sum += x[i];
        sum = 1.0f / sum;
        for (ptrdiff_t i = 0; i < count; i++) x[i] *= sum;
    }
}

/* A convolution that keeps channels apart: three taps `reach` rows apart, zeros beyond the ends. weights: [3][channels] */
static void K(depthwise)(const float *in, float *out, ptrdiff_t rows, int channels, ptrdiff_t reach,
                         const float *weights, const float *bias) {
    for (ptrdiff_t r = 0; r < rows; r++, out += channels) {
        const float *x = in + r * channels;
        for (int c = 0; c < channels; c++) out[c] = bias[c] + x[c] * weights[channels + c];
        if (r >= reach)
            for (int c = 0; c < channels; c++) out[c] += x[c - reach * channels] * weights[c];
        if (r + reach < rows)
            for (int c = 0; c < channels; c++) out[c] += x[c + reach * channels] * weights[2 * channels + c];
    }
}

/* The decoder's last layer: one column of `depth` products (a multiple of 16) a row, then tanh. */
static void K(output)(const float *in, ptrdiff_t stride, ptrdiff_t rows, const float *weights, int depth, float *out) {
    for (ptrdiff_t r = 0; r < rows; r++, in += stride) {
        float parts[16] = {0}, sum = 0.0f;
        for (int i = 0; i < depth; i += 16)
            for (int j = 0; j < 16; j++) parts[j] += in[i + j] * weights[i + j];
        for (int j = 0; j < 16; j++) sum += parts[j];
        out[r] = sum;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        float a = out[r] > 15.0f ? 15.0f : out[r] < -15.0f ? -15.0f : out[r];
        float e = K(exponential)(-2.0f * a);
        out[r] = (1.0f - e) / (1.0f + e);
    }
}

static const vits_kernel K(vits_kernel) = {
    PANEL, K(widen), K(multiply), K(gate), K(normalise), K(gelu), K(softmax), K(depthwise), K(output)};

#undef K
#undef PANEL
#undef INLINE
#undef VITS_JOIN
#undef VITS_JOIN_
#undef VITS_SET
#undef VITS_LANES
#undef VITS_ROWS
#undef VITS_WIDE
