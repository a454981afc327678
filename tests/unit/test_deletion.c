// test_deletion.c - the words of a prompt, the prompt without one of them, and where that changes the U-Net's answer

#include "run/deletion.h"
#include "runs.h"
#include "stages/layers.h"
#include "test.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 80 };

static Tokenizer *open_tokenizer(void) {
    Error error = {0};
    Tokenizer *tokenizer = tokenizer_open("data/models/critters/tokenizer", &error);
    if (!tokenizer) {
        printf("%s\n", error.message);
        exit(1);
    }
    return tokenizer;
}

static TokenIds encode(const Tokenizer *tokenizer, const char *prompt, bool weights) {
    Error error = {0};
    TokenIds tokens;
    bool ok = (weights ? tokenizer_encode_weighted : tokenizer_encode)(tokenizer, prompt, &tokens, &error);
    EXPECT(ok, "%s", error.message);
    if (!ok) exit(1);
    return tokens;
}

// ---- words ----------------------------------------------------------------------------------------------------------

static const struct {
    const char *prompt, *words;  // one behind the other, each in bars
} WORDS[] = {
    {"", ""},
    {"  \t ", ""},
    {"a Pygmy  hippo wearing sunglasses", "|a||pygmy||hippo||wearing||sunglasses|"},
    {"hippo's, 2024", "|hippo's||,||2024|"},
    {"(red)  cat!!", "|(||red||)||cat||!!|"},
    {"sun-glasses", "|sun||-||glasses|"},
    {"r2d2 at 9:30", "|r2d2||at||9||:||30|"},
    {"e\xcc\x81t\xc3\xa9 \xe7\x8c\xab\xe3\x80\x82", "|\xc3\xa9t\xc3\xa9||\xe7\x8c\xab||\xe3\x80\x82|"},
    {"a \xf0\x9f\xa6\x9b\xf0\x9f\x95\xb6 hippo", "|a||\xf0\x9f\xa6\x9b\xf0\x9f\x95\xb6||hippo|"},
    {"x\xf0\x9f\xa6\x9by", "|x||\xf0\x9f\xa6\x9b||y|"},
    {"?\xf0\x9f\xa6\x9b\xcc\x81?", "|?\xf0\x9f\xa6\x9b||\xcc\x81||?|"},  // a mark on what is no letter
    {"cat<|endoftext|>hat", "|cat||<|endoftext|>||hat|"},
};

static void test_words(void) {
    Tokenizer *tokenizer = open_tokenizer();
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        TokenIds tokens = encode(tokenizer, WORDS[i].prompt, false);
        PromptWord words[MOST_WORDS];
        char list[256] = "";
        size_t count = prompt_words(&tokens, words, MOST_WORDS), next = 0;
        for (size_t w = 0; w < count; w++) {
            size_t n = strlen(list);
            snprintf(list + n, sizeof list - n, "|%.*s|", (int)(words[w].end - words[w].start),
                     tokens.text + words[w].start);
            EXPECT(words[w].first == next && words[w].last >= next, "\"%s\": word %zu has tokens %zu to %zu",
                   WORDS[i].prompt, w, words[w].first, words[w].last);
            next = words[w].last + 1;
        }
        EXPECT(next + 2 == tokens.used, "\"%s\": %zu of %zu tokens are in words", WORDS[i].prompt, next, tokens.used);
        EXPECT(strcmp(list, WORDS[i].words) == 0, "\"%s\" has %s", WORDS[i].prompt, list);
        EXPECT(prompt_words(&tokens, words, 0) == count, "counting alone counts otherwise");
        token_ids_free(&tokens);
    }
    tokenizer_close(tokenizer);
}

