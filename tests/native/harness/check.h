/* What the C harness needs to check and to draw reproducible numbers. */
#ifndef STIMME_CHECK_H
#define STIMME_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_EQUAL(actual, expected)                                                                           \
    do {                                                                                                        \
        long long actual_value = (long long)(actual), expected_value = (long long)(expected);                   \
        if (actual_value != expected_value) {                                                                   \
            fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #actual, actual_value,    \
                    expected_value);                                                                            \
            exit(1);                                                                                            \
        }                                                                                                       \
    } while (0)

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003); the state must not be 0. */
static inline uint64_t draw(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The sample that belongs to an index: no two indices near each other, or a power of two apart, agree by rule. */
static inline int16_t sample_at(uint64_t index) { return (int16_t)((index * 0x9E3779B97F4A7C15u) >> 40); }

#endif
