// test_tokenizer.c - the tokenizer's own promises: cutting, padding, errors, speed, and no prompt that breaks it
//
// That the ids are the right ones is proven in tests/parity/test_tokenizer_parity.c.

#include "stages/tokenizer.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SMALL "tests/golden/tokenizer/small"
#define SMALL_SD2 "tests/golden/tokenizer/small-sd2"

static Tokenizer *open_or_stop(const char *folder) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open(folder, &error);
    if (!tokenizer) {
        printf("%s\n", error.message);
        exit(1);
    }
    return tokenizer;
}

static void test_ends_and_padding(void) {
    Tokenizer *tokenizer = open_or_stop(SMALL);
    TokenIds ids;
    EXPECT(tokenizer_encode(tokenizer, "", &ids, NULL), "the empty prompt");
    EXPECT(ids.length == 77 && ids.used == 2 && ids.count == 0, "%zu %zu %zu", ids.length, ids.used, ids.count);
    EXPECT(ids.ids[0] == tokenizer->start_id && ids.ids[1] == tokenizer->end_id, "%d %d", (int)ids.ids[0],
           (int)ids.ids[1]);
    EXPECT(ids.ids[76] == tokenizer->end_id, "SD 1.x pads with the end token, not %d", (int)ids.ids[76]);
    EXPECT(strcmp(ids.text, "") == 0 && strcmp(ids.lost, "") == 0, "\"%s\" \"%s\"", ids.text, ids.lost);
    token_ids_free(&ids);
    tokenizer_close(tokenizer);

    tokenizer = open_or_stop(SMALL_SD2);
    EXPECT(tokenizer_encode(tokenizer, "moo", &ids, NULL), "moo");
    EXPECT(strcmp(tokenizer_piece(tokenizer, ids.ids[76]), "!") == 0, "SD 2.x pads with \"!\", not %d",
           (int)ids.ids[76]);
    EXPECT(tokenizer_vocabulary_size(tokenizer) == 802, "%zu", tokenizer_vocabulary_size(tokenizer));
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

static void test_pieces_and_spans(void) {
    Tokenizer *tokenizer = open_or_stop(SMALL);
    TokenIds ids;
    EXPECT(tokenizer_encode(tokenizer, " A  Pygmy\tHIPPO<|endoftext|>, caf\x65\xcc\x81", &ids, NULL), "encode");
    EXPECT(strcmp(ids.text, " a pygmy hippo<|endoftext|>, caf\xc3\xa9") == 0, "\"%s\"", ids.text);
    char spelt[200] = "";
    for (size_t i = 0; i < ids.count; i++) {
        Token token = ids.tokens[i];
        snprintf(spelt + strlen(spelt), sizeof spelt - strlen(spelt), "[%.*s]", (int)(token.end - token.start),
                 ids.text + token.start);
        EXPECT(ids.ids[i + 1] == token.id, "id %zu", i);
    }
    EXPECT(strstr(spelt, "[a]") == spelt && strstr(spelt, "[<|endoftext|>][,]"), "%s", spelt);
    EXPECT(strcmp(tokenizer_piece(tokenizer, ids.tokens[0].id), "a</w>") == 0, "%s",
           tokenizer_piece(tokenizer, ids.tokens[0].id));
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

static void test_lost(void) {
    Tokenizer *tokenizer = open_or_stop(SMALL);
    char prompt[400] = "";
    for (int i = 0; i < 75; i++) strcat(prompt, "a ");
    TokenIds ids;
    EXPECT(tokenizer_encode(tokenizer, prompt, &ids, NULL), "75 words");
    EXPECT(ids.used == 77 && strcmp(ids.lost, "") == 0, "75 words fit, lost \"%s\"", ids.lost);
    token_ids_free(&ids);
    strcat(prompt, "On the  BEACH");
    EXPECT(tokenizer_encode(tokenizer, prompt, &ids, NULL), "78 words");
    EXPECT(ids.used == 77 && ids.ids[76] == tokenizer->end_id && ids.count > 77, "used %zu of %zu", ids.used,
           ids.count);
    EXPECT(strcmp(ids.lost, "on the beach") == 0, "lost \"%s\"", ids.lost);
    token_ids_free(&ids);

    prompt[0] = '\0';
    for (int i = 0; i < 60; i++) strcat(prompt, "\xea\x99\x80");  // Ꙁ: three bytes, more than one token
    EXPECT(tokenizer_encode(tokenizer, prompt, &ids, NULL), "60 letters of several tokens");
    EXPECT(ids.count > 75 && ((unsigned char)ids.lost[0] & 0xc0) == 0xc0, "lost begins within a character");
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

// ---- Prompts from anywhere ----------------------------------------------------------------------------------------

static void test_invalid_utf8(void) {
    Tokenizer *tokenizer = open_or_stop(SMALL);
    const char *prompts[] = {"hip\xff", "hip\xc3", "hip\xed\xa0\x80", "hip\xc0\x80", "hip\xf4\x90\x80\x80", "hip\x80"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        Error error = {0};
        TokenIds ids;
        EXPECT(!tokenizer_encode(tokenizer, prompts[i], &ids, &error), "took invalid prompt %zu", i);
        EXPECT(strstr(error.message, "prompt: not valid UTF-8 at byte 3;"), "%s", error.message);
        token_ids_free(&ids);
    }
    tokenizer_close(tokenizer);
}

// Bytes drawn so that many prompts are valid: mostly ASCII and short sequences, now and then anything.
static void test_random_bytes(void) {
    Tokenizer *tokenizers[] = {open_or_stop(SMALL), open_or_stop(SMALL_SD2)};
    static const char *const parts[] = {
        "\xcc\x81",         "\xc4\xb0", "<|endoftext|>", "<|EndOfText|>", "!",  "'s", " ", "\xe2\x80\x8d",
        "\xf0\x9f\xa6\x9b", "Moo",      "\xe0\xba\xba",  "\xed\x95\x9c",  "\n", "0"};
    uint32_t state = 1;
    size_t valid = 0;
    for (int round = 0; round < 20000; round++) {
        char prompt[300] = "";
        state = state * 1664525 + 1013904223;
        size_t n = 0, parts_wanted = (state >> 24) % 20;
        for (size_t i = 0; i < parts_wanted; i++) {
            state = state * 1664525 + 1013904223;  // Knuth's linear congruential generator
            if (state >> 30 == 0) {
                prompt[n++] = (char)((state >> 16) % (state & 0x8000 ? 255 : 127) + 1);
            } else {
                const char *part = parts[(state >> 16) % (sizeof parts / sizeof *parts)];
                memcpy(prompt + n, part, strlen(part));
                n += strlen(part);
            }
        }
        TokenIds ids;
        Error error = {0};
        bool ok = tokenizer_encode(tokenizers[round % 2], prompt, &ids, &error);
        EXPECT(ok == (error.message[0] == '\0'), "round %d: %s", round, error.message);
        valid += ok;
        token_ids_free(&ids);
    }
    EXPECT(valid > 2000 && valid < 20000, "%zu of 20000 were valid", valid);
    tokenizer_close(tokenizers[0]);
    tokenizer_close(tokenizers[1]);
}

static void expect_fast(const Tokenizer *tokenizer, const char *unit, size_t bytes) {
    size_t n = strlen(unit);
    char *prompt = malloc(bytes + n + 1);
    for (size_t at = 0; at <= bytes; at += n) memcpy(prompt + at, unit, n + 1);
    TokenIds ids;
    Error error = {0};
    clock_t start = clock();
    EXPECT(tokenizer_encode(tokenizer, prompt, &ids, &error), "%s", error.message);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    EXPECT(seconds < 5, "%zu bytes of \"%s\" took %.1f s", bytes, unit, seconds);  // quadratic would take minutes
    token_ids_free(&ids);
    free(prompt);
}

static void test_long_prompts(void) {
    Tokenizer *tokenizer = open_or_stop(SMALL);
    const char *units[] = {
        "a", "hippo", "on the beach ", "!", "\xe6\xb2\xb3", "\xcc\x95\xcc\xb4", "<|endoftext|>", "<|endoftex",
        "1", "'s"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) expect_fast(tokenizer, units[i], 500000);

    Error error = {0};
    TokenIds ids;
    char *prompt = malloc(PROMPT_MAX_BYTES + 2);
    memset(prompt, 'a', PROMPT_MAX_BYTES + 1);
    prompt[PROMPT_MAX_BYTES + 1] = '\0';
    EXPECT(!tokenizer_encode(tokenizer, prompt, &ids, &error) && strstr(error.message, "prompt: "), "%s",
           error.message);
    free(prompt);
    tokenizer_close(tokenizer);
}

// ---- Folders from anywhere ----------------------------------------------------------------------------------------

static const char *folder;

static void write_file(const char *name, const char *text) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    EXPECT(file && fputs(text, file) >= 0 && fclose(file) == 0, "can't write %s", path);
}

// Writes the two files and expects an error that holds `words`; NULL expects success.
static void expect_open(const char *vocabulary, const char *merges, const char *config, const char *words) {
    folder = test_folder("tokenizer");
    if (vocabulary) write_file("vocab.json", vocabulary);
    if (merges) write_file("merges.txt", merges);
    if (config) write_file("tokenizer_config.json", config);
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open(folder, &error);
    EXPECT(!tokenizer == (words != NULL), "%s with %s: %s", vocabulary, merges, error.message);
    EXPECT(!words || strstr(error.message, words), "no \"%s\" in: %s", words ? words : "", error.message);
    EXPECT(tokenizer || strchr(error.message, ';') || strchr(error.message, '?'), "says not what to do: %s",
           error.message);
    tokenizer_close(tokenizer);
}

#define ENDS "\"<|startoftext|>\": 0, \"<|endoftext|>\": 1"

static void test_broken_folders(void) {
    const char *good = "{" ENDS ", \"a\": 2, \"b</w>\": 3, \"ab</w>\": 4}", *merges = "#version: 0.2\na b</w>\n";
    expect_open(good, merges, NULL, NULL);
    expect_open(good, "a b</w>\r\n\r\n", "{\"model_max_length\": 1000000000000000019884624838656}", NULL);
    expect_open(NULL, merges, NULL, "no tokenizer.json and no vocab.json");
    expect_open(good, NULL, NULL, "merges.txt");
    expect_open("", merges, NULL, "vocab.json");
    expect_open("{", merges, NULL, "vocab.json: line 1");
    expect_open("[1]", merges, NULL, "not a JSON object");
    expect_open("{\"a\": 0, \"a\": 0}", merges, NULL, "vocab.json: line 1");
    expect_open("{" ENDS ", \"a\": 3}", "", NULL, "\"a\" has no id");
    expect_open("{" ENDS ", \"a\": -1}", "", NULL, "\"a\" has no id");
    expect_open("{" ENDS ", \"a\": 1.5}", "", NULL, "\"a\" has no id");
    expect_open("{" ENDS ", \"a\": 1e300}", "", NULL, "\"a\" has no id");
    expect_open("{" ENDS ", \"a\": \"2\"}", "", NULL, "\"a\" has no id");
    expect_open("{" ENDS ", \"a\": 1}", "", NULL, "both have id 1");
    expect_open("{}", "", NULL, "isn't in the vocabulary");
    expect_open("{\"<|startoftext|>\": 0}", "", NULL, "eos_token \"<|endoftext|>\" isn't in the vocabulary");
    expect_open(good, "a c\n", NULL, "merge 1, \"a c\": the second isn't");
    expect_open(good, "c a\n", NULL, "the first isn't");
    expect_open(good, "a b</w>\na a\n", NULL, "merge 2, \"a a\": what they make isn't");
    expect_open(good, "a\n", NULL, "not two pieces");
    expect_open(good, "a b c\n", NULL, "not two pieces");
    expect_open(good, merges, "{\"model_max_length\": 1}", "model_max_length is 1");
    expect_open(good, merges, "{\"model_max_length\": 70000}", "model_max_length");
    expect_open(good, merges, "{\"eos_token\": 7}", "eos_token isn't a text");
    expect_open(good, merges, "{\"eos_token\": \"<end>\"}", "\"<end>\" isn't in the vocabulary");
    expect_open(good, merges, "{\"added_tokens_decoder\": {\"9\": {\"content\": \"<x>\"}}}",
                "have id 9 but would get 5");
    expect_open(good, merges, "{\"added_tokens_decoder\": {\"5\": {}}}", "added token 5 has no text");
    expect_open(good, merges, "{\"added_tokens_decoder\": {\"5\": {\"content\": \"<x>\"}}}", NULL);
}

// A name in merges.txt that begins like a piece and goes on behind a zero byte isn't that piece. Where it is looked for
// depends on its hash, so many lengths are tried; reading beyond the piece shows under SANITIZE=1.
static void test_zero_bytes_in_merges(void) {
    folder = test_folder("tokenizer");
    write_file("vocab.json", "{" ENDS ", \"a\": 2, \"b</w>\": 3, \"ab</w>\": 4}");
    char path[600];
    snprintf(path, sizeof path, "%s/merges.txt", folder);
    for (size_t zeros = 1; zeros <= 64; zeros++) {
        char merge[80] = {'a'};
        memcpy(merge + 1 + zeros, " b</w>", 6);
        FILE *file = fopen(path, "w");
        EXPECT(file && fwrite(merge, 1, zeros + 7, file) == zeros + 7 && fclose(file) == 0, "can't write %s", path);
        Error error = {0};
        EXPECT(!tokenizer_open(folder, &error) && strstr(error.message, "the first isn't"), "%zu zero bytes: %s", zeros,
               error.message);
    }
}

static void test_broken_whole(void) {
    const char *wholes[] = {
        "{}", "{\"model\": {\"type\": \"Unigram\", \"vocab\": [], \"merges\": []}}",
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {}, \"merges\": [], \"end_of_word_suffix\": null}}",
        "{\"model\": {\"vocab\": {" ENDS "}, \"merges\": [7], \"end_of_word_suffix\": \"</w>\"}}",
        "{\"model\": {\"vocab\": {" ENDS "}, \"merges\": [[\"a\"]], \"end_of_word_suffix\": \"</w>\"}}"};
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        folder = test_folder("tokenizer");
        write_file("tokenizer.json", wholes[i]);
        Error error = {0};
        EXPECT(!tokenizer_open(folder, &error), "opened %s", wholes[i]);
        EXPECT(strstr(error.message, "tokenizer.json: "), "%s", error.message);
    }
    Error error = {0};
    EXPECT(!tokenizer_open("build/tmp/no such folder", &error) && strchr(error.message, ';'), "%s", error.message);
}

// A vocabulary small enough to check by hand: the order of merges, and the unknown token.
static void test_merges(void) {
    folder = test_folder("tokenizer");
    write_file("vocab.json", "{" ENDS ", \"a\": 2, \"b\": 3, \"b</w>\": 4, \"ab\": 5, \"bb</w>\": 6, \"abb</w>\": 7}");
    write_file("merges.txt", "b b</w>\na b\na bb</w>\n");
    Tokenizer *tokenizer = open_or_stop(folder);
    TokenIds ids;
    EXPECT(tokenizer_encode(tokenizer, "abb abc ABBB", &ids, NULL), "encode");
    const uint32_t expected[] = {7, 5, 1, 5,
                                 6};  // abb</w>; ab, and c is unknown; of abbb the earlier merge b b</w> first
    EXPECT(ids.count == 5, "%zu tokens", ids.count);
    for (size_t i = 0; i < ids.count && i < 5; i++) {
        EXPECT(ids.tokens[i].id == expected[i], "token %zu is %u, not %u", i, ids.tokens[i].id, expected[i]);
    }
    token_ids_free(&ids);
    tokenizer_close(tokenizer);
}

int main(void) {
    TEST(test_ends_and_padding);
    TEST(test_pieces_and_spans);
    TEST(test_lost);
    TEST(test_invalid_utf8);
    TEST(test_random_bytes);
    TEST(test_long_prompts);
    TEST(test_broken_folders);
    TEST(test_zero_bytes_in_merges);
    TEST(test_broken_whole);
    TEST(test_merges);
    return test_summary();
}
