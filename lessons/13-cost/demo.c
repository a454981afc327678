// demo.c - lesson 13: what a picture takes, worked out beforehand and then measured; and what its size does to it
//
// sizes.png: one prompt and seed, from 64 x 64 to 256 x 256 pixels. odd.png: sizes that are no multiples of 64.
// Numbers behind a ~ are measured, and other ones on another machine.
// Read next: exercise.h.

#include "demo/demo.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

static const double WATTS = 100;       // of the whole machine at work, as a plug meter shows; put your own here
static const double KWH_PRICE = 0.30;  // dollars

static Settings settings_of(const Model *model, size_t width, size_t height) {
    Settings settings = demo_settings(model);
    settings.width = width, settings.height = height, settings.threads = 1;
    return settings;
}

static RunCost cost_of(const Model *model, const Settings *settings) {
    Error error = {0};
    RunCost cost;
    demo_needs(run_cost(model, settings, &cost, &error), &error);
    return cost;
}

static double giga(uint64_t number) { return (double)number / 1e9; }
static double mega(uint64_t number) { return (double)number / 1e6; }

// ---- sizes ----------------------------------------------------------------------------------------------------------

// Of processor time, on one core, so that others who are at work count for little: the quickest of three steps
static double step_seconds(Run *run) {
    double least = INFINITY;
    for (size_t k = 0; k < 3; k++) {
        clock_t start = clock();
        if (!demo_step(run)) break;
        least = fmin(least, (double)(clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
}

// Gives a core's GFLOP a second at 128 x 128.
static double compare_sizes(const Model *model) {
    static const size_t SIDES[] = {128, 64, 96, 160, 192, 256};
    double speed = 0;
    printf("            planned                                            measured\n");
    printf("   pixels   GFLOP a step  attention  decoder   memory         memory   a step; from 128's speed\n");
    for (size_t i = 0; i < sizeof SIDES / sizeof *SIDES; i++) {
        Settings settings = settings_of(model, SIDES[i], SIDES[i]);
        RunCost cost = cost_of(model, &settings);
        Run *run = demo_run(model, &settings);
        double seconds = step_seconds(run);
        Image image = demo_decode(run, run_latents(run));
        if (i == 0) speed = giga(cost.step.flops) / seconds;
        printf("%3zu x %3zu   %12.2f  %8.1f%%  %7.2f  ~ %4.1f MB  ~ %7.1f MB  ~ %.3f s; ~ %.3f s\n", SIDES[i], SIDES[i],
               giga(cost.step.flops), 100 * giga(cost.step.ops[OP_ATTENTION].flops) / giga(cost.step.flops),
               giga(cost.decode.flops), mega(cost.activation_bytes), mega(run_peak_activation_bytes(run)), seconds,
               giga(cost.step.flops) / speed);
        image_free(&image), run_free(run);
    }
    return speed;
}

static void draw_sizes(const Model *model, const char *path, const char *odd_path) {
    static const size_t SIDES[] = {64, 96, 128, 192, 256};
    static const size_t ODD[] = {72, 88, 104, 120, 136};
    Sheet sheet = sheet_new(5, 2, 74), odd = sheet_new(5, 1, 64);
    for (size_t i = 0; i < 5; i++) {
        Settings settings = settings_of(model, SIDES[i], SIDES[i]);
        Image hippo = demo_draw(model, &settings);
        settings.prompt = "a red cat";
        Image cat = demo_draw(model, &settings);
        sheet_place(&sheet, i, 0, &hippo), sheet_place(&sheet, i, 1, &cat);
        settings = settings_of(model, ODD[i], ODD[i]);
        Image image = demo_draw(model, &settings);
        sheet_place(&odd, i, 0, &image);
        image_free(&hippo), image_free(&cat), image_free(&image);
    }
    sheet_write(&sheet, path), sheet_write(&odd, odd_path);

    Error error = {0};
    Settings settings = settings_of(model, 100, 100);
    Run *run = run_begin(model, &settings, &error);
    printf("\n100 x 100: %s\n", run ? "is drawn" : error.message);
    run_free(run);
}

// ---- where it goes --------------------------------------------------------------------------------------------------

static void show_ops(const Model *model) {
    Profile profile = {0};
    Settings settings = settings_of(model, 128, 128);
    settings.profile = &profile;
    Run *run = demo_run(model, &settings);
    demo_step(run);
    profile_clear(&profile);
    demo_step(run);

    RunCost cost = cost_of(model, &settings);
    double seconds[OP_COUNT] = {0}, all = profile_seconds(&profile);
    for (size_t i = 0; i < profile.count; i++) seconds[profile.records[i].op] += profile.records[i].seconds;
    printf("\nA step at 128 x 128    FLOP  bytes moved  FLOP a byte  time\n");
    for (size_t op = 0; op < OP_COUNT; op++) {
        double flops = mega(cost.step.ops[op].flops), bytes = mega(cost.step.ops[op].bytes);
        if (bytes < 0.01 * mega(cost.step.bytes)) continue;
        printf("%-18s  %5.1f%%  %10.1f%%  %11.1f  ~ %.0f%%\n", op_name((Op)op), 100 * flops / mega(cost.step.flops),
               100 * bytes / mega(cost.step.bytes), flops / bytes, 100 * seconds[op] / all);
    }
    run_free(run), profile_free(&profile);
}

// ---- money ----------------------------------------------------------------------------------------------------------

static size_t training_samples(void) {
    json_t *notes = json_load_file("data/models/critters/training.json", 0, NULL);
    size_t samples = (size_t)json_integer_value(json_object_get(notes, "samples"));
    json_decref(notes);
    return samples;
}

static void show_money(const Model *model, double speed) {
    Settings settings = settings_of(model, 128, 128);
    RunCost cost = cost_of(model, &settings);
    double picture = giga(cost.text.flops + cost.steps.flops + cost.decode.flops);
    // A step is two rows, training sees one, and going back through the network costs about twice as much as going in.
    double training = (double)training_samples() * 3 * giga(cost.step.flops) / 2;
    double dollar_flops = 1 / KWH_PRICE * 3.6e6 / WATTS * speed;  // GFLOP that a dollar's energy pays

    printf("\nA picture of %zu steps: %.1f GFLOP. Training the U-Net, %zu drawings seen: %.2g GFLOP, as many as %.0f "
           "pictures.\n",
           cost.timestep_count, picture, training_samples(), training, training / picture);
    printf("At %.0f W and $%.2f a kWh: ~ %.1f mWh a picture; ~ %.0f pictures a dollar; training on this core ~ %.2f "
           "dollars\n",
           WATTS, KWH_PRICE, picture / speed * WATTS / 3.6, dollar_flops / picture, training / dollar_flops);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    double speed = compare_sizes(model);
    show_ops(model);
    draw_sizes(model, demo_path(argc, argv, "sizes.png").text, demo_path(argc, argv, "odd.png").text);
    show_money(model, speed);
    model_close(model);
    return 0;
}
