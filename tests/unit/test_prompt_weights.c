// test_prompt_weights.c - brackets in a prompt: what they mean, what is refused, and what becomes of the tokens
//
// Hundreds more are compared with another implementation in tests/parity/test_prompts_parity.c.

#include "stages/prompt_weights.h"

#include "stages/tokenizer.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// ---- brackets -------------------------------------------------------------------------------------------------------

// "{a |1}{cat|1.1}"
static void write_fragments(const WeightedPrompt *prompt, char *out, size_t size) {
    *out = '\0';
    for (size_t i = 0; i < prompt->count; i++) {
        Fragment f = prompt->fragments[i];
        size_t used = strlen(out);
        snprintf(out + used, size - used, "{%.*s|%.6g}", (int)(f.end - f.start), prompt->text + f.start, f.weight);
    }
}

static void expect_read(const char *prompt, const char *expected) {
    WeightedPrompt read;
    Error error = {0};
    char fragments[512];
    bool ok = prompt_weights_read(prompt, &read, &error);
    EXPECT(ok, "%s: %s", prompt, error.message);
    if (!ok) return;
    write_fragments(&read, fragments, sizeof fragments);
    EXPECT(strcmp(fragments, expected) == 0, "%s became %s, not %s", prompt, fragments, expected);
    weighted_prompt_free(&read);
}

static void expect_refused(const char *prompt, const char *word) {
    WeightedPrompt read;
    Error error = {0};
    EXPECT(!prompt_weights_read(prompt, &read, &error) && !read.text, "%.40s was read", prompt);
    EXPECT(strstr(error.message, word) && strstr(error.message, "; ") && !strchr(error.message, '\n'), "%.40s: %s",
           prompt, error.message);
}

static void test_notation(void) {
    expect_read("a red cat", "{a red cat|1}");
    expect_read("a (red) cat", "{a |1}{red|1.1}{ cat|1}");
    expect_read("a ((red)) [cat]", "{a |1}{red|1.21}{ |1}{cat|0.909091}");
    expect_read("(red:1.3)(cat: .5 )", "{red|1.3}{cat|0.5}");
    expect_read("(a (red:2) cat:3)", "{a |3}{red|6}{ cat|3}");
    expect_read("\\(red\\) \\[cat\\] \\\\", "{(red) [cat] \\|1}");
    expect_read("(red \\(cat\\):1.5)", "{red (cat)|1.5}");
    expect_read("re\\d", "{red|1}");
    expect_read("(sun)(glasses)", "{sunglasses|1.1}");
    expect_read("(red:0) (cat:-1)", "{red|0}{ |1}{cat|-1}");
}

static void test_unbalanced(void) {
    expect_read("a (red cat", "{a |1}{red cat|1.1}");
    expect_read("a [red cat", "{a |1}{red cat|0.909091}");
    expect_read("a red) cat]", "{a red) cat]|1}");
    expect_read("a red:1.3) cat", "{a red:1.3) cat|1}");
    expect_read("(a [red) cat]", "{a |1.1}{red|1}{ cat|0.909091}");
    expect_read("[red:1.3]", "{red:1.3|0.909091}");
}

static void test_beyond_sense(void) {
    expect_read("", "");
    expect_read("(:1.2)", "");
    expect_read("()[]((", "");
    expect_read("\\", "");
    expect_read("(red:)", "{red:|1.1}");
    expect_read("(red:nan)", "{red:nan|1.1}");
    expect_read("(red:1e9)", "{red:1e9|1.1}");
    expect_read("(red:0x10)", "{red:0x10|1.1}");
    expect_refused("(red:1000000000)", "weighs 1e+09");
    expect_refused("(red:-1000.1)", "weighs -1000.1");
    expect_refused("((red:100):100)", "weighs 10000");
    expect_refused("(red:1.2.3)", "no number");
    expect_refused("(red:.)", "no number");
    expect_refused("(red:\n..\n)", "no number");
    expect_read("red:1.2.3)", "{red:1.2.3)|1}");

    char digits[1000] = "(red:";
    memset(digits + 5, '9', sizeof digits - 7);
    digits[sizeof digits - 2] = ')';
    expect_refused(digits, "weighs inf");
}

// More brackets than anyone means, and every way of making the reader look at something twice
static void test_long_prompts(void) {
    char deep[PROMPT_BRACKETS_MAX + 3];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_refused(deep, "brackets are open at once");
    deep[PROMPT_BRACKETS_MAX] = '\0';
    expect_read(deep, "");

    const char *units[] = {"(a)", "(a", "a(b:1.2)", "\\(", ":", ": ", ":1", ":1 ", "(a[b)c]", "a:1)", ":....", "(:1 "};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i]), bytes = 1000000;
        char *prompt = malloc(bytes + n + 1);
        memset(prompt, '(', 90);
        for (size_t at = 90; at < bytes; at += n) memcpy(prompt + at, units[i], n + 1);
        WeightedPrompt read;
        Error error = {0};
        clock_t start = clock();
        if (prompt_weights_read(prompt, &read, &error)) weighted_prompt_free(&read);
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        EXPECT(seconds < 5, "a million bytes of \"%s\" took %.1f s", units[i], seconds);  // quadratic: minutes
        free(prompt);
    }
}

// ---- tokens ---------------------------------------------------------------------------------------------------------

