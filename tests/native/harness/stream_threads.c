/* Both callbacks in an audio thread while another thread arms, reads, writes, flushes and turns the volume: what was
 * said goes through capture and playback in order. Meant for ThreadSanitizer. Argument: blocks. */
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "stream.h"

enum { FRAMES = 64, CHANNELS = 2, PREROLL = 100, CAPACITY = 1024 };

static uint64_t blocks;
static capture_stream capture;
static playback_stream playback;
static _Atomic int finished;
static int16_t heard[FRAMES * CHANNELS];

/* PortAudio's thread: the microphone says 1, 2, 3 … 1000, 1, …; both channels of the loudspeaker say the same. */
static void *audio(void *unused) {
    int16_t said[FRAMES * CHANNELS];
    uint64_t index = 0;
    for (uint64_t block = 0; block < blocks; block++) {
        for (int i = 0; i < FRAMES; i++, index++) said[2 * i] = said[2 * i + 1] = (int16_t)(1 + index % 1000);
        CHECK_EQUAL(capture_callback(said, NULL, FRAMES, NULL, 0, &capture), PORTAUDIO_CONTINUE);
        CHECK_EQUAL(playback_callback(NULL, heard, FRAMES, NULL, 0, &playback), PORTAUDIO_CONTINUE);
        for (int i = 0; i < FRAMES; i++) CHECK_EQUAL(heard[2 * i], heard[2 * i + 1]);
        if (block % 16 == 0) sched_yield();
    }
    atomic_store(&finished, 1);
    return unused;
}

static void control(uint64_t *state, uint32_t *number) {
    int16_t chunk[CAPACITY];
    uint64_t count = spsc_read(capture.ring, chunk, CAPACITY);
    uint64_t steps_up = 0; /* within one reading, samples follow each other except where blocks were missed */
    for (uint64_t i = 1; i < count; i++) steps_up += chunk[i] == chunk[i - 1] % 1000 + 1;
    if (count > 1 && capture.ring->dropped == 0) CHECK_EQUAL(steps_up + 2 >= count, 1);
    spsc_write(playback.ring, chunk, count);
    switch (draw(state) % 64) {
    case 0: atomic_store(&capture.armed, ++*number); break;
    case 1: atomic_store(&capture.armed, 0); break;
    case 2: atomic_store(&playback.speaking, ++*number); break;
    case 3: atomic_store(&playback.speaking, 0); break;
    case 4: atomic_store(&playback.volume, (float)(draw(state) % 2)); break;
    case 5: spsc_discard_before(playback.ring, playback.ring->written); break;
    case 6: meter_reset(&capture.meter); break;
    default: sched_yield();
    }
}

int main(int count, char **arguments) {
    int16_t preroll[PREROLL];
    blocks = count > 1 ? strtoull(arguments[1], NULL, 10) : 10000;
    capture.ring = spsc_open(CAPACITY);
    capture.wake_fd = eventfd(0, EFD_NONBLOCK);
    capture.channels = CHANNELS;
    capture.channel = -1;
    capture.preroll = preroll;
    capture.preroll_capacity = PREROLL;
    capture.meter.rate = 16000;
    playback.ring = spsc_open(CAPACITY);
    playback.wake_fd = eventfd(0, EFD_NONBLOCK);
    playback.channels = CHANNELS;
    playback.volume = 1.0f;
    playback.meter.rate = 16000;
    pthread_t audio_thread;
    CHECK_EQUAL(pthread_create(&audio_thread, NULL, audio, NULL), 0);
    uint64_t state = 4;
    uint32_t number = 0;
    while (!atomic_load(&finished)) control(&state, &number);
    pthread_join(audio_thread, NULL);
    CHECK_EQUAL(capture.meter.blocks, blocks);
    CHECK_EQUAL(playback.meter.blocks, blocks);
    CHECK_EQUAL(playback.played > 0, 1);
    CHECK_EQUAL(playback.played <= playback.ring->written, 1);
    printf("streams: %llu blocks, %llu samples captured, %llu played, %llu underflows\n", (unsigned long long)blocks,
           (unsigned long long)capture.ring->written, (unsigned long long)playback.played,
           (unsigned long long)playback.underflows);
    return 0;
}
