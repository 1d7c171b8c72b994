/* PortAudio callbacks: microphone → ring and ring → loudspeaker, in the audio thread.
 *
 * They take no GIL and no lock, allocate nothing, and make at most one system call a block: the write to an eventfd
 * that wakes the event loop. Everything the Python side sets or reads is an atomic; the rest belongs to the callback
 * alone. PortAudio's own header is not needed: the callback's type and the flags below are its stable ABI
 * (portaudio.h, PaStreamCallback and PaStreamCallbackFlags).
 */
#ifndef STIMME_STREAM_H
#define STIMME_STREAM_H

#include <sys/eventfd.h>
#include <time.h>

#include "convert.h"
#include "spsc.h"

enum {
    PORTAUDIO_CONTINUE = 0,
    PORTAUDIO_INPUT_OVERFLOW = 2,
    PORTAUDIO_OUTPUT_UNDERFLOW = 4,
    LATENESS_BUCKETS = 24, /* bucket b: less than 2^b microseconds late; the last one takes the rest */
    FADE_SAMPLES = 64,     /* a flush fades out over this many (4 ms at 16 kHz), because a cut is a click */
};

typedef struct {
    uint64_t rate;           /* samples a second */
    _Atomic uint64_t due_ns; /* when the next block should come; 0: any time, the stream is about to start */
    _Atomic uint64_t blocks;
    _Atomic uint64_t device_gaps; /* blocks before which PortAudio reports lost input or missing output */
    _Atomic uint64_t lateness_max_us;
    _Atomic uint64_t lateness_counts[LATENESS_BUCKETS];
    _Atomic int32_t peak;        /* of the last block */
} stream_meter;

