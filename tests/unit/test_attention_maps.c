// test_attention_maps.c - who looked at what: maps as a run's observer gets them, and one map of many
// (core/run/attention.c, recorder.c)

#include "run/recorder.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char DOWN[] = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2";
static const char SECOND[] = "unet.down_blocks.0.attentions.0.transformer_blocks.1.attn2";
static const char UP_2[] = "unet.up_blocks.2.attentions.0.transformer_blocks.0.attn2";
static const char UP_10[] = "unet.up_blocks.10.attentions.0.transformer_blocks.0.attn2";

// ---- one map of many ------------------------------------------------------------------------------------------------

// The example of torch.nn.Upsample(scale_factor=2, mode="bilinear"), and down to one pixel again
static void test_mean_stretches(void) {
    static const float SMALL[] = {1, 2, 3, 4};
    static const float LARGE[] = {1,    1.25f, 1.75f, 2,    1.5f, 1.75f, 2.25f, 2.5f,
                                  2.5f, 2.75f, 3.25f, 3.5f, 3,    3.25f, 3.75f, 4};
    AttentionMaps maps = {0};
    float *numbers = attention_maps_add(&maps, "mid_block.attentions.0", 1, 1, 2, 2), map[16], one;
    EXPECT(numbers, "no memory");
    memcpy(numbers, SMALL, sizeof SMALL);
    EXPECT(attention_mean(&maps, 0, 0, 0, 4, 4, map) && memcmp(map, LARGE, sizeof LARGE) == 0, "%g %g %g", map[0],
           map[1], map[5]);
    EXPECT(attention_mean(&maps, ATTENTION_ALL, ATTENTION_ALL, 0, 1, 1, &one) && one == 2.5f, "%g", one);
    attention_maps_free(&maps);
}

// Two layers, 3 heads of 4 x 6 and one of 2 x 3, for 5 tokens
static AttentionMaps two_layers(void) {
    AttentionMaps maps = {0};
    float *large = attention_maps_add(&maps, "down_blocks.0.attentions.0", 3, 5, 4, 6);
    for (size_t i = 0; i < 3 * 5 * 4 * 6; i++) large[i] = sinf((float)i);
    float *small = attention_maps_add(&maps, "mid_block.attentions.0", 1, 5, 2, 3);
    for (size_t i = 0; i < 5 * 2 * 3; i++) small[i] = cosf((float)i);
    return maps;
}

static void test_mean_of_all(void) {
    AttentionMaps maps = two_layers();
    enum { H = 4, W = 6, KEY = 3 };
    float all[H * W], small[H * W], head[H * W], heads[3][H * W];
    EXPECT(attention_mean(&maps, ATTENTION_ALL, ATTENTION_ALL, KEY, H, W, all), "all");
    EXPECT(attention_mean(&maps, 1, ATTENTION_ALL, KEY, H, W, small), "the second layer");
    for (size_t h = 0; h < 3; h++) {
        EXPECT(attention_mean(&maps, 0, h, KEY, H, W, heads[h]), "head %zu", h);
        EXPECT(memcmp(heads[h], maps.layers[0].maps + (h * 5 + KEY) * H * W, sizeof heads[h]) == 0,
               "head %zu in its own size isn't itself", h);
    }
    for (size_t i = 0; i < H * W; i++) {
        float mean = ((heads[0][i] + heads[1][i] + heads[2][i]) / 3 + small[i]) / 2;
        EXPECT(fabsf(all[i] - mean) < 1e-6f, "%zu: %g, not %g", i, all[i], mean);
    }
    // Only the first layer has a third head.
    EXPECT(attention_mean(&maps, ATTENTION_ALL, 2, KEY, H, W, head) && memcmp(head, heads[2], sizeof head) == 0,
           "the third head");
    attention_maps_free(&maps);
}