// A word of several pieces is one; of one that is cut through, what is read is its tokens, and all of it its text.
static void test_long_words(void) {
    Tokenizer *tokenizer = open_tokenizer();
    char prompt[512] = "";
    for (size_t i = 0; i < 74; i++) strcat(prompt, "a ");
    strcat(prompt, "zqxjkvbw hippo");
    TokenIds tokens = encode(tokenizer, prompt, false);
    PromptWord words[MOST_WORDS];
    size_t count = prompt_words(&tokens, words, MOST_WORDS);
    EXPECT(tokens.count > tokens.used, "zqxjkvbw isn't cut through");
    EXPECT(count == 75, "%zu words are read", count);
    EXPECT(words[74].first == 74 && words[74].last == 74 && words[74].end - words[74].start == 8,
           "the last is bytes %zu to %zu", words[74].start, words[74].end);
    token_ids_free(&tokens);

    tokens = encode(tokenizer, "zqxjkvbw hippo", false);
    count = prompt_words(&tokens, words, MOST_WORDS);
    EXPECT(count == 2 && words[0].last > 0 && words[1].first == words[0].last + 1, "%zu words", count);
    token_ids_free(&tokens);
    tokenizer_close(tokenizer);
}

// ---- without --------------------------------------------------------------------------------------------------------

static const struct {
    const char *prompt;
    size_t word;
    const char *without;
} WITHOUT[] = {
    {"hippo", 0, ""},
    {"A red hippo", 0, "red hippo"},
    {"a Red hippo", 1, "a hippo"},
    {"a red hippo", 2, "a red"},
    {" a ", 0, " "},
    {"red, blue", 1, "red blue"},
    {"red,blue", 1, "red blue"},
    {"red,blue", 0, ",blue"},
    {"red , blue", 1, "red blue"},
    {"hippo's hat", 0, "hat"},
    {"(red) hat", 1, "( ) hat"},
    {"don't 'do' it", 2, "don't ' ' it"},
    {"a hat a hat", 2, "a hat hat"},
    {"caf\xc3\xa9\xe3\x80\x82 hat", 0, "\xe3\x80\x82 hat"},
};

static void test_without(void) {
    Tokenizer *tokenizer = open_tokenizer();
    for (size_t i = 0; i < sizeof WITHOUT / sizeof *WITHOUT; i++) {
        TokenIds tokens = encode(tokenizer, WITHOUT[i].prompt, false);
        PromptWord words[MOST_WORDS];
        size_t count = prompt_words(&tokens, words, MOST_WORDS);
        EXPECT(count > WITHOUT[i].word, "\"%s\" has %zu words", WITHOUT[i].prompt, count);
        char *without = prompt_without_word(&tokens, &words[WITHOUT[i].word], false);
        EXPECT(strcmp(without, WITHOUT[i].without) == 0, "\"%s\" without word %zu is \"%s\"", WITHOUT[i].prompt,
               WITHOUT[i].word, without);
        free(without);
        token_ids_free(&tokens);
    }
    tokenizer_close(tokenizer);
}

static const char *const WEIGHTED[] = {
    "a (pygmy hippo:1.3) wearing ((sunglasses)) at [night]",
    "(((red))) sun(glasses:0.35)cat, (blue:-2)",
    "\\(red\\) \\[cat\\] back\\\\slash (a:2 b\\):1.7) caf\xc3\xa9",
    "(all of it: 1.25)",
};

