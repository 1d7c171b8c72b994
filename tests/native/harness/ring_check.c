/* Every behaviour of spsc.h in one thread: the corner cases by name, then random operations against a plain model. */
#include "check.h"
#include "spsc.h"

enum { CANARY = 0x5A5A, MARGIN = 8 };

static void fill_expected(int16_t *target, uint64_t index, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) target[i] = sample_at(index + i);
}

static void check_samples(const int16_t *samples, uint64_t index, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) CHECK_EQUAL(samples[i], sample_at(index + i));
}

static void capacity_is_rounded_up_to_a_power_of_two(void) {
    const uint64_t asked[] = {1, 2, 3, 1000, 1024, 1025}, given[] = {1, 2, 4, 1024, 1024, 2048};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        spsc_ring *ring = spsc_open(asked[i]);
        CHECK_EQUAL(ring->capacity, given[i]);
        spsc_close(ring);
    }
}

static void a_ring_that_no_memory_can_hold_is_refused(void) { CHECK_EQUAL(spsc_open(1ull << 60) == NULL, 1); }

static void a_full_ring_refuses_and_counts(void) {
    int16_t block[12];
    fill_expected(block, 0, 12);
    spsc_ring *ring = spsc_open(8);
    CHECK_EQUAL(spsc_write(ring, block, 12), 8);
    CHECK_EQUAL(ring->dropped, 4);
    CHECK_EQUAL(spsc_write(ring, block, 3), 0);
    CHECK_EQUAL(ring->dropped, 7);
    CHECK_EQUAL(spsc_read(ring, block, 12), 8);
    check_samples(block, 0, 8);
    CHECK_EQUAL(spsc_read(ring, block, 12), 0);
    spsc_close(ring);
}

static void a_discard_from_the_producer_takes_effect_at_the_next_read(void) {
    int16_t block[8];
    fill_expected(block, 0, 8);
    spsc_ring *ring = spsc_open(8);
    spsc_write(ring, block, 8);
    CHECK_EQUAL(spsc_discard_pending(ring), 0);
    spsc_discard_before(ring, 5);
    spsc_discard_before(ring, 2); /* never backwards */
    CHECK_EQUAL(spsc_size(ring), 3);
    CHECK_EQUAL(spsc_discard_pending(ring), 5);
    CHECK_EQUAL(ring->read, 0); /* only the consumer moves its index, */
    CHECK_EQUAL(spsc_write(ring, block, 1), 0); /* so the room is not free yet */
    CHECK_EQUAL(spsc_read(ring, block, 2), 2);
    check_samples(block, 5, 2);
    CHECK_EQUAL(ring->discarded, 5);
    CHECK_EQUAL(spsc_write(ring, block, 8), 7);
    CHECK_EQUAL(spsc_discard(ring), 8);
    CHECK_EQUAL(ring->read, ring->written);
    CHECK_EQUAL(ring->discarded, 13);
    spsc_close(ring);
}

static void a_wiped_ring_holds_nothing_but_zeros(uint64_t capacity) {
    int16_t block[64];
    fill_expected(block, 0, 64);
    spsc_ring *ring = spsc_open(capacity);
    for (uint64_t written = 0; written < capacity / 2 + 1; written += 64) spsc_write(ring, block, 64);
    spsc_wipe(ring);
    CHECK_EQUAL(spsc_size(ring), 0);
    for (uint64_t i = 0; i < ring->capacity; i++) CHECK_EQUAL(ring->samples[i], 0);
    spsc_close(ring);
}

/* Random writes, reads, peeks and discards of random sizes, checked sample by sample, with canaries around. */
static void random_operations_agree_with_the_model(uint64_t capacity, uint64_t seed, int rounds) {
    int16_t block[MARGIN + 100 + MARGIN];
    int16_t *inside = block + MARGIN;
    uint64_t state = seed, written = 0, start = 0, dropped = 0, discarded = 0, seen_read = 0;
    spsc_ring *ring = spsc_open(capacity);
    for (int round = 0; round < rounds; round++) {
        uint64_t count = draw(&state) % 100, waiting = written - start, taken;
        for (size_t i = 0; i < sizeof block / sizeof *block; i++) block[i] = CANARY;
        switch (draw(&state) % 8) {
        case 0: case 1: case 2:
            fill_expected(inside, written, count);
            taken = spsc_min(count, ring->capacity - (written - seen_read));
            CHECK_EQUAL(spsc_write(ring, inside, count), taken);
            written += taken, dropped += count - taken;
            count = 100; /* a write leaves the block alone */
            break;
        case 3: case 4: case 5:
            taken = spsc_min(count, waiting);
            CHECK_EQUAL(spsc_peek(ring, inside, count), taken);
            check_samples(inside, start, taken);
            CHECK_EQUAL(spsc_read(ring, inside, count), taken);
            check_samples(inside, start, taken);
            count = taken, start += taken, discarded = ring->discarded, seen_read = start;
            break;
        case 6:
            spsc_discard_before(ring, written - count % (waiting + 1));
            start = written - count % (waiting + 1), count = 0;
            break;
        default:
            if (count < 90) { count = 0; break; } /* seldom, or the ring would hardly ever fill */
            spsc_discard(ring);
            start = seen_read = written, count = 0;
        }
        for (size_t i = 0; i < MARGIN; i++) {
            CHECK_EQUAL(block[i], CANARY);
            CHECK_EQUAL(block[MARGIN + 100 + i], CANARY);
        }
        for (uint64_t i = count; i < 100; i++) CHECK_EQUAL(inside[i], CANARY);
        CHECK_EQUAL(spsc_size(ring), written - start);
        CHECK_EQUAL(ring->written, written);
        CHECK_EQUAL(ring->dropped, dropped);
    }
    CHECK_EQUAL(discarded <= ring->discarded, 1);
    spsc_close(ring);
}

int main(void) {
    capacity_is_rounded_up_to_a_power_of_two();
    a_ring_that_no_memory_can_hold_is_refused();
    a_full_ring_refuses_and_counts();
    a_discard_from_the_producer_takes_effect_at_the_next_read();
    a_wiped_ring_holds_nothing_but_zeros(64);
    a_wiped_ring_holds_nothing_but_zeros(100000);
    const uint64_t capacities[] = {1, 2, 16, 64, 256};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++)
        random_operations_agree_with_the_model(capacities[i], 42 + i, 20000);
    puts("ring: all checks passed");
    return 0;
}
