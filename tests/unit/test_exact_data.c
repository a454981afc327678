// test_exact_data.c - the painter's drawings as a training set: what prompts mean, what the VAE makes of them, files

#include "critters/draw/studio.h"
#include "critters/exact/exact_data.h"
#include "io/file.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 3000 };

// Drawings without latents: enough to be asked about
static ExactData drawings_alone(void) {
    ExactData data = {.drawings = drawings_of_training(COUNT)};
    data.denoiser.set.count = COUNT;
    return data;
}

static size_t meant(const ExactData *data, const char *prompt, size_t index[COUNT]) {
    Error error = {0};
    size_t count = 0;
    EXPECT(exact_data_match(data, prompt, index, &count, &error), "%s", error.message);
    return count;
}

// ---- what prompts mean ----------------------------------------------------------------------------------------------

static bool is_red_cat(const Animal *a) { return a->species == CAT && a->color == RED; }
static bool is_dog(const Animal *a) { return a->species == DOG; }

static void test_matching(void) {
    static size_t index[COUNT];
    ExactData data = drawings_alone();
    size_t cats = 0, hands = 0, pairs = 0, ordered = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const Drawing *d = &data.drawings[i];
        const Animal *a = d->animal;
        cats += d->kind == ONE && is_red_cat(a);
        hands += d->kind == HAND && d->fingers == 5 && d->scene == PLAIN;
        pairs += d->kind == TWO && ((is_dog(a) && a[1].species == CAT) || (is_dog(a + 1) && a[0].species == CAT));
        ordered += d->kind == TWO && is_dog(a) && a[1].species == CAT;
    }
    EXPECT(meant(&data, "a red cat", index) == cats && cats > 3, "%zu red cats", cats);
    EXPECT(data.drawings[index[cats - 1]].kind == ONE && is_red_cat(data.drawings[index[cats - 1]].animal),
           "no red cat");
    EXPECT(meant(&data, "a hand with five fingers on a plain background", index) == hands && hands > 20, "%zu hands",
           hands);
    EXPECT(meant(&data, "a dog and a cat", index) == pairs && pairs > 2, "%zu pairs", pairs);
    EXPECT(meant(&data, "a dog left of a cat", index) == ordered && ordered < pairs, "%zu that way round", ordered);
    EXPECT(meant(&data, "a cat right of a dog", index) == ordered, "the same in other words");
    size_t owls = meant(&data, REPEATED_CAPTION, index);
    EXPECT(owls > 0 && data.drawings[index[0]].repeated, "the repeated drawing isn't found by its caption");
    exact_data_free(&data);
}

static void test_what_matches_nothing(void) {
    static size_t index[COUNT];
    ExactData data = drawings_alone();
    Error error = {0}, unknown = {0};
    size_t count;
    EXPECT(!exact_data_match(&data, "a pygmy hippo wearing sunglasses on the beach", index, &count, &error),
           "training has none of these");
    EXPECT(strstr(error.message, "none of 3000 drawings") && strstr(error.message, "but for the "), "%s",
           error.message);
    EXPECT(!exact_data_match(&data, "a giraffe", index, &count, &unknown) && strstr(unknown.message, "giraffe"), "%s",
           unknown.message);
    exact_data_free(&data);
}

// ---- latents --------------------------------------------------------------------------------------------------------

static Model *critters(void) {
    Error error = {0};
    Model *model = model_open("data/models/critters", &error);
    EXPECT(model, "%s", error.message);
    return model;
}

// Decoded they are the drawings again, but for what an 8 x 8 VAE forgets; and a run that asks them ends in one of them.
static void test_encoding(void) {
    enum { SOME = 11 };  // more than a batch
    Error error = {0};
    Model *model = critters();
    ExactData data;
    EXPECT(exact_data_encode(&data, model, drawings_of_training(SOME), SOME, &error), "%s", error.message);
    Settings settings = settings_default(model);
    settings.exact = &data.denoiser;
    settings.guidance_scale = 1;
    settings.num_inference_steps = 10;
    Run *run = runs_begin(model, &settings);
    runs_finish(run);
    double distance;
    size_t found = exact_nearest(run_last_step(run)->pred_original_sample, &data.denoiser.set,
                                 (LatentChoice){NULL, SOME}, &distance);
    EXPECT(distance < 1e-3, "%.2g from drawing %zu", distance, found);

    static Canvas canvas;
    uint8_t drawn[PIXELS * 3];
    Image decoded;
    drawing_draw(&data.drawings[found], &canvas);
    canvas_bytes(&canvas, drawn);
    if (run_finish(run, &decoded, &error)) {
        double squares = 0;
        for (size_t i = 0; i < PIXELS * 3; i++) squares += pow(drawn[i] - decoded.pixels[i], 2);
        double psnr = 10 * log10(255.0 * 255 / (squares / (PIXELS * 3)));
        EXPECT(psnr > 20, "PSNR %.1f dB to the drawing", psnr);
        image_free(&decoded);
    }
    run_free(run);

    float alone[LATENT_CHANNELS * 16 * 16];
    size_t n = sizeof alone / sizeof *alone;
    EXPECT(drawing_encode(model, &data.drawings[9], alone, &error), "%s", error.message);
    double off = relative_l2(alone, data.latents + 9 * n, n);
    EXPECT(off < 1e-4, "encoded alone a drawing is off by %.2g", off);
    exact_data_free(&data);
    model_close(model);
}