// With weights, the prompt without a word has the tokens that are left, each with the weight that it had.
static void test_weights_are_kept(void) {
    Tokenizer *tokenizer = open_tokenizer();
    for (size_t i = 0; i < sizeof WEIGHTED / sizeof *WEIGHTED; i++) {
        TokenIds tokens = encode(tokenizer, WEIGHTED[i], true);
        PromptWord words[MOST_WORDS];
        size_t count = prompt_words(&tokens, words, MOST_WORDS);
        EXPECT(count > 0, "\"%s\" has no words", WEIGHTED[i]);
        for (size_t w = 0; w < count; w++) {
            char *without = prompt_without_word(&tokens, &words[w], true);
            TokenIds left = encode(tokenizer, without, true);
            size_t gone = words[w].last - words[w].first + 1;
            EXPECT(left.count + gone == tokens.count, "\"%s\": \"%s\" has %zu tokens", WEIGHTED[i], without,
                   left.count);
            for (size_t t = 0; t < left.count && left.count + gone == tokens.count; t++) {
                Token was = tokens.tokens[t < words[w].first ? t : t + gone], is = left.tokens[t];
                EXPECT(was.id == is.id && was.weight == is.weight, "\"%s\": token %zu was %u x %g and is %u x %g",
                       without, t, was.id, (double)was.weight, is.id, (double)is.weight);
            }
            token_ids_free(&left);
            free(without);
        }
        token_ids_free(&tokens);
    }
    tokenizer_close(tokenizer);
}

// ---- the map --------------------------------------------------------------------------------------------------------

typedef struct Subject {
    Model *model;
    Run *run;
    PromptWord words[MOST_WORDS];
    size_t count, area;
} Subject;

// The small model, three steps into a picture of 64 x 64
static Subject open_subject(const char *prompt, bool weights) {
    Error error = {0};
    Subject s = {.model = model_open("data/models/critters", &error)};
    if (!s.model) {
        printf("%s\n", error.message);
        exit(1);
    }
    Settings settings = settings_default(s.model);
    settings.prompt = prompt;
    settings.prompt_weights = weights;
    settings.width = settings.height = 64;
    settings.num_inference_steps = 8;
    settings.seed = 1;
    s.run = runs_begin(s.model, &settings);
    runs_step(s.run, 3);
    s.count = prompt_words(run_tokens(s.run, 1), s.words, MOST_WORDS);
    size_t height, width;
    run_latent_size(s.run, &height, &width);
    s.area = height * width;
    return s;
}

static void close_subject(Subject *s) {
    run_free(s->run);
    model_close(s->model);
}

static double mean(const float *map, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)map[i];
    return sum / (double)n;
}

// The map is what its equation says; with a known answer it is the same map, but for another batch's rounding; and the
// run goes on as if nothing had been asked.
static void test_map(void) {
    Subject s = open_subject("a pygmy hippo wearing sunglasses", false);
    Error error = {0};
    Run *undisturbed = run_copy(s.run, &error);
    EXPECT(undisturbed && s.count == 5, "%s", error.message);
    float *map = zeroed(10 * s.area, sizeof *map), *again = map + s.area, *with = map + 2 * s.area,
          *without = map + 6 * s.area;
    EXPECT(run_deletion_map(s.run, &s.words[4], NULL, map, &error), "%s", error.message);
    EXPECT(run_ask(s.run, NULL, with, &error), "%s", error.message);
    EXPECT(run_ask(s.run, "a pygmy hippo wearing", without, &error), "%s", error.message);
    for (size_t i = 0; i < s.area; i++) {
        float squares = 0;
        for (size_t c = 0; c < 4; c++) squares += powf(with[c * s.area + i] - without[c * s.area + i], 2);
        EXPECT(fabsf(map[i] - sqrtf(squares)) <= 1e-6f, "at %zu it is %g, not %g", i, (double)map[i],
               sqrt((double)squares));
    }
    EXPECT(mean(map, s.area) > 0.01, "sunglasses move the answer by %g", mean(map, s.area));
    EXPECT(run_deletion_map(s.run, &s.words[0], NULL, again, &error), "%s", error.message);
    EXPECT(mean(again, s.area) < mean(map, s.area), "\"a\" says more than \"sunglasses\"");

    runs_step(s.run, 1);
    const float *text = run_last_step(s.run)->noise_pred_text;
    EXPECT(run_deletion_map(undisturbed, &s.words[4], text, again, &error), "%s", error.message);
    EXPECT(relative_l2(again, map, s.area) < 1e-3, "with the recorded answer it is off by %.2g",
           relative_l2(again, map, s.area));
    runs_finish(s.run);
    runs_finish(undisturbed);
    EXPECT(memcmp(run_latents(s.run), run_latents(undisturbed), 4 * s.area * sizeof(float)) == 0,
           "after a deletion map a run ends elsewhere");
    EXPECT(!run_deletion_map(s.run, &s.words[4], NULL, map, &error) && strstr(error.message, "finished"), "%s",
           error.message);
    free(map);
    run_free(undisturbed);
    close_subject(&s);
}