static void test_mean_of_nothing(void) {
    AttentionMaps maps = two_layers(), none = {0};
    float map[1];
    EXPECT(!attention_mean(&none, ATTENTION_ALL, ATTENTION_ALL, 0, 1, 1, map), "maps without layers");
    EXPECT(!attention_mean(&maps, 2, ATTENTION_ALL, 0, 1, 1, map), "a third layer of two");
    EXPECT(!attention_mean(&maps, ATTENTION_ALL, 3, 0, 1, 1, map), "a fourth head of three");
    EXPECT(!attention_mean(&maps, 1, 1, 0, 1, 1, map), "a second head of one");
    EXPECT(!attention_mean(&maps, ATTENTION_ALL, ATTENTION_ALL, 5, 1, 1, map), "a sixth token of five");
    attention_maps_free(&maps);
    attention_maps_free(&maps);
}

// ---- the recorder, shown matrices by hand ---------------------------------------------------------------------------

static Recorder recorder_of(size_t height, size_t width) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    Recorder recorder;
    recorder_open(&recorder, model, &settings, false);
    EXPECT(recorder.height == HEIGHT / 4 && recorder.width == WIDTH / 4 && recorder.halves_up, "%zu x %zu",
           recorder.height, recorder.width);
    recorder.height = height;
    recorder.width = width;
    model_close(model);
    return recorder;
}

static void show(Recorder *recorder, const char *place, size_t pixels) {
    float *numbers = calloc(pixels, sizeof *numbers);
    recorder->observer.probabilities(recorder, place, tensor_over(numbers, shape4(1, 1, pixels, 1)));
    free(numbers);
}

static void expect_size(Recorder *recorder, size_t pixels, size_t height, size_t width) {
    AttentionMaps maps;
    Error error = {0};
    show(recorder, DOWN, pixels);
    EXPECT(recorder_take(recorder, &maps, &error) && maps.count == 1, "%zu layers: %s", maps.count, error.message);
    EXPECT(maps.layers[0].height == height && maps.layers[0].width == width, "%zu pixels are %zu x %zu", pixels,
           maps.layers[0].height, maps.layers[0].width);
    attention_maps_free(&maps);
}

static void test_sizes(void) {
    Recorder recorder = recorder_of(5, 7);
    expect_size(&recorder, 35, 5, 7);
    expect_size(&recorder, 12, 3, 4);
    expect_size(&recorder, 4, 2, 2);
    expect_size(&recorder, 1, 1, 1);
    recorder.halves_up = false;
    expect_size(&recorder, 35, 5, 7);
    expect_size(&recorder, 6, 2, 3);
    expect_size(&recorder, 1, 1, 1);
    recorder_close(&recorder);
}

static void test_wanted(void) {
    Recorder recorder = recorder_of(4, 4);
    static const char *const WANTED[] = {DOWN, SECOND, "text_encoder.layers.11.self_attn"};
    static const char *const OTHERS[] = {"unet.mid_block.attentions.0.transformer_blocks.0.attn1",
                                         "vae.decoder.mid_block.attentions.0",
                                         "vae.decoder.attn2",
                                         "text_encoder.layers.11",
                                         "unet.attn2",
                                         ""};
    for (size_t i = 0; i < 3; i++) EXPECT(recorder.observer.wants(&recorder, WANTED[i]), "%s isn't wanted", WANTED[i]);
    for (size_t i = 0; i < 6; i++) EXPECT(!recorder.observer.wants(&recorder, OTHERS[i]), "%s is wanted", OTHERS[i]);
    recorder_close(&recorder);
}

// A pass that was cut short, or that nobody took, leaves nothing in the next.
static void test_passes(void) {
    Recorder recorder = recorder_of(4, 4);
    AttentionMaps maps;
    Error error = {0};
    show(&recorder, DOWN, 16);
    show(&recorder, SECOND, 16);
    show(&recorder, DOWN, 16);
    show(&recorder, SECOND, 16);
    show(&recorder, UP_2, 4);
    show(&recorder, UP_10, 16);
    EXPECT(recorder_take(&recorder, &maps, &error) && maps.count == 4, "%zu layers: %s", maps.count, error.message);
    static const char *const NAMES[] = {"down_blocks.0.attentions.0", "down_blocks.0.attentions.0.transformer_blocks.1",
                                        "up_blocks.2.attentions.0", "up_blocks.10.attentions.0"};
    for (size_t i = 0; i < 4 && i < maps.count; i++) {
        EXPECT(strcmp(maps.layers[i].place, NAMES[i]) == 0, "layer %zu is called %s", i, maps.layers[i].place);
    }
    attention_maps_free(&maps);
    EXPECT(recorder_take(&recorder, &maps, &error) && maps.count == 0, "%zu layers again", maps.count);
    show(&recorder, UP_10, 16);  // a shallow call
    show(&recorder, DOWN, 16);   // and a whole one
    show(&recorder, UP_10, 16);
    EXPECT(recorder_take(&recorder, &maps, &error) && maps.count == 2, "%zu layers of two", maps.count);
    attention_maps_free(&maps);
    recorder_close(&recorder);
}