static inline uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void count_one(_Atomic uint64_t *counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

/* Count a block of `frames` that began at `now_ns`. Late is what exceeds one block's duration since the block before:
 * an absolute schedule would drift, because the sound card's clock is not the computer's. */
static inline void meter_block(stream_meter *meter, uint64_t now_ns, uint64_t frames, int gap) {
    uint64_t due_ns = atomic_load_explicit(&meter->due_ns, memory_order_relaxed);
    if (due_ns) {
        uint64_t late_us = now_ns > due_ns ? (now_ns - due_ns) / 1000 : 0;
        size_t bucket = 0;
        while (bucket < LATENESS_BUCKETS - 1 && late_us >> bucket) bucket++;
        count_one(&meter->lateness_counts[bucket]);
        if (late_us > atomic_load_explicit(&meter->lateness_max_us, memory_order_relaxed))
            atomic_store_explicit(&meter->lateness_max_us, late_us, memory_order_relaxed);
    }
    atomic_store_explicit(&meter->due_ns, now_ns + frames * 1000000000u / meter->rate, memory_order_relaxed);
    count_one(&meter->blocks);
    if (gap) count_one(&meter->device_gaps);
}

static inline void meter_peak(stream_meter *meter, int32_t peak) {
    atomic_store_explicit(&meter->peak, peak, memory_order_relaxed);
}

static inline void meter_reset(stream_meter *meter) {
    atomic_store_explicit(&meter->lateness_max_us, 0, memory_order_relaxed);
    for (size_t bucket = 0; bucket < LATENESS_BUCKETS; bucket++)
        atomic_store_explicit(&meter->lateness_counts[bucket], 0, memory_order_relaxed);
}

static inline void wake_loop(int fd) {
    if (fd >= 0) eventfd_write(fd, 1);
}

/* Capture: while disarmed the newest `preroll_capacity` samples are kept aside, overwriting the oldest, and nobody is
 * woken. Once armed, those are delivered first, then every block. */
typedef struct {
    stream_meter meter;
    spsc_ring *ring;
    int wake_fd; /* -1: nobody waits */
    size_t channels;
    int channel; /* the one to keep; negative: their mean */
    _Atomic uint32_t armed; /* 0, or the number of this arming */
    _Atomic int forget_preroll; /* set before arming: begin with the next block */
    _Atomic uint64_t first_block_ns;
    /* the callback's own */
    uint32_t armed_before;
    int16_t *preroll;
    size_t preroll_capacity, preroll_next, preroll_count;
} capture_stream;

/* `count` mono samples from `start` frames into the input block (NULL: silence). */
static inline void capture_mono(const capture_stream *capture, const void *input, size_t start, size_t count,
                                int16_t *target) {
    if (input == NULL) {
        memset(target, 0, count * sizeof(int16_t));
    } else {
        mono_from_int16((const any_int16 *)input + start * capture->channels, capture->channels, capture->channel,
                        target, count);
    }
}

static inline void capture_keep_aside(capture_stream *capture, const void *input, size_t frames, int32_t *peak) {
    size_t start = frames > capture->preroll_capacity ? frames - capture->preroll_capacity : 0;
    while (start < frames) {
        size_t room = capture->preroll_capacity - capture->preroll_next;
        size_t count = frames - start < room ? frames - start : room;
        int16_t *target = capture->preroll + capture->preroll_next;
        capture_mono(capture, input, start, count, target);
        peak_add(peak, target, count);
        capture->preroll_next = (capture->preroll_next + count) % capture->preroll_capacity;
        capture->preroll_count = spsc_min(capture->preroll_count + count, capture->preroll_capacity);
        start += count;
    }
}

static inline void capture_deliver_preroll(capture_stream *capture) {
    size_t count = capture->preroll_count;
    if (count) {
        size_t oldest = (capture->preroll_next + capture->preroll_capacity - count) % capture->preroll_capacity;
        size_t first_count = spsc_min(count, capture->preroll_capacity - oldest);
        spsc_write(capture->ring, capture->preroll + oldest, first_count);
        spsc_write(capture->ring, capture->preroll, count - first_count);
    }
    capture->preroll_count = capture->preroll_next = 0;
}

static inline void capture_deliver(capture_stream *capture, const void *input, size_t frames, int32_t *peak) {
    spsc_regions room = spsc_write_regions(capture->ring, frames);
    capture_mono(capture, input, 0, room.first_count, room.first);
    capture_mono(capture, input, room.first_count, room.second_count, room.second);
    peak_add(peak, room.first, room.first_count);
    peak_add(peak, room.second, room.second_count);
    spsc_commit(capture->ring, room.first_count + room.second_count, frames);
}

static inline int capture_callback(const void *input, void *output, unsigned long frames, const void *time_info,
                                   unsigned long flags, void *userdata) {
    (void)output, (void)time_info;
    capture_stream *capture = userdata;
    uint64_t now_ns = monotonic_ns();
    meter_block(&capture->meter, now_ns, frames, (flags & PORTAUDIO_INPUT_OVERFLOW) != 0);
    int32_t peak = 0;
    uint32_t armed = atomic_load_explicit(&capture->armed, memory_order_acquire);
    if (armed) {
        if (armed != capture->armed_before) {
            if (atomic_load_explicit(&capture->forget_preroll, memory_order_relaxed)) capture->preroll_count = 0;
            capture_deliver_preroll(capture);
            atomic_store_explicit(&capture->first_block_ns, now_ns, memory_order_relaxed);
        }
        capture_deliver(capture, input, frames, &peak);
        wake_loop(capture->wake_fd);
    } else if (capture->preroll_capacity) {
        capture_keep_aside(capture, input, frames, &peak);
    }
    capture->armed_before = armed;
    meter_peak(&capture->meter, peak);
    return PORTAUDIO_CONTINUE;
}

/* Playback: mono from the ring to every channel, silence when there is nothing. */
typedef struct {
    stream_meter meter;
    spsc_ring *ring;
    int wake_fd; /* written once all that was said has left the ring */
    size_t channels;
    _Atomic uint32_t speaking; /* 0: nothing more will be written; otherwise the number of this reply */
    _Atomic float volume;      /* wanted gain, 0 to 1 */
    _Atomic uint64_t played;   /* samples handed to the device, without silence and without what was flushed */
    _Atomic uint64_t underflows;
    /* the callback's own */
    uint32_t reply; /* the last value of `speaking` seen */
    int flowing;    /* the last block was full */
    int drained;    /* the wake-up after the last sample was sent */
    float gain;     /* reached by the end of the last block */
} playback_stream;

/* Write `samples` times a gain that moves by `step` a sample to all channels; returns the gain reached. */
static inline float playback_spread(const playback_stream *playback, const int16_t *samples, size_t count, float gain,
                                    float step, int16_t *output, int32_t *peak) {
    for (size_t i = 0; i < count; i++, gain += step) {
        int16_t sample = (int16_t)round_half_even((float)samples[i] * gain);
        peak_add(peak, &sample, 1);
        for (size_t channel = 0; channel < playback->channels; channel++)
            output[i * playback->channels + channel] = sample;
    }
    return gain;
}

/* Play the samples that are ready, the gain going from where it is to `target_gain`; returns how many. */
static inline size_t playback_play(playback_stream *playback, spsc_regions ready, float target_gain, int16_t *output,
                                   int32_t *peak) {
    size_t count = ready.first_count + ready.second_count;
    float step = count ? (target_gain - playback->gain) / (float)count : 0.0f;
    float gain = playback_spread(playback, ready.first, ready.first_count, playback->gain, step, output, peak);
    playback_spread(playback, ready.second, ready.second_count, gain, step,
                    output + ready.first_count * playback->channels, peak);
    playback->gain = target_gain;
    atomic_fetch_add_explicit(&playback->played, count, memory_order_relaxed);
    return count;
}

/* A flush was announced: fade out the next few of the samples it discards. The rest of the block stays silent. */
static inline size_t playback_fade_out(playback_stream *playback, uint64_t pending, size_t frames, int16_t *output,
                                       int32_t *peak) {
    spsc_ring *ring = playback->ring;
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t count = spsc_min(spsc_min(pending, FADE_SAMPLES), frames);
    size_t played = 0;
    if (playback->flowing) {
        played = playback_play(playback, spsc_regions_at(ring, read, count), 0.0f, output, peak);
        spsc_consume(ring, played);
    }
    spsc_skip_to(ring, spsc_start(ring));
    return played;
}

static inline int playback_callback(const void *input, void *output, unsigned long frames, const void *time_info,
                                    unsigned long flags, void *userdata) {
    (void)input, (void)time_info;
    playback_stream *playback = userdata;
    meter_block(&playback->meter, monotonic_ns(), frames, (flags & PORTAUDIO_OUTPUT_UNDERFLOW) != 0);
    uint32_t speaking = atomic_load_explicit(&playback->speaking, memory_order_acquire);
    float volume = atomic_load_explicit(&playback->volume, memory_order_relaxed);
    int32_t peak = 0;
    size_t played;
    if (speaking && speaking != playback->reply) playback->flowing = 0, playback->drained = 0;
    uint64_t pending = spsc_discard_pending(playback->ring);
    if (pending) {
        played = playback_fade_out(playback, pending, frames, output, &peak);
        playback->flowing = 0;
    } else {
        if (!playback->flowing) playback->gain = volume; /* after silence there is no click to avoid */
        played = playback_play(playback, spsc_read_regions(playback->ring, frames), volume, output, &peak);
        spsc_consume(playback->ring, played);
        if (speaking && playback->flowing && played < frames) count_one(&playback->underflows);
        playback->flowing = played == frames;
    }
    if (played) playback->drained = 0;
    memset((int16_t *)output + played * playback->channels, 0, (frames - played) * playback->channels * 2);
    if (!speaking && !playback->drained && spsc_size(playback->ring) == 0) {
        playback->drained = 1;
        wake_loop(playback->wake_fd);
    }
    playback->reply = speaking;
    meter_peak(&playback->meter, peak);
    return PORTAUDIO_CONTINUE;
}

#endif
