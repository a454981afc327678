// test_pipeline_inpaint.c - runs that paint a part of a picture anew

#include "io/file.h"
#include "parity/family.h"
#include "run/run.h"
#include "run/trace.h"
#include "runs.h"
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AREA = LATENTS / LATENT_CHANNELS };

static Model *open_family(const char *name) {
    Error error = {0};
    Model *model = model_open(family_folder(name), &error);
    if (!model) {
        printf("%s\n", error.message);
        exit(1);
    }
    return model;
}

// ---- pictures and masks ---------------------------------------------------------------------------------------------

static Image picture_of(size_t width, size_t height) {
    Image image = image_new(width, height);
    for (size_t i = 0; i < 3 * width * height; i++) image.pixels[i] = (uint8_t)(i * 37 % 256);
    return image;
}

// One grey all over
static Image grey(uint8_t value) {
    Image image = image_new(WIDTH, HEIGHT);
    memset(image.pixels, value, 3 * WIDTH * HEIGHT);
    return image;
}

// White in the right half
static Image right_half(void) {
    Image image = image_new(WIDTH, HEIGHT);
    for (size_t y = 0; y < HEIGHT; y++) memset(image.pixels + (y * WIDTH + WIDTH / 2) * 3, 255, WIDTH / 2 * 3);
    return image;
}

// What the runs below begin with
typedef struct Pictures {
    Image init, black, white, half;  // half: the right one is white
} Pictures;

static Pictures pictures_make(size_t width, size_t height) {
    return (Pictures){picture_of(width, height), grey(0), grey(255), right_half()};
}

static void pictures_free(Pictures *pictures) {
    image_free(&pictures->init);
    image_free(&pictures->black);
    image_free(&pictures->white);
    image_free(&pictures->half);
}

static bool in_right_half(size_t latent) { return latent % (WIDTH / 4) >= WIDTH / 8; }

static Settings usual_with(const Model *model, const Image *init, const Image *mask) {
    Settings settings = runs_usual(model);
    settings.init = init;
    settings.mask = mask;
    settings.strength = 1;
    return settings;
}

static Run *finished(const Model *model, const Settings *settings) {
    Run *run = runs_begin(model, settings);
    runs_finish(run);
    return run;
}

// ---- what is kept and what isn't ------------------------------------------------------------------------------------

// With a black mask the run ends in the picture's own latents, whatever happened on the way.
static void test_black_mask(void) {
    Model *model = runs_model();
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.black);
    Run *run = finished(model, &settings);
    settings.prompt = "a crown at night";
    settings.scheduler = "euler";
    settings.num_inference_steps = 3;
    Run *other = finished(model, &settings);
    EXPECT(runs_same(run, other), "a prompt and a scheduler change what is kept");

    settings = usual_with(model, &p.init, &p.half);
    Run *painted = finished(model, &settings);
    for (size_t i = 0; i < LATENTS; i++) {
        bool same = run_latents(painted)[i] == run_latents(run)[i];
        EXPECT(same != in_right_half(i % AREA), "latent %zu is %s", i, same ? "kept" : "painted");
    }
    run_free(run);
    run_free(other);
    run_free(painted);
    pictures_free(&p);
    model_close(model);
}

// With a white mask and strength 1 nothing of the picture is left: text to image from the same noise.
static void test_white_mask(void) {
    Model *model = runs_model();
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.white), from_text = runs_usual(model);
    Run *run = runs_begin(model, &settings);
    float noise[LATENTS];
    memcpy(noise, run_latents(run), sizeof noise);  // DDIM takes it as it is
    runs_finish(run);
    from_text.latents = noise;
    Run *other = finished(model, &from_text);
    EXPECT(runs_same(run, other), "a white mask isn't text to image");
    run_free(run);
    run_free(other);
    pictures_free(&p);
    model_close(model);
}

static void test_greys_are_cut(void) {
    Model *model = runs_model();
    Pictures p = pictures_make(7, 5);
    Image dark = grey(127), bright = grey(128);
    const Image *masks[4] = {&p.black, &dark, &bright, &p.white};
    Run *runs[4];
    for (size_t i = 0; i < 4; i++) {
        Settings settings = usual_with(model, &p.init, masks[i]);
        runs[i] = finished(model, &settings);
    }
    EXPECT(runs_same(runs[0], runs[1]), "127 isn't black");
    EXPECT(runs_same(runs[2], runs[3]), "128 isn't white");
    EXPECT(!runs_same(runs[0], runs[3]), "black is white");
    for (size_t i = 0; i < 4; i++) run_free(runs[i]);
    pictures_free(&p);
    image_free(&dark);
    image_free(&bright);
    model_close(model);
}

