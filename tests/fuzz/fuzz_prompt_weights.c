// fuzz_prompt_weights.c - prompts full of brackets that don't match. Whatever they are, their fragments are all of the
// text, and every weight is one that can be multiplied with.

#include "fuzz/fuzz.h"
#include "stages/prompt_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check(const WeightedPrompt *read, size_t prompt_size) {
    size_t at = 0;
    for (size_t i = 0; i < read->count; i++) {
        Fragment f = read->fragments[i];
        if (f.start != at || f.end <= f.start || !(fabs(f.weight) <= PROMPT_WEIGHT_MAX)) abort();
        if (i > 0 && f.weight == read->fragments[i - 1].weight) abort();
        at = f.end;
    }
    if (at != strlen(read->text) || at > prompt_size) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t n = strnlen((const char *)data, size);
    char *prompt = malloc(n + 1);
    memcpy(prompt, data, n);
    prompt[n] = '\0';
    Error error = {0};
    WeightedPrompt read;
    bool ok = prompt_weights_read(prompt, &read, &error);
    if (ok != !error.message[0] || ok != (read.text != NULL)) abort();
    if (ok) check(&read, n);
    weighted_prompt_free(&read);
    free(prompt);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const char *const SEEDS[] = {
        "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
        "(a: -1.5 ) (b:+.5) \\(c\\) [d\\] \\\\ (e:1.2.3) (:1.2) ((((((f))))))",
        "(a[b(c[d:2)e]f:3)g]h (ein B\xc3\xa4r:0) :1.3) \\",
        "((a:999):1.1) (b:1000) (c:00000000000000000000000000000001)",
    };
    if (index >= sizeof SEEDS / sizeof SEEDS[0]) return 0;
    size_t size = strlen(SEEDS[index]);
    if (size > capacity) abort();
    memcpy(out, SEEDS[index], size);
    return size;
}