// ---- the recorder, watching runs ------------------------------------------------------------------------------------

// Maps of a run's first step
static AttentionMaps first_step(const Model *model, const Settings *asked, bool heads_apart, TextAttention *text) {
    Settings settings = *asked;
    Recorder recorder;
    recorder_open(&recorder, model, &settings, heads_apart);
    settings.attention_observer = recorder.observer;
    settings.listener = &recorder;
    Run *run = runs_begin(model, &settings);
    AttentionMaps maps;
    TextAttention unwanted;
    Error error = {0};
    EXPECT(recorder_take_text(&recorder, text ? text : &unwanted, &error), "%s", error.message);
    if (!text) text_attention_free(&unwanted);
    runs_step(run, 1);
    EXPECT(recorder_take(&recorder, &maps, &error), "%s", error.message);
    run_free(run);
    recorder_close(&recorder);
    return maps;
}

// Each pixel shares itself out among the tokens, and each token among itself and those before it.
static void test_shares(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    TextAttention text;
    AttentionMaps maps = first_step(model, &settings, true, &text);
    EXPECT(maps.count == 4, "%zu layers", maps.count);
    for (size_t i = 0; i < maps.count; i++) {
        const LayerMaps *l = &maps.layers[i];
        size_t pixels = l->height * l->width, level = strcmp(l->place, "mid_block.attentions.0") == 0;
        EXPECT(l->heads == 2 && l->keys == 77, "%s: %zu heads, %zu tokens", l->place, l->heads, l->keys);
        EXPECT(l->height << level == HEIGHT / 4 && l->width << level == WIDTH / 4, "%s: %zu x %zu", l->place, l->height,
               l->width);
        for (size_t h = 0; h < l->heads; h++) {
            for (size_t p = 0; p < pixels; p++) {
                double sum = 0;
                for (size_t j = 0; j < l->keys; j++) sum += l->maps[(h * l->keys + j) * pixels + p];
                EXPECT(fabs(sum - 1) < 1e-5, "%s: head %zu, pixel %zu: shares add up to %g", l->place, h, p, sum);
            }
        }
    }
    EXPECT(text.count == 2 && strcmp(text.layers[1].place, "layers.1") == 0, "%zu layers of text", text.count);
    for (size_t i = 0; i < text.count; i++) {
        const TextLayerMaps *l = &text.layers[i];
        for (size_t row = 0; row < l->heads * l->length; row++) {
            const float *shares = l->maps + row * l->length;
            double seen = 0, later = 0;
            for (size_t j = 0; j < l->length; j++) *(j <= row % l->length ? &seen : &later) += shares[j];
            EXPECT(fabs(seen - 1) < 1e-5 && later == 0, "%s: row %zu: %g before, %g behind", l->place, row, seen,
                   later);
        }
    }
    attention_maps_free(&maps);
    text_attention_free(&text);
    model_close(model);
}

static double farthest(const float *a, const float *b, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i] - b[i]));
    return most;
}

static double distance(const AttentionMaps *a, const AttentionMaps *b) {
    double most = 0;
    EXPECT(a->count == b->count, "%zu and %zu layers", a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const LayerMaps *l = &a->layers[i];
        most = fmax(most, farthest(l->maps, b->layers[i].maps, l->heads * l->keys * l->height * l->width));
    }
    return most;
}