// A U-Net that sees the mask paints another picture when the mask, or what is kept, is another.
static void test_nine_channels_see(void) {
    Model *model = open_family("inpaint");
    Pictures p = pictures_make(WIDTH, HEIGHT);
    Settings settings = usual_with(model, &p.init, &p.half);
    Run *run = finished(model, &settings);
    settings.mask = &p.black;
    Run *unmasked = finished(model, &settings);
    EXPECT(!runs_same(run, unmasked), "the mask isn't seen");

    settings.mask = &p.half;
    p.init.pixels[(WIDTH - 1) * 3] ^= 0x80;  // at the top right, where it is hidden
    Run *hidden = finished(model, &settings);
    EXPECT(runs_same(run, hidden), "what is to be painted is seen");
    p.init.pixels[0] ^= 0x80;
    Run *kept = finished(model, &settings);
    EXPECT(!runs_same(run, kept), "what is to be kept isn't seen");
    run_free(run);
    run_free(unmasked);
    run_free(hidden);
    run_free(kept);
    pictures_free(&p);
    model_close(model);
}

// How often n normal numbers are drawn before the first step: for the picture, the noise and the masked picture; from a
// tiny VAE, which leaves nothing to chance, for the noise alone.
static void expect_draws(const Model *model, size_t draws) {
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.half);
    Run *run = runs_begin(model, &settings);
    Rng rng;
    float noise[LATENTS];
    rng_seed(&rng, settings.seed);
    for (size_t i = 0; i < draws; i++) rng_normal(&rng, noise, LATENTS);
    EXPECT(rng_u32(&rng) == rng_u32(&run->rng), "it isn't %zu times that numbers are drawn", draws);
    run_free(run);
    pictures_free(&p);
}

static void test_random_numbers(void) {
    Model *model = runs_model(), *tiny = open_family("tiny"), *seeing = open_family("inpaint");
    expect_draws(model, 3);
    expect_draws(tiny, 1);
    expect_draws(seeing, 2);  // noise covers the picture
    model_close(model);
    model_close(tiny);
    model_close(seeing);
}

// ---- copying and changing -------------------------------------------------------------------------------------------

static void expect_copy_ends_the_same(const Model *model, const Settings *settings) {
    Error error = {0};
    Run *run = runs_begin(model, settings);
    runs_step(run, 2);
    Run *copy = run_copy(run, &error), *again = run_copy(run, &error);
    EXPECT(copy && again, "%s", error.message);
    runs_finish(run);
    if (copy) runs_finish(copy);
    EXPECT(copy && runs_same(run, copy), "%s: a copy ends elsewhere", settings->scheduler);
    run_free(run);
    run_free(copy);
    if (again) runs_finish(again);  // by what it holds itself
    run_free(again);
}

static void test_copy(void) {
    Model *blending = runs_model(), *seeing = open_family("inpaint");
    Pictures p = pictures_make(7, 5);
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Settings settings = usual_with(blending, &p.init, &p.half);
        settings.scheduler = scheduler_kind_at(i)->name;
        settings.strength = i % 2 ? 0.7f : 1;
        expect_copy_ends_the_same(blending, &settings);
        expect_copy_ends_the_same(seeing, &settings);
    }
    pictures_free(&p);
    model_close(blending);
    model_close(seeing);
}

// What is kept of a run is the picture under as much noise as its scheduler's next step wants, before a change of
// scheduler and after it.
static void expect_kept(const Run *run, const float *picture, const float *noise) {
    const Scheduler *s = run_scheduler(run);
    float wanted[LATENTS];
    s->kind->add_noise(s, run->next, picture, noise, wanted, LATENTS);
    for (size_t i = 0; i < LATENTS; i++) {
        if (in_right_half(i % AREA)) continue;
        EXPECT(run_latents(run)[i] == wanted[i], "%s, step %zu: latent %zu is %g, not %g", s->kind->name, run->next, i,
               (double)run_latents(run)[i], (double)wanted[i]);
    }
}

static void test_change_scheduler(void) {
    Model *model = runs_model();
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.black);
    Run *kept = runs_begin(model, &settings);
    float noise[LATENTS];
    memcpy(noise, run_latents(kept), sizeof noise);
    runs_finish(kept);

    settings.mask = &p.half;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 2);
    expect_kept(run, run_latents(kept), noise);

    settings.init = settings.mask = NULL;
    settings.scheduler = "euler";
    settings.num_inference_steps = 11;  // other noise levels, too
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    expect_kept(run, run_latents(kept), noise);
    runs_step(run, 1);
    expect_kept(run, run_latents(kept), noise);
    runs_finish(run);
    for (size_t i = 0; i < LATENTS; i++) {
        bool same = run_latents(run)[i] == run_latents(kept)[i];
        EXPECT(same != in_right_half(i % AREA), "latent %zu is %s", i, same ? "kept" : "painted");
    }
    run_free(run);
    run_free(kept);
    pictures_free(&p);
    model_close(model);
}

// A run that has nothing of the picture in it yet stays so.
static void test_change_before_the_first_step(void) {
    Model *model = runs_model();
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.half), euler = settings;
    euler.scheduler = "euler";
    Run *run = runs_begin(model, &settings), *other = runs_begin(model, &euler);
    Error error = {0};
    EXPECT(run_change(run, &euler, &error), "%s", error.message);
    double off = relative_l2(run_latents(run), run_latents(other), LATENTS);
    EXPECT(off < 1e-5, "noise alone has become something else: %.2g", off);
    run_free(run);
    run_free(other);
    pictures_free(&p);
    model_close(model);
}

