/* A bounded first-in first-out queue of int16 samples between exactly one producer and one consumer thread.
 *
 * No lock, no allocation and no system call after spsc_open, so an audio callback may hold either end. The two
 * indices count samples since the beginning and never wrap in practice (uint64: 18 million years at 32 kHz);
 * index & mask is the place in memory. Each index has one writer: `written` the producer, `read` the consumer.
 * A release store of an index publishes the samples (or the room) in front of it; the acquire load on the other
 * side makes them visible. All functions say who may call them. `spsc_size` is exact for both ends; a third
 * thread may read the counters, each of which is then some recent value.
 *
 * Flush from the producer's side: `spsc_discard_before` publishes an index, and the consumer jumps there the
 * next time it looks. The producer never moves the consumer's index, so a block being read stays intact.
 */
#ifndef STIMME_SPSC_H
#define STIMME_SPSC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The three barriers. A test weakens each in turn and requires ThreadSanitizer to notice. */
#ifndef SPSC_PUBLISH_SAMPLES
#define SPSC_PUBLISH_SAMPLES memory_order_release
#endif
#ifndef SPSC_PUBLISH_ROOM
#define SPSC_PUBLISH_ROOM memory_order_release
#endif
#ifndef SPSC_PUBLISH_DISCARD
#define SPSC_PUBLISH_DISCARD memory_order_release
#endif

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "an audio callback must not wait for a lock hidden in an atomic");

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Python passes s16le bytes through unchanged");

enum { SPSC_CACHE_LINE = 64 };

typedef struct {
    /* fixed after spsc_open */
    uint64_t capacity; /* samples, a power of two */
    size_t mapped_bytes;
    int16_t *samples;
    /* written by the producer only */
    _Alignas(SPSC_CACHE_LINE) _Atomic uint64_t written;
    _Atomic uint64_t discard_before;
    _Atomic uint64_t dropped; /* samples refused because the ring was full */
    /* written by the consumer only */
    _Alignas(SPSC_CACHE_LINE) _Atomic uint64_t read; /* includes what was discarded */
    _Atomic uint64_t discarded;
} spsc_ring;

/* One run of samples in ring memory; the second part is empty unless the run crosses the end. */
typedef struct {
    int16_t *first;
    size_t first_count;
    int16_t *second;
    size_t second_count;
} spsc_regions;

static inline uint64_t spsc_min(uint64_t left, uint64_t right) { return left < right ? left : right; }

/* A ring for at least `capacity` samples (1 to 2^62), or NULL when there is no address space for it.
 *
 * Head and samples share one anonymous mapping: pages cost nothing until they are first written. Huge pages
 * would commit 2 MiB at the first sample, and what people say does not belong in a core dump; a kernel that
 * knows neither hint loses nothing but that. */
static inline spsc_ring *spsc_open(uint64_t capacity) {
    uint64_t rounded = 1;
    while (rounded < capacity) rounded *= 2;
    size_t bytes = sizeof(spsc_ring) + rounded * sizeof(int16_t);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    madvise(memory, bytes, MADV_DONTDUMP);
    spsc_ring *ring = memory; /* fresh pages are zero: so are all indices and counters */
    ring->capacity = rounded;
    ring->mapped_bytes = bytes;
    ring->samples = (int16_t *)(ring + 1);
    return ring;
}

/* Give the memory back. Both ends must have stopped. */
static inline void spsc_close(spsc_ring *ring) { munmap(ring, ring->mapped_bytes); }

/* Either end: where the next read begins. Loaded before `written`, so that the difference is never negative. */
static inline uint64_t spsc_start(spsc_ring *ring) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    uint64_t discard_before = atomic_load_explicit(&ring->discard_before, memory_order_acquire);
    return read > discard_before ? read : discard_before;
}

/* Either end: samples waiting to be read. */
static inline uint64_t spsc_size(spsc_ring *ring) {
    uint64_t start = spsc_start(ring);
    return atomic_load_explicit(&ring->written, memory_order_acquire) - start;
}

static inline spsc_regions spsc_regions_at(spsc_ring *ring, uint64_t index, uint64_t count) {
    uint64_t offset = index & (ring->capacity - 1);
    uint64_t first_count = spsc_min(count, ring->capacity - offset);
    return (spsc_regions){ring->samples + offset, first_count, ring->samples, count - first_count};
}

/* Producer: room for up to `count` samples, to be filled in order and then committed.
 * Discarded samples occupy their room until the consumer has moved on. */