static void test_mean_over_heads(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    AttentionMaps apart = first_step(model, &settings, true, NULL), mean = first_step(model, &settings, false, NULL);
    EXPECT(attention_maps_bytes(&apart) == 2 * attention_maps_bytes(&mean) && apart.count == mean.count, "bytes");
    for (size_t i = 0; i < mean.count; i++) {
        const LayerMaps *m = &mean.layers[i];
        size_t n = m->keys * m->height * m->width;
        const float *two = apart.layers[i].maps;
        for (size_t k = 0; k < n; k++) {
            EXPECT(m->maps[k] == 0.5f * two[k] + 0.5f * two[n + k], "%s: %zu: %g of %g and %g", m->place, k, m->maps[k],
                   two[k], two[n + k]);
        }
    }
    attention_maps_free(&apart);
    attention_maps_free(&mean);
    model_close(model);
}

// The half of a guided step that is kept is what the step without guidance sees: the prompt's.
static void test_of_the_prompt(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.negative_prompt = "a blue dog";
    TextAttention text[3];
    AttentionMaps guided = first_step(model, &settings, false, &text[0]);
    settings.guidance_scale = 1;
    AttentionMaps alone = first_step(model, &settings, false, &text[1]);
    settings.prompt = "a blue dog";
    AttentionMaps other = first_step(model, &settings, false, &text[2]);
    EXPECT(distance(&guided, &alone) < 1e-6, "guided and unguided are %g apart", distance(&guided, &alone));
    EXPECT(distance(&guided, &other) > 1e-4, "the negative prompt's are %g apart", distance(&guided, &other));
    size_t n = 2 * 77 * 77;
    double same = farthest(text[0].layers[1].maps, text[1].layers[1].maps, n),
           differs = farthest(text[0].layers[1].maps, text[2].layers[1].maps, n);
    EXPECT(same < 1e-6 && differs > 1e-4, "the text's are %g and %g apart", same, differs);
    for (size_t i = 0; i < 3; i++) text_attention_free(&text[i]);
    attention_maps_free(&guided);
    attention_maps_free(&alone);
    attention_maps_free(&other);
    model_close(model);
}

// With layers left out, the negative prompt still goes through all of them, before the prompt.
static void test_clip_skip(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.negative_prompt = "a blue dog";
    TextAttention whole, cut;
    AttentionMaps maps = first_step(model, &settings, false, &whole);
    attention_maps_free(&maps);
    settings.clip_skip = 1;
    maps = first_step(model, &settings, false, &cut);
    EXPECT(cut.count == 1 && whole.count == 2, "%zu layers of %zu", cut.count, whole.count);
    double apart = farthest(cut.layers[0].maps, whole.layers[0].maps, 2 * 77 * 77);
    EXPECT(apart < 1e-6, "%g from the prompt's", apart);
    attention_maps_free(&maps);
    text_attention_free(&whole);
    text_attention_free(&cut);
    model_close(model);
}

static void test_shallow_steps(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.deep_cache = 2;
    Run *run = runs_begin(model, &settings);
    Recorder recorder;
    recorder_open(&recorder, model, &settings, false);
    Error error = {0};
    EXPECT(run_observe(run, NULL, recorder.observer, &recorder, &error), "%s", error.message);
    for (size_t k = 0; k < 4; k++) {
        AttentionMaps maps;
        runs_step(run, 1);
        EXPECT(recorder_take(&recorder, &maps, &error), "%s", error.message);
        EXPECT(maps.count == (run_last_step(run)->shallow ? 1 : 4), "step %zu: %zu layers", k, maps.count);
        EXPECT(strcmp(maps.layers[maps.count - 1].place, "up_blocks.1.attentions.1") == 0, "%s",
               maps.layers[maps.count - 1].place);
        attention_maps_free(&maps);
    }
    run_free(run);
    recorder_close(&recorder);
    model_close(model);
}

int main(void) {
    TEST(test_mean_stretches);
    TEST(test_mean_of_all);
    TEST(test_mean_of_nothing);
    TEST(test_sizes);
    TEST(test_wanted);
    TEST(test_passes);
    TEST(test_shares);
    TEST(test_mean_over_heads);
    TEST(test_of_the_prompt);
    TEST(test_clip_skip);
    TEST(test_shallow_steps);
    return test_summary();
}
