// driver.c - a main() for a fuzz target without libFuzzer, see fuzz.h

#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 65536, RUNS = 20000 };

typedef struct Input {
    uint8_t bytes[LARGEST];
    size_t size;
} Input;

// xorshift64* (Vigna 2016): enough for choosing what to break.
static size_t random_below(uint64_t *state, size_t n) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (size_t)((*state * 2685821657736338717u) >> 32) % n;
}

// Moves what lies behind `at` so that `size` bytes there become `new_size`; false where that doesn't fit.
static int make_room(Input *input, size_t at, size_t size, size_t new_size) {
    if (at + size > input->size || input->size - size + new_size > LARGEST) return 0;
    memmove(input->bytes + at + new_size, input->bytes + at + size, input->size - at - size);
    input->size = input->size - size + new_size;
    return 1;
}

// One small lie: a bit, a byte, a piece cut out, said twice or moved, or a word that readers have tripped over.
static void mutate(Input *input, uint64_t *random) {
    static const char *const WORDS[] = {"0",
                                        "-1",
                                        "9223372036854775807",
                                        "18446744073709551616",
                                        "1e999",
                                        "null",
                                        "{}",
                                        "[]",
                                        "\"\"",
                                        "[[[[[[[[",
                                        "\\u0000",
                                        "\xff",
                                        "\\ud800",
                                        "true",
                                        "4294967296",
                                        "0.5"};
    if (input->size == 0) return;
    size_t at = random_below(random, input->size), piece = 1 + random_below(random, 32);
    switch (random_below(random, 8)) {
    case 0: input->bytes[at] ^= (uint8_t)(1 << random_below(random, 8)); break;
    case 1: input->bytes[at] = (uint8_t)random_below(random, 256); break;
    case 2: input->bytes[at] = "\0\xff\x7f\x80 \"{}[],:0-"[random_below(random, 14)]; break;
    case 3: make_room(input, at, piece, 0); break;
    case 4: input->size = at; break;
    case 5: {
        const char *word = WORDS[random_below(random, sizeof WORDS / sizeof WORDS[0])];
        size_t length = strlen(word);
        if (make_room(input, at, random_below(random, 4), length)) memcpy(input->bytes + at, word, length);
        break;
    }
    case 6:
        if (at + piece <= input->size && make_room(input, at, 0, piece)) {
            memmove(input->bytes + at, input->bytes + at + piece, piece);
        }
        break;
    case 7: {
        size_t from = random_below(random, input->size);
        if (from + piece <= input->size && at + piece <= input->size) {
            memmove(input->bytes + at, input->bytes + from, piece);
        }
        break;
    }
    }
}

static void run_file(const char *path) {
    static Input input;
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        perror(path);
        exit(1);
    }
    input.size = fread(input.bytes, 1, LARGEST, stream);
    fclose(stream);
    LLVMFuzzerTestOneInput(input.bytes, input.size);
    printf("ok   %s\n", path);
}

int main(int argc, char **argv) {
    char *end = NULL;
    size_t runs = argc > 1 ? strtoull(argv[1], &end, 10) : RUNS;
    if (end && *end) {
        for (int i = 1; i < argc; i++) run_file(argv[i]);
        return 0;
    }
    static Input seed, input;
    size_t seeds = 0;
    while ((seed.size = fuzz_seed(seeds, seed.bytes, LARGEST)) > 0) {
        LLVMFuzzerTestOneInput(seed.bytes, seed.size);
        seeds++;
    }
    uint64_t random = 20260101;
    for (size_t i = 0; i < runs; i++) {
        input.size = fuzz_seed(random_below(&random, seeds), input.bytes, LARGEST);
        for (size_t lies = 1 + random_below(&random, 6); lies > 0; lies--) mutate(&input, &random);
        // A copy of exactly its size: reading one byte too far is then outside the block, and the sanitizer sees it.
        uint8_t *exact = malloc(input.size + 1);
        memcpy(exact + 1, input.bytes, input.size);
        LLVMFuzzerTestOneInput(exact + 1, input.size);
        free(exact);
    }
    printf("ok   %zu seeds, %zu runs\n1 passed, 0 failed, 0 skipped\n", seeds, runs);
    return 0;
}
