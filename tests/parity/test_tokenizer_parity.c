// test_tokenizer_parity.c - token ids equal to transformers' on 5,000 strings of many scripts
//
// The strings and ids are made by tests/make_golden_tokenizer.py; zcat shows them. A difference prints the string, what
// was expected and what came.

#include "stages/tokenizer.h"
#include "test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define GOLDEN "tests/golden/tokenizer/"

enum { LONGEST_LINE = 1 << 17, STRINGS = 5000, SHOWN_FAILURES = 5 };

// "17 4 4", or "-" for none, cut to what a line of the terminal holds.
static void print_ids(const char *what, const uint32_t *ids, size_t count) {
    printf("    %s (%zu):", what, count);
    for (size_t i = 0; i < count && i < 40; i++) printf(" %u", ids[i]);
    printf("%s\n", count > 40 ? " ..." : "");
}

static size_t parse_ids(char *line, uint32_t *ids) {
    size_t count = 0;
    for (char *word = strtok(line, " \n"); word && strcmp(word, "-") != 0; word = strtok(NULL, " \n")) {
        ids[count++] = (uint32_t)strtoul(word, NULL, 10);
    }
    return count;
}

// The whole prompt's ids, and what the text encoder gets: ends, cut and padding.
static bool ids_agree(const Tokenizer *tokenizer, const TokenIds *got, const uint32_t *expected, size_t count) {
    bool same = got->count == count && got->length == 77;
    for (size_t i = 0; same && i < count; i++) same = got->tokens[i].id == expected[i];
    size_t kept = count < 75 ? count : 75;
    same = same && got->used == kept + 2 && (got->lost[0] != '\0') == (count > 75);
    for (size_t i = 0; same && i < 77; i++) {
        uint32_t id = i == 0          ? tokenizer->start_id
                      : i <= kept     ? expected[i - 1]
                      : i == kept + 1 ? tokenizer->end_id
                                      : tokenizer->pad_id;
        same = got->ids[i] == id;
    }
    return same;
}

// The tokens' bytes follow each other and leave out nothing but spaces.
static bool spans_agree(const TokenIds *got) {
    size_t at = 0, size = strlen(got->text);
    for (size_t i = 0; i <= got->count; i++) {
        size_t start = i < got->count ? got->tokens[i].start : size;
        while (at < start && got->text[at] == ' ') at++;
        if (at != start) return false;
        if (i < got->count) at = got->tokens[i].end;
    }
    return at == size;
}

// True if the string's ids are as expected; prints them if not.
static bool check_string(const Tokenizer *tokenizer, const char *json_line, char *ids_line, bool show) {
    static uint32_t expected[LONGEST_LINE], ids[LONGEST_LINE];
    size_t count = parse_ids(ids_line, expected);
    json_t *string = json_loads(json_line, JSON_DECODE_ANY, NULL);
    if (!string) return false;
    TokenIds got;
    Error error = {0};
    bool encoded = tokenizer_encode(tokenizer, json_string_value(string), &got, &error);
    bool same = encoded && ids_agree(tokenizer, &got, expected, count) && spans_agree(&got);
    if (!same && show) {
        printf("  %.200s", json_line);
        print_ids("expected", expected, count);
        for (size_t i = 0; i < got.count; i++) ids[i] = got.tokens[i].id;
        print_ids("got", ids, got.count);
        if (!encoded) printf("    %s\n", error.message);
    }
    if (encoded) token_ids_free(&got);
    json_decref(string);
    return same;
}

static void check_folder(const char *folder, const char *ids_path) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open(folder, &error);
    EXPECT(tokenizer, "%s", error.message);
    if (!tokenizer) return;
    gzFile strings = gzopen(GOLDEN "strings.jsonl.gz", "rb"), ids = gzopen(ids_path, "rb");
    EXPECT(strings && ids, "no " GOLDEN "strings.jsonl.gz or %s", ids_path);
    static char json_line[LONGEST_LINE], ids_line[LONGEST_LINE];
    size_t count = 0, wrong = 0;
    while (strings && ids && gzgets(strings, json_line, LONGEST_LINE) && gzgets(ids, ids_line, LONGEST_LINE)) {
        wrong += !check_string(tokenizer, json_line, ids_line, wrong < SHOWN_FAILURES);
        count++;
    }
    EXPECT(count == STRINGS, "%zu strings, not %d", count, STRINGS);
    EXPECT(wrong == 0, "%zu of %zu strings have other ids", wrong, count);
    printf("  %s: %zu of %zu strings equal\n", folder, count - wrong, count);
    gzclose(strings);
    gzclose(ids);
    tokenizer_close(tokenizer);
}

static bool exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

static void test_small(void) { check_folder(GOLDEN "small", GOLDEN "ids-small.txt.gz"); }

static void test_small_sd2(void) { check_folder(GOLDEN "small-sd2", GOLDEN "ids-small-sd2.txt.gz"); }

static void test_critters(void) {
    const char *folder = "data/models/critters/tokenizer", *ids = GOLDEN "ids-critters.txt.gz";
    if (!exists(folder) || !exists(ids)) SKIP("%s or %s isn't there", folder, ids);
    check_folder(folder, ids);
}

static void test_clip(void) {
    const char *folder = "build/clip-vocab", *list = "../shared/clip/bpe_simple_vocab_16e6.txt.gz";
    if (!exists("build/clip-vocab/merges.txt")) SKIP("%s isn't there; it is made from %s", folder, list);
    check_folder(folder, GOLDEN "ids-clip.txt.gz");
}

int main(void) {
    TEST(test_small);
    TEST(test_small_sd2);
    TEST(test_critters);
    TEST(test_clip);
    return test_summary();
}
