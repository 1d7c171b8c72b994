/* The voice's network outside Python: one clause through every instruction set that was compiled and can run here.
 *
 *   vits_check speak WEIGHTS SYMBOLS FRAMES OUT    speaks SYMBOLS made-up symbols, FRAMES frames of them; with every
 *                                      instruction set, whole and in pieces, which must be equal to the bit; writes
 *                                      the first set's stats, latent frames and samples to OUT as float32
 *   vits_check share WEIGHTS           two threads speak with one network at once, and must say the same
 *   vits_check fuzz COUNT SEED         COUNT files with random headers, sizes and content: refused, or harmless
 */
#include <sys/stat.h>

#include "check.h"
#include "vits_decoder.h"
#include "vits_text.h"

typedef struct {
    const vits_network *net;
    const vits_kernel *kernel;
    ptrdiff_t symbols, frames, piece;
    float *stats, *latent, *samples;
    ptrdiff_t latent_count, sample_count;
} clause;

#ifndef VITS_ROOM_MISSING
#define VITS_ROOM_MISSING 0 /* frames; a test of the test lets the sound be written behind its room */
#endif
#define CHECK(condition) CHECK_EQUAL(!!(condition), 1)

static uint64_t state = 1;

static uint32_t random_number(void) { return (uint32_t)(draw(&state) >> 32); }

static void *allocate(size_t size) {
    void *block = aligned_alloc(64, (size + 63) & ~(size_t)63);
    CHECK(block != NULL);
    return block;
}

static void speak(clause *said) {
    ptrdiff_t n = said->symbols, room = said->frames + VITS_FLOW_LAG;
    int32_t *symbols = allocate((size_t)n * sizeof(int32_t));
    float *noise = allocate((size_t)n * 2 * sizeof(float)), *log_durations = allocate((size_t)n * sizeof(float));
    float *noisy = allocate((size_t)said->frames * VITS_CHANNELS * sizeof(float));
    vits_flow *flow = calloc(1, sizeof(vits_flow));
    vits_decoder *decoder = calloc(1, sizeof(vits_decoder));
    CHECK(flow != NULL && decoder != NULL);
    said->stats = allocate((size_t)n * VITS_STATS * sizeof(float));
    said->latent = allocate((size_t)room * VITS_CHANNELS * sizeof(float));
    said->samples = allocate((size_t)(said->frames - VITS_ROOM_MISSING) * VITS_HOP * sizeof(float));
    for (ptrdiff_t i = 0; i < n; i++) {
        symbols[i] = (int32_t)((uint32_t)(i % 2 ? 0 : 14 + 7 * i % 60) % said->net->symbols);
        noise[2 * i] = noise[2 * i + 1] = (float)(i % 5) * 0.3f - 0.6f;
    }
    CHECK(vits_read(said->net, said->kernel, symbols, n, noise, said->stats, log_durations));
    for (ptrdiff_t i = 0; i < said->frames; i++)
        memcpy(noisy + i * VITS_CHANNELS, said->stats + i * n / said->frames * VITS_STATS, VITS_CHANNELS * sizeof(float));
    said->latent_count = said->sample_count = 0;
    for (ptrdiff_t begin = 0; begin < said->frames; begin += said->piece) {
        ptrdiff_t rows = said->frames - begin < said->piece ? said->frames - begin : said->piece;
        int last = begin + rows == said->frames;
        ptrdiff_t given = vits_flow_run(said->net, said->kernel, flow, noisy + begin * VITS_CHANNELS, rows, last,
                                        said->latent + said->latent_count * VITS_CHANNELS);
        CHECK(given >= 0 && given <= rows + VITS_FLOW_LAG);
        ptrdiff_t samples = vits_decoder_run(said->net, said->kernel, decoder,
                                             said->latent + said->latent_count * VITS_CHANNELS, given, last,
                                             said->samples + said->sample_count);
        CHECK(samples >= 0 && samples <= (given + VITS_DECODER_LAG) * VITS_HOP);
        said->latent_count += given;
        said->sample_count += samples;
    }
    CHECK(said->latent_count == said->frames && said->sample_count == said->frames * VITS_HOP);
    free(symbols), free(noise), free(log_durations), free(noisy), free(flow), free(decoder);
}

static void forget(clause *said) { free(said->stats), free(said->latent), free(said->samples); }

/* Returns the file's content, which the network points into and the caller frees. */
static void *open_weights(const char *path, vits_network *net) {
    struct stat status;
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fstat(fileno(file), &status) == 0);
    void *content = allocate((size_t)status.st_size);
    CHECK(fread(content, 1, (size_t)status.st_size, file) == (size_t)status.st_size);
    fclose(file);
    const char *wrong = vits_open(content, (size_t)status.st_size, net);
    if (wrong != NULL) fprintf(stderr, "%s: %s\n", path, wrong);
    CHECK(wrong == NULL);
    return content;
}