static inline spsc_regions spsc_write_regions(spsc_ring *ring, uint64_t count) {
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return spsc_regions_at(ring, written, spsc_min(count, ring->capacity - (written - read)));
}

/* Producer: publish the first `taken` of `offered` samples; the rest is counted as dropped. */
static inline void spsc_commit(spsc_ring *ring, uint64_t taken, uint64_t offered) {
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed) + taken;
    uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed) + offered - taken;
    atomic_store_explicit(&ring->dropped, dropped, memory_order_relaxed);
    atomic_store_explicit(&ring->written, written, SPSC_PUBLISH_SAMPLES);
}

/* Producer: copy in as many of `count` samples as fit. The source may be unaligned. Returns samples taken. */
static inline uint64_t spsc_write(spsc_ring *ring, const void *source, uint64_t count) {
    spsc_regions room = spsc_write_regions(ring, count);
    memcpy(room.first, source, room.first_count * sizeof(int16_t));
    memcpy(room.second, (const char *)source + room.first_count * sizeof(int16_t),
           room.second_count * sizeof(int16_t));
    uint64_t taken = room.first_count + room.second_count;
    spsc_commit(ring, taken, count);
    return taken;
}

/* Producer: everything before `index` (at most `written`) shall not be read any more. Never moves backwards. */
static inline void spsc_discard_before(spsc_ring *ring, uint64_t index) {
    if (index > atomic_load_explicit(&ring->discard_before, memory_order_relaxed))
        atomic_store_explicit(&ring->discard_before, index, SPSC_PUBLISH_DISCARD);
}

/* Consumer: samples that a discard has announced and that the read index has not passed yet. */
static inline uint64_t spsc_discard_pending(spsc_ring *ring) {
    return spsc_start(ring) - atomic_load_explicit(&ring->read, memory_order_relaxed);
}

/* Consumer: move to `index`, at most `written`; what lies between counts as discarded, not as read. */
static inline void spsc_skip_to(spsc_ring *ring, uint64_t index) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t discarded = atomic_load_explicit(&ring->discarded, memory_order_relaxed);
    atomic_store_explicit(&ring->discarded, discarded + index - read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, index, SPSC_PUBLISH_ROOM);
}

/* Consumer: throw away all that waits. Returns how many samples that was. */
static inline uint64_t spsc_discard(spsc_ring *ring) {
    uint64_t start = spsc_start(ring);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    spsc_skip_to(ring, written);
    return written - start;
}

/* Consumer: up to `count` waiting samples, in place, after honouring any discard. They stay until consumed. */
static inline spsc_regions spsc_read_regions(spsc_ring *ring, uint64_t count) {
    uint64_t start = spsc_start(ring);
    if (start != atomic_load_explicit(&ring->read, memory_order_relaxed)) spsc_skip_to(ring, start);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return spsc_regions_at(ring, start, spsc_min(count, written - start));
}

/* Consumer: the first `count` samples of the read regions were used; their room is free. */
static inline void spsc_consume(spsc_ring *ring, uint64_t count) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + count, SPSC_PUBLISH_ROOM);
}

/* Consumer: copy out up to `count` samples without consuming them. The target may be unaligned. */
static inline uint64_t spsc_peek(spsc_ring *ring, void *target, uint64_t count) {
    spsc_regions ready = spsc_read_regions(ring, count);
    memcpy(target, ready.first, ready.first_count * sizeof(int16_t));
    memcpy((char *)target + ready.first_count * sizeof(int16_t), ready.second, ready.second_count * sizeof(int16_t));
    return ready.first_count + ready.second_count;
}

/* Consumer: copy out and consume up to `count` samples. Returns samples read. */
static inline uint64_t spsc_read(spsc_ring *ring, void *target, uint64_t count) {
    uint64_t taken = spsc_peek(ring, target, count);
    spsc_consume(ring, taken);
    return taken;
}

/* Both ends stopped: throw away all that waits, zero every sample ever written and give the pages back. */
static inline void spsc_wipe(spsc_ring *ring) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE); /* the head shares its page with samples and stays */
    spsc_discard(ring);
    uint64_t touched = spsc_min(atomic_load_explicit(&ring->written, memory_order_relaxed), ring->capacity);
    memset(ring->samples, 0, touched * sizeof(int16_t));
    if (ring->mapped_bytes > page) madvise((char *)ring + page, ring->mapped_bytes - page, MADV_DONTNEED);
}

#endif
