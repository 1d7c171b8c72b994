/* Two threads and a small ring: every sample arrives once, in order, unless a flush discarded it. Argument: samples. */
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "spsc.h"

enum { CAPACITY = 256, MOST = 100 };

static uint64_t total;
static spsc_ring *ring;
static _Atomic int finished;

static void *produce(void *unused) {
    uint64_t state = 1, written = 0;
    int16_t block[MOST];
    while (written < total) {
        uint64_t count = 1 + draw(&state) % MOST;
        for (uint64_t i = 0; i < count; i++) block[i] = sample_at(written + i);
        uint64_t taken = spsc_write(ring, block, count);
        written += taken;
        if (taken < count) sched_yield();
        if (draw(&state) % 512 == 0) spsc_discard_before(ring, written - draw(&state) % (taken + 1));
    }
    atomic_store(&finished, 1);
    return unused;
}

/* What a flush discards may still be read until the consumer moves on: playback fades it out. */
static void look_at_discarded(void) {
    uint64_t index = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t pending = spsc_discard_pending(ring);
    spsc_regions fading = spsc_regions_at(ring, index, pending);
    for (uint64_t i = 0; i < pending; i++) {
        int16_t sample = i < fading.first_count ? fading.first[i] : fading.second[i - fading.first_count];
        CHECK_EQUAL(sample, sample_at(index + i));
    }
}

/* Read in place or by copy, whole or in part; returns how many samples were read. */
static uint64_t consume_some(uint64_t *state) {
    int16_t block[MOST];
    uint64_t count = 1 + draw(state) % MOST;
    look_at_discarded();
    uint64_t flushed = atomic_load_explicit(&ring->discard_before, memory_order_relaxed);
    spsc_regions ready = spsc_read_regions(ring, count);
    uint64_t index = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t available = ready.first_count + ready.second_count;
    CHECK_EQUAL(index >= flushed, 1); /* nothing that was flushed before is ever read */
    uint64_t taken = available - (draw(state) % 4 == 0 ? draw(state) % (available + 1) : 0);
    for (uint64_t i = 0; i < taken; i++) {
        int16_t sample = i < ready.first_count ? ready.first[i] : ready.second[i - ready.first_count];
        CHECK_EQUAL(sample, sample_at(index + i));
    }
    if (draw(state) % 2) {
        spsc_consume(ring, taken);
        return taken;
    }
    taken = spsc_read(ring, block, taken);
    index = atomic_load_explicit(&ring->read, memory_order_relaxed) - taken;
    for (uint64_t i = 0; i < taken; i++) CHECK_EQUAL(block[i], sample_at(index + i));
    return taken;
}

int main(int count, char **arguments) {
    total = count > 1 ? strtoull(arguments[1], NULL, 10) : 1000000;
    ring = spsc_open(CAPACITY);
    pthread_t producer;
    CHECK_EQUAL(pthread_create(&producer, NULL, produce, NULL), 0);
    uint64_t state = 2, samples_read = 0, flushes_seen = 0, discarded = 0;
    for (;;) {
        int last = atomic_load(&finished); /* before the read, so that what it saw as empty stays empty */
        uint64_t taken = consume_some(&state);
        samples_read += taken;
        flushes_seen += ring->discarded != discarded;
        discarded = ring->discarded;
        if (last && spsc_size(ring) == 0) break;
        if (!taken) sched_yield();
    }
    pthread_join(producer, NULL);
    CHECK_EQUAL(ring->written >= total, 1);
    CHECK_EQUAL(samples_read + ring->discarded, ring->written);
    CHECK_EQUAL(ring->read, ring->written);
    CHECK_EQUAL(flushes_seen > 0, 1);
    printf("threads: %llu samples written, %llu read, %llu discarded by %llu flushes\n",
           (unsigned long long)ring->written, (unsigned long long)samples_read,
           (unsigned long long)ring->discarded, (unsigned long long)flushes_seen);
    spsc_close(ring);
    return 0;
}