// A word that is there twice: each time it is another word, in another place of the prompt, with another map. The only
// word of a prompt leaves an empty one.
static void test_map_of_words_alike(void) {
    Subject s = open_subject("a red hat on a red cat", false);
    Error error = {0};
    float *map = zeroed(2 * s.area, sizeof *map);
    EXPECT(s.count == 7, "%zu words", s.count);
    EXPECT(run_deletion_map(s.run, &s.words[1], NULL, map, &error) &&
               run_deletion_map(s.run, &s.words[5], NULL, map + s.area, &error),
           "%s", error.message);
    EXPECT(relative_l2(map, map + s.area, s.area) > 1e-3, "the first red is the second");
    free(map);
    close_subject(&s);

    s = open_subject("Caf\xc3\xa9", false);
    map = zeroed(s.area, sizeof *map);
    EXPECT(s.count == 1 && run_deletion_map(s.run, &s.words[0], NULL, map, &error), "%s", error.message);
    EXPECT(mean(map, s.area) > 0, "the only word says nothing");
    free(map);
    close_subject(&s);
}

// Weights count: the words that are left have theirs. Without one of weight 0 the map is of the others' moving up alone.
static void test_map_with_weights(void) {
    Subject s = open_subject("a (red:1.5) cat", true);
    Error error = {0};
    float *map = zeroed(9 * s.area, sizeof *map), *with = map + s.area, *without = map + 5 * s.area;
    EXPECT(s.count == 3 && run_deletion_map(s.run, &s.words[2], NULL, map, &error), "%s", error.message);
    EXPECT(run_ask(s.run, NULL, with, &error) && run_ask(s.run, "a (red:1.5)", without, &error), "%s", error.message);
    for (size_t i = 0; i < s.area; i++) {
        float squares = 0;
        for (size_t c = 0; c < 4; c++) squares += powf(with[c * s.area + i] - without[c * s.area + i], 2);
        EXPECT(fabsf(map[i] - sqrtf(squares)) <= 1e-6f, "at %zu it is %g, not %g", i, (double)map[i],
               sqrt((double)squares));
    }
    free(map);
    close_subject(&s);
}

static void test_no_such_word(void) {
    Subject s = open_subject("", false);
    float map[256];
    EXPECT(s.count == 0, "an empty prompt has %zu words", s.count);
    PromptWord words[] = {{0, 3, 0, 0}, {0, 0, 0, 0}, {0, 3, 1, 0}, {SIZE_MAX, 3, SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Error error = {0};
        EXPECT(!run_deletion_map(s.run, &words[i], NULL, map, &error) && strstr(error.message, "no word"), "%zu: %s", i,
               error.message);
    }
    close_subject(&s);

    s = open_subject("a cat", false);
    PromptWord others[] = {{2, 6, 1, 1}, {2, 5, 0, 1}, {2, 5, 1, 2}, {3, 5, 1, 1}, {2, 3, 1, 1}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        Error error = {0};
        EXPECT(!run_deletion_map(s.run, &others[i], NULL, map, &error) && strstr(error.message, "no word"), "%zu: %s",
               i, error.message);
    }
    close_subject(&s);
}

int main(void) {
    TEST(test_words);
    TEST(test_long_words);
    TEST(test_without);
    TEST(test_weights_are_kept);
    TEST(test_map);
    TEST(test_map_of_words_alike);
    TEST(test_map_with_weights);
    TEST(test_no_such_word);
    return test_summary();
}
