// test_model_families.c - models beyond plain Stable Diffusion: what they change around the numbers
//
// VAEs from elsewhere, previews through a small one, U-Nets that were taught to guide. The numbers are in
// tests/parity/test_families_parity.c.

#include "io/file.h"
#include "parity/family.h"
#include "parity/golden.h"
#include "run/run.h"
#include "runs.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SD1 "tests/golden/runs/sd1"
#define SD2 "tests/golden/runs/sd2"

static Model *open_with(const char *path, ModelOptions options) {
    Error error = {0};
    Model *model = model_open_with(path, &options, &error);
    EXPECT(model, "%s", error.message);
    if (!model) exit(1);
    return model;
}

static const char *note(const Run *run, const char *key) {
    size_t count;
    const Metadata *notes = run_metadata(run, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].key, key) == 0) return notes[i].value;
    }
    return NULL;
}

static Image picture_of(const Model *model) {
    Error error = {0};
    Settings settings = runs_usual(model);
    settings.num_inference_steps = 2;
    Run *run = runs_begin(model, &settings);
    Image image;
    runs_finish(run);
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    run_free(run);
    return image;
}

static bool same_pictures(const Image *a, const Image *b) {
    return a->width == b->width && a->height == b->height &&
           memcmp(a->pixels, b->pixels, 3 * a->width * a->height) == 0;
}

// ---- --vae ----------------------------------------------------------------------------------------------------------

// Another VAE in place of the model's own is the same as a model folder that holds that VAE.
static void test_another_vae(void) {
    char *tiny = strdup(family_folder("tiny"));
    Model *folder = open_with(tiny, (ModelOptions){0}), *plain = open_with(SD1, (ModelOptions){0});
    Model *option = open_with(SD1, (ModelOptions){.vae = GOLDEN "vae_tiny"});
    Model *kl = open_with(SD1, (ModelOptions){.vae = SD2 "/vae"});
    Image pictures[] = {picture_of(folder), picture_of(option), picture_of(plain), picture_of(kl)};
    EXPECT(same_pictures(&pictures[0], &pictures[1]), "the same VAE from elsewhere makes another picture");
    EXPECT(!same_pictures(&pictures[0], &pictures[2]) && !same_pictures(&pictures[2], &pictures[3]),
           "another VAE makes the same picture");

    Settings settings = runs_usual(option);
    Run *run = runs_begin(option, &settings);
    const char *vae = note(run, "vae");
    EXPECT(vae && strcmp(vae, GOLDEN "vae_tiny") == 0, "the run's vae is %s", vae ? vae : "not noted");
    run_free(run);
    run = runs_begin(plain, &settings);
    EXPECT(!note(run, "vae"), "the model's own VAE is noted as %s", note(run, "vae"));
    run_free(run);

    for (size_t i = 0; i < 4; i++) image_free(&pictures[i]);
    model_close(folder);
    model_close(plain);
    model_close(option);
    model_close(kl);
    free(tiny);
}

// Without a posterior nothing is drawn for it: the first noise of the seed is already the noise over the picture.
static void test_no_posterior_no_noise(void) {
    Model *model = open_with(SD1, (ModelOptions){.vae = GOLDEN "vae_tiny"});
    Image init = image_new(WIDTH, HEIGHT);
    Settings settings = runs_usual(model);
    settings.init = &init;
    Run *run = runs_begin(model, &settings);
    Rng rng;
    float noise[LATENTS];
    rng_seed(&rng, settings.seed);
    rng_normal(&rng, noise, LATENTS);
    EXPECT(rng_u32(&run->rng) == rng_u32(&rng), "the generator isn't where one draw of latents leaves it");
    run_free(run);
    image_free(&init);
    model_close(model);
}

