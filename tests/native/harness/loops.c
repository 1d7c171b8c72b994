/* The hot loops of convert.h, one function each, so that the compiler's report and the disassembly name them. */
#include "convert.h"

void float32_to_int16(const any_float32 *source, any_int16 *target, size_t count) {
    convert_float32_to_int16(source, target, count);
}

void int16_to_float32(const any_int16 *restrict source, any_float32 *restrict target, size_t count) {
    convert_int16_to_float32(source, target, count);
}

void peak(int32_t *peak, const any_int16 *samples, size_t count) { peak_add(peak, samples, count); }
