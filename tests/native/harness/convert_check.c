/* convert.h against a reference in double precision. Argument: step through all 2^32 float32 patterns (1: every one). */
#include <math.h>
#include <string.h>

#include "check.h"
#include "convert.h"

enum { CANARY = 0x5A5A, MARGIN = 8, LONGEST = 67 };

static int16_t reference(float sample) {
    double scaled = (double)sample * 32768.0; /* exact: a float32 and a power of two */
    if (scaled != scaled) return 0;
    if (scaled > 32767.0) return 32767;
    if (scaled < -32768.0) return -32768;
    return (int16_t)nearbyint(scaled);
}

static void every_float32_converts_to_the_nearest_sample(uint64_t step) {
    enum { BATCH = 4096 };
    static float source[BATCH];
    static int16_t target[BATCH];
    for (uint64_t pattern = 0; pattern < 1ull << 32;) {
        size_t count = 0;
        for (; count < BATCH && pattern < 1ull << 32; count++, pattern += step) {
            uint32_t bits = (uint32_t)pattern;
            memcpy(&source[count], &bits, sizeof bits);
        }
        convert_float32_to_int16(source, target, count);
        for (size_t i = 0; i < count; i++) {
            int16_t expected = reference(source[i]), single = convert_sample(source[i]);
            if (target[i] == expected && single == expected) continue;
            fprintf(stderr, "%a converts to %d (one of eight) and %d (alone), expected %d\n", (double)source[i],
                    target[i], single, expected);
            exit(1);
        }
    }
}

static void every_sample_survives_the_way_to_float32_and_back(void) {
    static int16_t all[65536], back[65536];
    static float floats[65536];
    for (int i = 0; i < 65536; i++) all[i] = (int16_t)(i - 32768);
    convert_int16_to_float32(all, floats, 65536);
    for (int i = 0; i < 65536; i++) CHECK_EQUAL(floats[i] == (float)(i - 32768) / 32768.0f, 1);
    convert_float32_to_int16(floats, back, 65536);
    CHECK_EQUAL(memcmp(all, back, sizeof all), 0);
}

/* All lengths and alignments, canaries in front and behind; the level of what came of it. */
static void no_length_or_alignment_writes_beyond_its_target(uint64_t *state) {
    char floats[LONGEST * 4 + 4], samples[(MARGIN + LONGEST + MARGIN) * 2 + 2];
    for (size_t length = 0; length <= LONGEST; length++)
        for (size_t shift = 0; shift < 4; shift++) {
            any_float32 *source = (any_float32 *)(floats + shift);
            any_int16 *target = (any_int16 *)(samples + shift % 2);
            for (size_t i = 0; i < length; i++) source[i] = (float)((double)draw(state) / 0x1p63 - 1.0) * 1.2f;
            for (size_t i = 0; i < MARGIN + LONGEST + MARGIN; i++) target[i] = CANARY;
            int32_t found = 0;
            convert_float32_to_int16(source, target + MARGIN, length);
            peak_add(&found, target + MARGIN, length);
            int32_t peak = 0;
            for (size_t i = 0; i < length; i++) {
                int32_t sample = target[MARGIN + i];
                CHECK_EQUAL(sample, reference(source[i]));
                peak = abs(sample) > peak ? abs(sample) : peak;
            }
            CHECK_EQUAL(found, peak);
            for (size_t i = 0; i < MARGIN; i++) CHECK_EQUAL(target[i], CANARY);
            for (size_t i = MARGIN + length; i < MARGIN + LONGEST + MARGIN; i++) CHECK_EQUAL(target[i], CANARY);
        }
}

static void the_peak_of_the_loudest_signal_does_not_overflow(void) {
    static int16_t loudest[100000];
    for (size_t i = 0; i < 100000; i++) loudest[i] = -32768;
    int32_t peak = 0;
    peak_add(&peak, loudest, 100000);
    CHECK_EQUAL(peak, 32768);
}

/* The mean in integers: floor and remainder of sum / channels, the half going to the even neighbour. */
static int16_t reference_mean(const int16_t *frame, int channels) {
    int sum = 0;
    for (int channel = 0; channel < channels; channel++) sum += frame[channel];
    int below = sum / channels - (sum % channels < 0), remainder = sum - below * channels;
    return (int16_t)(below + (2 * remainder > channels || (2 * remainder == channels && below % 2 != 0)));
}

static void the_mean_of_channels_is_rounded_half_to_even(uint64_t *state) {
    int16_t frames[200 * MONO_MOST_CHANNELS], mono[200];
    for (int channels = 1; channels <= MONO_MOST_CHANNELS; channels++)
        for (int round = 0; round < 50; round++) {
            /* small ranges meet halfway values often, the full range meets the extremes */
            uint64_t range = round % 2 ? 65536 : 16;
            for (int i = 0; i < 200 * channels; i++) frames[i] = (int16_t)(draw(state) % range - range / 2);
            mono_from_int16(frames, (size_t)channels, -1, mono, 200);
            for (int i = 0; i < 200; i++) CHECK_EQUAL(mono[i], reference_mean(frames + i * channels, channels));
            mono_from_int16(frames, (size_t)channels, channels - 1, mono, 200);
            for (int i = 0; i < 200; i++) CHECK_EQUAL(mono[i], frames[i * channels + channels - 1]);
        }
}

int main(int count, char **arguments) {
    uint64_t state = 3;
    every_float32_converts_to_the_nearest_sample(count > 1 ? strtoull(arguments[1], NULL, 10) : 1);
    every_sample_survives_the_way_to_float32_and_back();
    no_length_or_alignment_writes_beyond_its_target(&state);
    the_peak_of_the_loudest_signal_does_not_overflow();
    the_mean_of_channels_is_rounded_half_to_even(&state);
    puts("convert: all checks passed");
    return 0;
}