static void test_vaes_are_refused(void) {
    const struct {
        ModelOptions options;
        const char *expected;
    } refused[] = {
        {{.vae = "no/such/vae"}, "no/such/vae/config.json"},
        {{.preview_vae = "no/such/vae"}, "no/such/vae/config.json"},
        {{.vae = GOLDEN "vae_sd1"}, "a latent of this VAE is 8 pixels wide, and one of the model's own 4"},
        {{.preview_vae = GOLDEN "vae_sd1"}, "a latent of this VAE is 8 pixels wide, and one of the model's own 4"},
        {{.vae = GOLDEN "vae_three_levels"}, "latents of 8"},
        {{.preview_vae = GOLDEN "vae_one_level"}, "latents of 3"},
        {{.vae = SD1 "/unet"}, "is a UNet2DConditionModel"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Error error = {0};
        Model *model = model_open_with(SD1, &refused[i].options, &error);
        EXPECT(!model && strstr(error.message, refused[i].expected), "%s: '%s'", refused[i].expected, error.message);
        model_close(model);
    }
}

// Where the model brings no VAE, or one that can't be opened, another may still stand in.
static void test_a_model_without_vae(void) {
    char *folder = strdup(family_folder("distilled")), *own = path_join(folder, "vae");
    EXPECT(remove(own) == 0, "can't remove %s", own);
    Error error = {0};
    EXPECT(!model_open(folder, &error) && strstr(error.message, own), "%s", error.message);
    model_close(open_with(folder, (ModelOptions){.vae = GOLDEN "vae_tiny"}));
    free(own);
    free(folder);
}

// ---- --preview-vae --------------------------------------------------------------------------------------------------

static void nobody_is_shown(void *listener, const char *place, Tensor tensor) {
    (void)listener, (void)tensor;
    EXPECT(false, "%s is shown", place);
}

// A preview is what the small VAE decodes, at full size; the run's picture isn't touched by it.
static void test_preview_is_decoded(void) {
    Model *model = open_with(SD1, (ModelOptions){.preview_vae = GOLDEN "vae_tiny"});
    Model *tiny = open_with(SD1, (ModelOptions){.vae = GOLDEN "vae_tiny"});
    Settings settings = runs_usual(model);
    RunCost cost;
    Error error = {0};
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    Run *run = runs_begin(model, &settings), *other = runs_begin(tiny, &settings);
    runs_step(run, 2);
    runs_step(other, 2);

    Image preview, decoded;
    EXPECT(run_observe(run, nobody_is_shown, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    EXPECT(run_preview(run, run_latents(run), &preview, &error), "%s", error.message);
    EXPECT(run->ctx.observer == nobody_is_shown, "the observer is lost");
    EXPECT(run_observe(run, NULL, (AttentionObserver){0}, NULL, &error), "%s", error.message);
    uint64_t flops = other->ctx.cost.flops;
    EXPECT(run_decode(other, run_latents(other), &decoded, NULL, &error), "%s", error.message);
    EXPECT(same_pictures(&preview, &decoded), "the preview isn't what the small VAE decodes");
    EXPECT(cost.preview.flops == other->ctx.cost.flops - flops, "planned %llu FLOP",
           (unsigned long long)cost.preview.flops);
    EXPECT(run_times(run).preview > 0 && run_times(run).decode == 0, "it took %g s", run_times(run).preview);
    runs_finish(run);
    runs_finish(other);
    EXPECT(runs_same(run, other), "a preview changes the run");
    image_free(&preview);
    image_free(&decoded);
    run_free(run);
    run_free(other);
    model_close(model);
    model_close(tiny);
}

// Its memory is planned with the rest: here, where all else is small, it decides.
static void test_preview_is_planned(void) {
    Model *plain = open_with(SD2, (ModelOptions){.vae = SD1 "/vae"});
    Model *model = open_with(SD2, (ModelOptions){.vae = SD1 "/vae", .preview_vae = GOLDEN "vae_tiny"});
    Settings settings = runs_usual(model);
    settings.guidance_scale = 1;
    settings.width = settings.height = 128;
    settings.num_inference_steps = 1;
    RunCost before, cost;
    Error error = {0};
    EXPECT(run_cost(plain, &settings, &before, &error) && run_cost(model, &settings, &cost, &error), "%s",
           error.message);
    EXPECT(cost.activation_bytes > before.activation_bytes, "%zu bytes with the preview's, %zu without",
           cost.activation_bytes, before.activation_bytes);
    EXPECT(cost.weight_bytes == before.weight_bytes + vae_parameters(model->preview_vae) * sizeof(float),
           "%zu bytes of weights, %zu without the preview VAE", cost.weight_bytes, before.weight_bytes);
    EXPECT(cost.parameters == before.parameters && before.preview.flops == 0, "%zu parameters", cost.parameters);
    Run *run = runs_begin(model, &settings);
    Image image;
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    EXPECT(image.width == 128 && image.height == 128, "%zux%zu", image.width, image.height);
    image_free(&image);
    runs_finish(run);
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    EXPECT(run_peak_activation_bytes(run) == cost.activation_bytes, "planned %zu bytes, took %zu",
           cost.activation_bytes, run_peak_activation_bytes(run));
    image_free(&image);
    run_free(run);
    model_close(model);
    model_close(plain);
}

static void test_preview_is_stopped(void) {
    Model *model = open_with(SD1, (ModelOptions){.preview_vae = GOLDEN "vae_tiny"});
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    Image image;
    Error error = {0};
    run_stop(run);
    EXPECT(!run_preview(run, run_latents(run), &image, &error) && strcmp(error.message, "cancelled") == 0,
           "a stopped preview said \"%s\"", error.message);
    EXPECT(run_step(run, &error) == STEP_CANCELLED, "a preview used up the stop");
    float latents[LATENTS] = {[3] = NAN};
    error = (Error){0};
    EXPECT(!run_preview(run, latents, &image, &error) && strstr(error.message, "not finite"),
           "NaN became a picture: %s", error.message);
    run_free(run);
    model_close(model);
}

// Without a preview VAE, a tiny VAE's own encoder is measured for the linear map.
static void test_linear_preview_of_a_tiny_vae(void) {
    Model *model = open_with(SD1, (ModelOptions){.vae = GOLDEN "vae_tiny"});
    Settings settings = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    Image image;
    Error error = {0};
    EXPECT(run_preview(run, run_latents(run), &image, &error), "%s", error.message);
    EXPECT(image.width == WIDTH / 4 && image.height == HEIGHT / 4, "%zux%zu", image.width, image.height);
    EXPECT(all_finite(&run->latent_rgb[0][0], 3 * (LATENT_CHANNELS + 1)), "the map isn't finite");
    image_free(&image);
    run_free(run);
    model_close(model);
}

// ---- guidance inside the U-Net --------------------------------------------------------------------------------------

// One pass at any scale; the scale matters, the negative prompt doesn't.
static void test_lcm_guides_itself(void) {
    Model *model = open_with(family_folder("lcm"), (ModelOptions){0});
    Settings settings = runs_usual(model);
    EXPECT(settings_default(model).num_inference_steps == 4 && settings_default(model).guidance_scale == 8.5f,
           "an LCM's defaults are %zu steps and guidance %g", settings_default(model).num_inference_steps,
           (double)settings_default(model).guidance_scale);
    settings.num_inference_steps = 2;
    settings.guidance_scale = 7.5f;
    Run *run = runs_begin(model, &settings);
    settings.negative_prompt = "a crown";
    Run *negative = runs_begin(model, &settings);
    settings.guidance_scale = 3;
    Run *weaker = runs_begin(model, &settings), *copy;
    size_t rows, length, width;
    run_text_embeddings(run, &rows, &length, &width);
    EXPECT(rows == 1, "%zu rows of embeddings", rows);

    Error error = {0};
    runs_step(weaker, 1);
    copy = run_copy(weaker, &error);
    EXPECT(copy, "%s", error.message);
    EXPECT(!run_last_step(weaker)->noise_pred_uncond, "the U-Net was asked twice");
    runs_finish(run);
    runs_finish(negative);
    runs_finish(weaker);
    EXPECT(runs_same(run, negative), "the negative prompt changes something");
    EXPECT(!runs_same(run, weaker), "the guidance changes nothing");
    settings.guidance_scale = 7.5f;
    EXPECT(run_change(copy, &settings, &error), "%s", error.message);
    runs_finish(copy);
    EXPECT(!runs_same(copy, weaker), "a change of guidance changes nothing");
    run_free(run);
    run_free(negative);
    run_free(weaker);
    run_free(copy);
    model_close(model);
}

int main(void) {
    TEST(test_another_vae);
    TEST(test_no_posterior_no_noise);
    TEST(test_vaes_are_refused);
    TEST(test_a_model_without_vae);
    TEST(test_preview_is_decoded);
    TEST(test_preview_is_planned);
    TEST(test_preview_is_stopped);
    TEST(test_linear_preview_of_a_tiny_vae);
    TEST(test_lcm_guides_itself);
    return test_summary();
}