static void speak_everywhere(const char *weights, ptrdiff_t symbols, ptrdiff_t frames, const char *out) {
    vits_network net;
    clause first = {0};
    void *content = open_weights(weights, &net);
    for (int set = 0; set < VITS_SETS; set++) {
        if (!vits_runs(set)) continue;
        clause whole = {.net = &net, .kernel = vits_sets[set].kernel, .symbols = symbols, .frames = frames,
                        .piece = frames};
        speak(&whole);
        for (ptrdiff_t piece = 1; piece < frames; piece = 3 * piece + 2) {
            clause split = whole;
            split.piece = piece;
            speak(&split);
            CHECK(memcmp(split.samples, whole.samples, (size_t)whole.sample_count * sizeof(float)) == 0);
            forget(&split);
        }
        float most = 0.0f;
        if (first.samples == NULL) {
            first = whole;
        } else {
            for (ptrdiff_t i = 0; i < whole.sample_count; i++)
                most = fmaxf(most, fabsf(whole.samples[i] - first.samples[i]));
            CHECK(most < 1e-4f);
            forget(&whole);
        }
        printf("%s: largest difference %g\n", vits_sets[set].name, (double)most);
    }
    FILE *file = fopen(out, "wb");
    CHECK(file != NULL);
    fwrite(first.stats, sizeof(float) * VITS_STATS, (size_t)symbols, file);
    fwrite(first.latent, sizeof(float) * VITS_CHANNELS, (size_t)frames, file);
    fwrite(first.samples, sizeof(float) * VITS_HOP, (size_t)frames, file);
    fclose(file);
    forget(&first);
    free(content);
}

static void *speak_in_thread(void *said) {
    speak(said);
    return NULL;
}

static void share(const char *weights) {
    vits_network net;
    void *content = open_weights(weights, &net);
    pthread_t threads[2];
    clause said[2];
    int best = 0;
    while (!vits_runs(best)) best++;
    for (int i = 0; i < 2; i++) {
        said[i] = (clause){.net = &net, .kernel = vits_sets[best].kernel, .symbols = 7, .frames = 10, .piece = 4 + i};
        CHECK(pthread_create(&threads[i], NULL, speak_in_thread, &said[i]) == 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(memcmp(said[0].samples, said[1].samples, (size_t)said[0].sample_count * sizeof(float)) == 0);
    for (int i = 0; i < 2; i++) forget(&said[i]);
    free(content);
    puts("threads: both said the same");
}

static void fuzz(long count, uint64_t seed) {
    state = 2 * seed + 1;
    vits_network net;
    long opened = 0;
    for (long i = 0; i < count; i++) {
        uint32_t symbols = random_number() % 4 ? 1 + random_number() % 300 : random_number();
        size_t size = vits_lay_out(NULL, symbols % 5000, &net);
        if (random_number() % 3 == 0) size = size / 64 * (random_number() % 65) + random_number() % 65;
        char *content = allocate(size + 64), *exact = content + ((size + 63) & ~(size_t)63) - size;
        if (size % 64 == 0) exact = content;
        uint32_t version = random_number() % 8 ? VITS_VERSION : random_number();
        for (size_t at = 0; at + 4 <= size; at += 4) {
            uint32_t bits = random_number();
            if (i % 3 == 0) bits &= 0x3bff3bff; /* a third of the files hold moderate numbers */
            memcpy(exact + at, &bits, 4);
        }
        if (size >= 16) {
            if (random_number() % 8) memcpy(exact, "STIMVITS", 8);
            memcpy(exact + 8, &version, 4);
            memcpy(exact + 12, &symbols, 4);
        }
        if (vits_open(exact, size, &net) == NULL) {
            clause said = {.net = &net, .kernel = vits_sets[VITS_SETS - 1].kernel, .symbols = 1 + random_number() % 9,
                           .frames = 1 + random_number() % 3, .piece = 1 + random_number() % 3};
            int set = (int)(random_number() % (unsigned)VITS_SETS);
            if (vits_runs(set)) said.kernel = vits_sets[set].kernel;
            speak(&said);
            forget(&said);
            opened++;
        }
        free(content);
    }
    printf("%ld of %ld files opened\n", opened, count);
    CHECK(opened > 0 && opened < count);
}

int main(int count, char **arguments) {
    CHECK(count > 2);
    if (strcmp(arguments[1], "speak") == 0)
        speak_everywhere(arguments[2], atol(arguments[3]), atol(arguments[4]), arguments[5]);
    else if (strcmp(arguments[1], "share") == 0)
        share(arguments[2]);
    else
        fuzz(atol(arguments[2]), (uint64_t)atol(arguments[3]));
    return 0;
}
