// fuzz_config.c - JSON configs that aren't quite. Every getter asks for every key.

#include "fuzz/fuzz.h"
#include "io/config.h"

#include <stdlib.h>
#include <string.h>

static void read_every_way(const char *path, const char *key, Error *error) {
    size_t sizes[4], count = 0;
    float floats[4];
    bool bools[4];
    char text[8], texts[4][64];
    for (int way = 0; way < 8; way++) {
        Config config;
        if (config_open(&config, path, error)) {
            switch (way) {
            case 0: config_size(&config, key, sizes); break;
            case 1: config_float(&config, key, floats); break;
            case 2: config_bool(&config, key, bools); break;
            case 3: config_string(&config, key, text, sizeof text); break;
            case 4: config_sizes(&config, key, sizes, 4, &count); break;
            case 5: config_bools(&config, key, bools, 4, &count); break;
            case 6: config_floats(&config, key, floats, 4, &count); break;
            case 7: config_strings(&config, key, texts, 4, &count); break;
            }
        }
        if (count > 4) abort();
        *error = (Error){0};
        config_close(&config);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const KEYS[] = {"size", "sizes", "float", "floats", "bool", "bools", "text", "texts", "none"};
    FuzzFile memory = fuzz_file_open(data, size);
    Error error = {0};
    Config config;
    bool opened = config_open(&config, memory.path, &error);
    if (opened != !error.message[0]) abort();
    config_close(&config);
    for (size_t i = 0; opened && i < sizeof KEYS / sizeof KEYS[0]; i++) read_every_way(memory.path, KEYS[i], &error);
    fuzz_file_close(&memory);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const char *const SEEDS[] = {
        "{\"size\": 4, \"sizes\": [320, 640, 1280], \"float\": 1e-05, \"floats\": [0.5, 1], \"bool\": true,"
        " \"bools\": [false, true], \"text\": \"silu\", \"texts\": [\"DownBlock2D\", \"UpBlock2D\"], \"none\": null}",
        "{\"size\": 1000000000000000019884624838656, \"sizes\": 8, \"float\": -Infinity, \"floats\": [Infinity],"
        " \"bool\": {\"a\": [1, {}]}, \"text\": \"\\\"Infinity\\\\\", \"texts\": [\"\\u00e9\\ud83d\\ude00\"]}",
    };
    if (index >= sizeof SEEDS / sizeof SEEDS[0]) return 0;
    size_t size = strlen(SEEDS[index]);
    if (size > capacity) abort();
    memcpy(out, SEEDS[index], size);
    return size;
}