static Tokenizer *open_or_stop(void) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open("tests/golden/tokenizer/small", &error);
    if (!tokenizer) {
        printf("%s\n", error.message);
        exit(1);
    }
    return tokenizer;
}

static bool same_tokens(const TokenIds *a, const TokenIds *b) {
    bool same = a->count == b->count && a->used == b->used && strcmp(a->text, b->text) == 0 &&
                strcmp(a->lost, b->lost) == 0 && memcmp(a->ids, b->ids, a->length * sizeof *a->ids) == 0;
    for (size_t i = 0; same && i < a->count; i++) {
        same = a->tokens[i].id == b->tokens[i].id && a->tokens[i].start == b->tokens[i].start &&
               a->tokens[i].weight == 1 && b->tokens[i].weight == 1;
    }
    return same;
}

static void test_without_brackets(void) {
    Tokenizer *tokenizer = open_or_stop();
    const char *prompts[] = {"", "A pygmy  hippo on the BEACH", "<|endoftext|>!", "\xe6\xb2\xb3 caf\x65\xcc\x81"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        TokenIds plain, weighted;
        EXPECT(tokenizer_encode(tokenizer, prompts[i], &plain, NULL) &&
                   tokenizer_encode_weighted(tokenizer, prompts[i], &weighted, NULL),
               "%s", prompts[i]);
        EXPECT(same_tokens(&plain, &weighted), "\"%s\" has other tokens when weights are read", prompts[i]);
        token_ids_free(&plain);
        token_ids_free(&weighted);
    }
    tokenizer_close(tokenizer);
}

static void test_weights_of_tokens(void) {
    Tokenizer *tokenizer = open_or_stop();
    TokenIds ids;
    EXPECT(tokenizer_encode_weighted(tokenizer, "a (pygmy hippo:1.3) [on] (the", &ids, NULL), "encode");
    EXPECT(strcmp(ids.text, "a pygmy hippo on the") == 0, "\"%s\"", ids.text);
    for (size_t i = 0; i < ids.count; i++) {
        char letter = ids.text[ids.tokens[i].start];
        size_t start = ids.tokens[i].start;
        float weight = start < 2 ? 1 : start < 13 ? 1.3f : letter == 'o' || letter == 'n' ? (float)(1 / 1.1) : 1.1f;
        EXPECT(ids.tokens[i].weight == weight, "token %zu, at \"%s\", weighs %g, not %g", i, ids.text + start,
               (double)ids.tokens[i].weight, (double)weight);
    }
    token_ids_free(&ids);

    // A word ends where its weight does, and not where neighbours have the same.
    TokenIds halves, whole;
    EXPECT(tokenizer_encode_weighted(tokenizer, "(hip:2)po", &halves, NULL), "encode");
    EXPECT(tokenizer_encode_weighted(tokenizer, "(hip:2)(po:2)", &whole, NULL), "encode");
    EXPECT(strcmp(tokenizer_piece(tokenizer, whole.tokens[whole.count - 1].id), "hippo</w>") == 0, "%s",
           tokenizer_piece(tokenizer, whole.tokens[whole.count - 1].id));
    EXPECT(halves.count > whole.count, "%zu pieces", halves.count);
    token_ids_free(&halves);
    token_ids_free(&whole);
    tokenizer_close(tokenizer);
}

// The cut falls where it would without brackets, and what was lost is said without them.
static void test_cut(void) {
    Tokenizer *tokenizer = open_or_stop();
    char prompt[800] = "";
    for (int i = 0; i < 37; i++) strcat(prompt, "a (a:1.5) ");
    strcat(prompt, "[on (the:1.2)] BEACH\\)");
    TokenIds ids;
    EXPECT(tokenizer_encode_weighted(tokenizer, prompt, &ids, NULL), "encode");
    EXPECT(ids.used == 77 && ids.ids[76] == tokenizer->end_id && ids.count > 75, "used %zu of %zu", ids.used,
           ids.count);
    EXPECT(ids.tokens[73].weight == 1.5f && ids.tokens[74].weight == (float)(1 / 1.1), "%g %g",
           (double)ids.tokens[73].weight, (double)ids.tokens[74].weight);
    EXPECT(strcmp(ids.lost, "the beach)") == 0, "lost \"%s\"", ids.lost);
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

static void test_bad_prompts(void) {
    Tokenizer *tokenizer = open_or_stop();
    TokenIds ids;
    Error error = {0};
    EXPECT(!tokenizer_encode_weighted(tokenizer, "a (hip\xff:2)", &ids, &error) && !ids.ids, "took invalid UTF-8");
    EXPECT(strstr(error.message, "not valid UTF-8 at byte 6;"), "%s", error.message);
    error = (Error){0};
    EXPECT(!tokenizer_encode_weighted(tokenizer, "(hippo:1.2.3)", &ids, &error) && !ids.ids, "took 1.2.3");
    EXPECT(strstr(error.message, "no number"), "%s", error.message);
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

int main(void) {
    TEST(test_notation);
    TEST(test_unbalanced);
    TEST(test_beyond_sense);
    TEST(test_long_prompts);
    TEST(test_without_brackets);
    TEST(test_weights_of_tokens);
    TEST(test_cut);
    TEST(test_bad_prompts);
    return test_summary();
}