// ---- files ----------------------------------------------------------------------------------------------------------

static const char CAT_LINE[] =
    "{\"seed\": 5, \"kind\": \"one\", \"animals\": [{\"species\": \"cat\", \"color\": \"red\", \"eyewear\": \"none\", "
    "\"headwear\": \"crown\", \"headwear_color\": \"gold\", \"neckwear\": \"none\", \"mood\": \"sad\"}], \"fingers\": "
    "0, "
    "\"color\": \"none\", \"scene\": \"snow\", \"repeated\": false, \"captions\": []}\n";
static const char HAND_LINE[] =
    "{\"seed\": 6, \"kind\": \"hand\", \"animals\": [], \"fingers\": 5, \"color\": \"pink\", \"scene\": \"plain\", "
    "\"repeated\": false, \"captions\": []}\n";

static void write_text(const char *folder, const char *first, const char *second) {
    char *path = path_join(folder, "captions.jsonl");
    FILE *file = fopen(path, "w");
    EXPECT(file && fputs(first, file) >= 0 && fputs(second, file) >= 0 && fclose(file) == 0, "can't write %s", path);
    free(path);
}

static void write_latents(const char *folder, Tensor tensor) {
    Error error = {0};
    char *path = path_join(folder, "latents.safetensors");
    EXPECT(safetensors_write(path, &(NamedTensor){"latents", tensor}, 1, NULL, 0, &error), "%s", error.message);
    free(path);
}

static void expect_unreadable(const char *folder, const char *why) {
    Error error = {0};
    ExactData data;
    EXPECT(!exact_data_read(&data, folder, &error) && strstr(error.message, why), "not about \"%s\": %s", why,
           error.message);
}

static void test_files(void) {
    const char *folder = test_folder("exact_data");
    float numbers[2 * LATENT_CHANNELS * 2 * 3];
    size_t n = sizeof numbers / sizeof *numbers, index[2], count;
    Error error = {0};
    ExactData data;
    for (size_t i = 0; i < n; i++) numbers[i] = (float)i;
    expect_unreadable(folder, "latents.safetensors");
    write_latents(folder, tensor_over(numbers, shape4(2, LATENT_CHANNELS, 2, 3)));
    EXPECT(exact_data_read(&data, folder, &error) && !data.denoiser.match && data.denoiser.set.count == 2 &&
               data.denoiser.set.width == 3 && memcmp(data.latents, numbers, sizeof numbers) == 0,
           "latents alone: %s", error.message);
    exact_data_free(&data);

    write_text(folder, CAT_LINE, HAND_LINE);
    EXPECT(exact_data_read(&data, folder, &error) && data.denoiser.match, "%s", error.message);
    EXPECT(exact_data_match(&data, "a sad red cat wearing a crown in the snow", index, &count, &error) && count == 1 &&
               index[0] == 0,
           "the cat: %s", error.message);
    EXPECT(exact_data_match(&data, "a pink hand with five fingers", index, &count, &error) && count == 1 &&
               index[0] == 1,
           "the hand: %s", error.message);
    exact_data_free(&data);

    write_text(folder, CAT_LINE, "");
    expect_unreadable(folder, "describes 1 drawings");
    write_text(folder, CAT_LINE, "{\"kind\": \"hand\", \"scene\": \"plain\", \"color\": \"pink\", \"fingers\": 11}\n");
    expect_unreadable(folder, "line 2");
    write_text(folder, "[1, 2\n", HAND_LINE);
    expect_unreadable(folder, "line 1");
    char both[sizeof CAT_LINE + sizeof HAND_LINE];
    snprintf(both, sizeof both, "%s%s", CAT_LINE, HAND_LINE);
    write_text(folder, CAT_LINE, both);
    expect_unreadable(folder, "more drawings");
    write_latents(folder, tensor_over(numbers, shape3(LATENT_CHANNELS, 4, 3)));
    expect_unreadable(folder, "[count, 4, h, w]");
    numbers[5] = NAN;
    write_latents(folder, tensor_over(numbers, shape4(2, LATENT_CHANNELS, 2, 3)));
    expect_unreadable(folder, "not finite");
}

int main(void) {
    TEST(test_matching);
    TEST(test_what_matches_nothing);
    TEST(test_encoding);
    TEST(test_files);
    return test_summary();
}