static void test_change_nine_channels(void) {
    Model *model = open_family("inpaint");
    Pictures p = pictures_make(7, 5);
    Settings settings = usual_with(model, &p.init, &p.half);
    settings.guidance_scale = 1;
    Run *run = runs_begin(model, &settings);
    runs_step(run, 2);
    settings.init = settings.mask = NULL;
    settings.guidance_scale = 7.5f;
    settings.scheduler = "dpmpp_2m";
    Error error = {0};
    EXPECT(run_change(run, &settings, &error), "%s", error.message);
    runs_finish(run);
    run_free(run);
    pictures_free(&p);
    model_close(model);
}

// ---- looking --------------------------------------------------------------------------------------------------------

static RunCost cost_of(const Model *model, const Settings *settings) {
    RunCost cost;
    Error error = {0};
    EXPECT(run_cost(model, settings, &cost, &error), "%s", error.message);
    return cost;
}

// What was planned for a run from a half noisy picture is what it does: nine channels, two pictures encoded.
static void test_cost_is_what_happens(void) {
    Model *model = open_family("inpaint");
    Pictures p = pictures_make(7, 5);
    Image image;
    Settings settings = usual_with(model, &p.init, &p.half);
    settings.strength = 0.5f;
    RunCost cost = cost_of(model, &settings);
    EXPECT(cost.encodes == 2 && cost.timestep_count == 3, "%zu encodes, %zu steps", cost.encodes, cost.timestep_count);
    Run *run = finished(model, &settings);
    Error error = {0};
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    uint64_t planned = cost.text.flops + 2 * cost.encode.flops + 3 * cost.step.flops + cost.decode.flops;
    EXPECT(run->ctx.cost.flops == planned, "%llu FLOP planned, %llu done", (unsigned long long)planned,
           (unsigned long long)run->ctx.cost.flops);
    EXPECT(run_peak_activation_bytes(run) == cost.activation_bytes, "%zu bytes planned, %zu used",
           cost.activation_bytes, run_peak_activation_bytes(run));
    run_free(run);
    image_free(&image);

    settings.strength = 1;
    EXPECT(cost_of(model, &settings).encodes == 1, "a picture that noise covers is encoded");
    model_close(model);
    model = runs_model();
    EXPECT(cost_of(model, &settings).encodes == 1, "a masked picture is encoded that nobody looks at");
    settings.init = settings.mask = NULL;
    EXPECT(cost_of(model, &settings).encodes == 0, "text to image encodes a picture");
    pictures_free(&p);
    model_close(model);
}

static void test_preview_and_trace(void) {
    Model *model = open_family("inpaint");
    Pictures p = pictures_make(7, 5);
    Image image;
    Settings settings = usual_with(model, &p.init, &p.half);
    Error error = {0};
    Run *run = runs_begin(model, &settings);
    Trace *trace = trace_begin(run, &error);
    EXPECT(trace, "%s", error.message);
    runs_step(run, 1);
    EXPECT(trace && trace_step(trace, run, &error), "%s", error.message);
    EXPECT(run_last_step(run)->channels == LATENT_CHANNELS, "%zu channels", run_last_step(run)->channels);
    EXPECT(run_preview(run, run_last_step(run)->pred_original_sample, &image, &error), "%s", error.message);
    EXPECT(image.width == WIDTH / 4 && image.height == HEIGHT / 4, "%zux%zu", image.width, image.height);
    image_free(&image);

    float pixels[3 * WIDTH * HEIGHT];
    EXPECT(run_decode(run, run_latents(run), &image, pixels, &error), "%s", error.message);
    char *path = path_join(test_folder("inpaint_trace"), "trace.safetensors");
    EXPECT(trace && trace_set_image(trace, pixels, HEIGHT, WIDTH, &error) && trace_write(trace, path, &error), "%s",
           error.message);
    SafetensorsFile *file = safetensors_open(path, &error);
    const SafetensorsEntry *latents = file ? safetensors_find(file, "latents.1") : NULL;
    EXPECT(latents && memcmp(latents->data, run_latents(run), sizeof(float[LATENTS])) == 0, "latents.1 are others");
    const char *strength = file ? safetensors_metadata(file, "strength") : NULL;
    EXPECT(strength && strcmp(strength, "1") == 0, "the strength is said to be %s", strength ? strength : "nothing");
    safetensors_close(file);
    free(path);
    image_free(&image);
    trace_free(trace);
    run_free(run);
    pictures_free(&p);
    model_close(model);
}

int main(void) {
    TEST(test_black_mask);
    TEST(test_white_mask);
    TEST(test_greys_are_cut);
    TEST(test_nine_channels_see);
    TEST(test_random_numbers);
    TEST(test_copy);
    TEST(test_change_scheduler);
    TEST(test_change_before_the_first_step);
    TEST(test_change_nine_channels);
    TEST(test_cost_is_what_happens);
    TEST(test_preview_and_trace);
    return test_summary();
}
