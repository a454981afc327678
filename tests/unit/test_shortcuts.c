// test_shortcuts.c - less work a step: what is worked out once a run, deep features taken over, steps without guidance

#include "parity/golden.h"
#include "run/run.h"
#include "runs.h"
#include "stages/unet_weights.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- one call of the U-Net ------------------------------------------------------------------------------------------

// One with an attn1 that reads the prompt, one that was taught to guide, one without a middle, one without transformers
// at some levels, one of a single level
static const char *const UNETS[] = {"unet_sd1",    "unet_sd2",       "unet_two_levels",  "unet_lcm",
                                    "unet_no_mid", "unet_one_level", "unet_eight_levels"};
enum { UNET_COUNT = sizeof UNETS / sizeof *UNETS, B = 2, L = 5, H = 16, W = 8, MOST_WIDTH = 64 };

static UNet *open_unet(size_t i) {
    char folder[256];
    Error error = {0};
    snprintf(folder, sizeof folder, "%s%s", GOLDEN, UNETS[i]);
    UNet *unet = unet_open(folder, &error);
    EXPECT(unet, "%s", error.message);
    return unet;
}

typedef struct Question {
    float latents[B * 9 * H * W], text[B * L * MOST_WIDTH], timesteps[B], guidance[B];
} Question;

static Question question(float phase) {
    Question q = {.timesteps = {7, 800}, .guidance = {0.5f, 7}};
    for (size_t i = 0; i < sizeof q.latents / sizeof(float); i++) q.latents[i] = sinf((float)(i * i) + phase);
    for (size_t i = 0; i < sizeof q.text / sizeof(float); i++) q.text[i] = sinf((float)(i * i) + 7);
    return q;
}

static Tensor text_of(Question *q, const UNet *unet) {
    return tensor_over(q->text, shape3(B, L, unet->config.cross_attention_dim));
}

// About the last rows of the question
static Tensor ask(Context *ctx, const UNet *unet, Question *q, size_t rows, UNetShared shared) {
    Tensor latents = tensor_over(q->latents, shape4(B, unet->config.in_channels, H, W));
    return unet_forward_with(
        ctx, unet, tensor_last_rows(latents, rows), tensor_last_rows(tensor_over(q->timesteps, shape1(B)), rows),
        tensor_last_rows(tensor_over(q->guidance, shape1(B)), rows), tensor_last_rows(text_of(q, unet), rows), shared);
}

static bool same_numbers(Tensor a, Tensor b) {
    return shape_equal(a.shape, b.shape) &&
           memcmp(tensor_f32(a), tensor_f32(b), shape_count(a.shape) * sizeof(float)) == 0;
}

// Keys and values worked out beforehand give the same bits, and what they cost is what a call then saves.
static void test_known_keys_and_values(void) {
    for (size_t i = 0; i < UNET_COUNT; i++) {
        UNet *unet = open_unet(i);
        if (!unet) continue;
        Question q = question(1);
        Error error = {0};
        Context alone = golden_context(&(Setup){0}, 1 << 26), once = golden_context(&(Setup){0}, 1 << 26);
        TextMemory read;
        EXPECT(text_memory_make(&read, &once, unet, text_of(&q, unet), &error), "%s", error.message);
        EXPECT(once.arena.used[0] + once.arena.used[1] == 0, "%s: reading leaves temporaries", UNETS[i]);
        Tensor expected = ask(&alone, unet, &q, B, (UNetShared){0});
        Tensor answer = ask(&once, unet, &q, B, (UNetShared){.keys_values = read.layers});
        EXPECT(same_numbers(answer, expected), "%s answers otherwise with keys and values that are known", UNETS[i]);
        EXPECT(once.cost.flops == alone.cost.flops, "%s: %llu FLOP, not %llu", UNETS[i],
               (unsigned long long)once.cost.flops, (unsigned long long)alone.cost.flops);

        Tensor single = ask(&alone, unet, &q, 1, (UNetShared){0});
        answer = ask(&once, unet, &q, 1, (UNetShared){.keys_values = read.layers});
        double off = relative_l2(tensor_f32(answer), tensor_f32(single), shape_count(single.shape));
        EXPECT(off < 1e-5, "%s: the second row alone is off by %.2g", UNETS[i], off);

        TextMemory copy;
        EXPECT(text_memory_copy(&copy, &read, &error), "%s", error.message);
        text_memory_free(&read);
        answer = ask(&once, unet, &q, B, (UNetShared){.keys_values = copy.layers});
        EXPECT(same_numbers(answer, expected), "%s answers otherwise with a copy", UNETS[i]);
        text_memory_free(&copy);
        context_close(&alone), context_close(&once);
        unet_close(unet);
    }
}

static void test_reading_is_planned(void) {
    UNet *unet = open_unet(2);
    if (!unet) return;
    Question q = question(1);
    Error error = {0};
    Context plan;
    context_open_planning(&plan, NULL);
    TextMemory planned, read;
    EXPECT(text_memory_make(&planned, &plan, unet, text_of(&q, unet), &error) && !planned.memory, "%s", error.message);
    Context ctx = golden_context(&(Setup){0}, plan.arena.high_water);
    EXPECT(text_memory_make(&read, &ctx, unet, text_of(&q, unet), &error), "%s", error.message);
    EXPECT(planned.bytes == read.bytes && read.bytes > 0 && ctx.cost.flops == plan.cost.flops && plan.cost.flops > 0,
           "%zu bytes planned, %zu taken", planned.bytes, read.bytes);
    text_memory_free(&planned), text_memory_free(&read);
    context_close(&plan), context_close(&ctx);
    unet_close(unet);
}

typedef struct Seen {
    size_t deep, rim, whole;
} Seen;

static void note_place(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    Seen *seen = listener;
    if (strcmp(place, "unet") == 0) seen->whole++;
    if (strstr(place, "down_blocks") || strstr(place, "mid_block")) seen->deep++;
    if (strstr(place, "up_blocks")) seen->rim++;
}

// The same question with the deep features that it left behind: the same answer, for a part of the work. Another
// question with them: neither the first answer nor its own.
static void test_deep_features(void) {
    for (size_t i = 0; i < UNET_COUNT; i++) {
        UNet *unet = open_unet(i);
        if (!unet) continue;
        size_t C0 = unet->config.block_out_channels[0];
        Question q = question(1), other = question(2);
        Context whole = golden_context(&(Setup){0}, 1 << 27), part = golden_context(&(Setup){0}, 1 << 27);
        float *features = zeroed(B * C0 * H * W, sizeof *features);
        UNetShared shared = {.deep = tensor_over(features, unet_deep_shape(unet, B, H, W))};
        Tensor expected = ask(&whole, unet, &q, B, (UNetShared){0});
        uint64_t flops = whole.cost.flops;
        EXPECT(same_numbers(ask(&whole, unet, &q, B, shared), expected), "%s: keeping features changes it", UNETS[i]);

        shared.deep_known = true;
        Seen seen = {0};
        part.observer = note_place;
        part.listener = &seen;
        EXPECT(same_numbers(ask(&part, unet, &q, B, shared), expected), "%s: its own features change it", UNETS[i]);
        EXPECT(part.cost.flops < flops / 2, "%s: %llu of %llu FLOP", UNETS[i], (unsigned long long)part.cost.flops,
               (unsigned long long)flops);
        EXPECT(seen.deep == 0 && seen.whole == 1 && (seen.rim == 2 || seen.rim == 3), "%s showed %zu, %zu, %zu layers",
               UNETS[i], seen.deep, seen.rim, seen.whole);
        Tensor mixed = ask(&part, unet, &other, B, shared), own = ask(&whole, unet, &other, B, (UNetShared){0});
        EXPECT(!same_numbers(mixed, expected) && !same_numbers(mixed, own), "%s: what is new isn't looked at",
               UNETS[i]);

        UNetShared last = {.deep = tensor_last_rows(shared.deep, 1), .deep_known = true};
        Tensor single = ask(&part, unet, &q, 1, last), alone = ask(&whole, unet, &q, 1, (UNetShared){0});
        double off = relative_l2(tensor_f32(single), tensor_f32(alone), shape_count(alone.shape));
        EXPECT(off < 1e-5, "%s: the second row alone is off by %.2g", UNETS[i], off);
        free(features);
        context_close(&whole), context_close(&part);
        unet_close(unet);
    }
}

// ---- sigmas ---------------------------------------------------------------------------------------------------------

static void test_sigma_of_a_step(void) {
    Model *model = runs_model();
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Settings settings = runs_usual(model);
        settings.scheduler = scheduler_kind_at(i)->name;
        Error error = {0};
        Scheduler *s = settings_scheduler(model, &settings, &error);
        EXPECT(s, "%s", error.message);
        if (!s) continue;
        for (size_t k = 0; k < s->timestep_count; k++) {
            double a = (double)s->alphas_cumprod[(size_t)s->timesteps[k]], sigma = (double)scheduler_sigma(s, k);
            double next = (double)s->alphas_cumprod[(size_t)ceilf(s->timesteps[k])];
            double least = sqrt((1 - a) / a), most = sqrt((1 - next) / next);
            EXPECT(sigma > least * 0.9999 && sigma < most * 1.0001, "%s, step %zu, timestep %g: %g, not %g to %g",
                   settings.scheduler, k, (double)s->timesteps[k], sigma, least, most);
        }
        scheduler_free(s);
    }
    model_close(model);
}

// ---- runs -----------------------------------------------------------------------------------------------------------

static void test_off_is_off(void) {
    Model *model = runs_model();
    Settings plain = runs_usual(model), one = plain, everywhere = plain, beyond = plain, unguided = plain;
    one.deep_cache = 1;
    everywhere.guidance_high = 1e6f;
    beyond.guidance_low = 1e5f, beyond.guidance_high = 1e6f;
    unguided.guidance_scale = 1;
    Settings all[] = {plain, one, everywhere, beyond, unguided};
    Run *runs[5];
    for (size_t i = 0; i < 5; i++) {
        runs[i] = runs_begin(model, &all[i]);
        runs_finish(runs[i]);
    }
    EXPECT(runs_same(runs[0], runs[1]), "every call a whole one makes another picture");
    EXPECT(runs_same(runs[0], runs[2]), "an interval with all steps in it makes another picture");
    EXPECT(!runs_same(runs[0], runs[3]), "an interval with no step in it changes nothing");
    double off = relative_l2(run_latents(runs[3]), run_latents(runs[4]), LATENTS);
    EXPECT(off < 1e-4, "never guided, it is off by %.2g from a run without guidance", off);
    for (size_t i = 0; i < 5; i++) run_free(runs[i]);
    model_close(model);
}

// Which calls are whole, by what an observer sees, by the records, and by the plan; what they cost, exactly.
static void expect_calls(const Model *model, const Settings *settings, const char *shallow, const char *guided) {
    Settings watched = *settings;
    Seen seen = {0};
    watched.observer = note_place;
    watched.listener = &seen;
    RunCost cost;
    Error error = {0};
    EXPECT(run_cost(model, settings, &cost, &error), "%s", error.message);
    Run *run = runs_begin(model, &watched);
    size_t steps = strlen(shallow), shallow_steps = 0, unguided_steps = 0;
    EXPECT(run_step_count(run) == steps, "%zu steps, not %zu", run_step_count(run), steps);
    for (size_t k = 0; k < steps; k++) {
        seen = (Seen){0};
        runs_step(run, 1);
        const StepRecord *step = run_last_step(run);
        EXPECT(step->shallow == (shallow[k] == 'x') && step->shallow == (seen.deep == 0), "step %zu: shallow %d, %zu",
               k, step->shallow, seen.deep);
        EXPECT((step->noise_pred_uncond != NULL) == (guided[k] == 'x') &&
                   (step->noise_pred_text != NULL) == (guided[k] == 'x'),
               "step %zu: guided, or not", k);
        shallow_steps += step->shallow;
        unguided_steps += !step->noise_pred_uncond;
    }
    EXPECT(cost.shallow_steps == shallow_steps && cost.unguided_steps == unguided_steps &&
               cost.timestep_count == steps && cost.unet_calls == 2 * steps - unguided_steps,
           "planned %zu shallow and %zu unguided steps, there were %zu and %zu", cost.shallow_steps,
           cost.unguided_steps, shallow_steps, unguided_steps);
    EXPECT(run->ctx.cost.flops == cost.text.flops + cost.steps.flops, "%llu FLOP, planned %llu",
           (unsigned long long)run->ctx.cost.flops, (unsigned long long)(cost.text.flops + cost.steps.flops));
    size_t kept = run->prompts.text.bytes;
    if (run->deep.features) kept += shape_count(run->deep.shape) * sizeof(float);
    EXPECT(kept == cost.kept_bytes && kept > 0, "%zu bytes kept, planned %zu", kept, cost.kept_bytes);
    Image image;
    EXPECT(run_finish(run, &image, &error), "%s", error.message);
    EXPECT(run_peak_activation_bytes(run) == cost.activation_bytes, "planned %zu bytes, took %zu",
           cost.activation_bytes, run_peak_activation_bytes(run));
    image_free(&image);
    run_free(run);
}

// Six steps of DDIM have these sigmas: 5.9, 2.9, 1.6, 0.93, 0.49, 0.04.
static void test_which_calls_are_whole(void) {
    Model *model = runs_model();
    Settings s = runs_usual(model);
    expect_calls(model, &s, "......", "xxxxxx");
    s.deep_cache = 3;
    expect_calls(model, &s, ".xx.xx", "xxxxxx");
    s.deep_cache = 2;
    s.scheduler = "heun";  // eleven evaluations
    expect_calls(model, &s, ".x.x.x.x.x.", "xxxxxxxxxxx");
    s.scheduler = "pndm";
    expect_calls(model, &s, ".x.x.x.", "xxxxxxx");
    s = runs_usual(model);
    s.guidance_low = 0.3f, s.guidance_high = 5;
    expect_calls(model, &s, "......", ".xxxx.");
    s.deep_cache = 4;  // the first guided step finds no features for the negative prompt, the last needs none
    expect_calls(model, &s, "..xxx.", ".xxxx.");
    s.deep_cache = 100;
    expect_calls(model, &s, "..xxxx", ".xxxx.");
    s.guidance_high = 1000;
    expect_calls(model, &s, ".xxxxx", "xxxxx.");
    model_close(model);
}

// The interval leaves its lower end out and has its upper one in.
static void test_interval_ends(void) {
    Model *model = runs_model();
    Settings s = runs_usual(model);
    Error error = {0};
    Scheduler *scheduler = settings_scheduler(model, &s, &error);
    s.guidance_low = scheduler_sigma(scheduler, 4);
    s.guidance_high = scheduler_sigma(scheduler, 2);
    scheduler_free(scheduler);
    expect_calls(model, &s, "......", "..xx..");
    model_close(model);
}

static Settings both_shortcuts(const Model *model) {
    Settings s = runs_usual(model);
    s.deep_cache = 3;
    s.guidance_low = 0.3f, s.guidance_high = 5;
    return s;
}

// With every scheduler, from every step on: a copy has the features too, or takes the same steps without.
static void test_copies(void) {
    Model *model = runs_model();
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        Settings settings = both_shortcuts(model);
        settings.scheduler = scheduler_kind_at(i)->name;
        Run *run = runs_begin(model, &settings), *copies[5];
        Error error = {0};
        for (size_t k = 0; k < 5; k++) {
            copies[k] = run_copy(run, &error);
            EXPECT(copies[k], "%s", error.message);
            runs_step(run, 1);
        }
        runs_finish(run);
        for (size_t k = 0; k < 5 && copies[k]; k++) {
            runs_finish(copies[k]);
            EXPECT(runs_same(copies[k], run), "%s, copied at step %zu: it ends elsewhere", settings.scheduler, k);
            run_free(copies[k]);
        }
        run_free(run);
    }
    model_close(model);
}

// Changed to what it already is, a run goes on as it was; anything that the features are of no use to drops them.
static void test_changes(void) {
    Model *model = runs_model();
    Settings settings = runs_usual(model);
    settings.deep_cache = 6;
    enum { CHANGES = 7 };
    Settings changes[CHANGES];
    for (size_t i = 0; i < CHANGES; i++) changes[i] = settings;
    changes[1].guidance_scale = 3;
    changes[2].prompt = "a crown at night";
    changes[3].deep_cache = 5;
    changes[4].scheduler = "euler";
    changes[5].guidance_high = 1000;
    changes[6].guidance_scale = 1;
    static const bool keeps[CHANGES] = {true, true};
    Run *run = runs_begin(model, &settings);
    runs_step(run, 2);
    Error error = {0};
    for (size_t i = 0; i < CHANGES; i++) {
        Run *changed = run_copy(run, &error);
        EXPECT(changed && run_change(changed, &changes[i], &error), "change %zu: %s", i, error.message);
        runs_step(changed, 1);
        EXPECT(run_last_step(changed)->shallow == keeps[i], "change %zu: features kept, or dropped", i);
        runs_finish(changed);
        if (i == 0) {
            Run *unchanged = run_copy(run, &error);
            runs_finish(unchanged);
            EXPECT(runs_same(unchanged, changed), "changed to the same settings, it ends elsewhere");
            run_free(unchanged);
        }
        run_free(changed);
    }
    Settings with = runs_usual(model);  // from a run without features to one with, and back
    Run *later = runs_begin(model, &with);
    runs_step(later, 1);
    with.deep_cache = 2;
    EXPECT(run_change(later, &with, &error), "%s", error.message);
    runs_step(later, 2);
    EXPECT(run_last_step(later)->shallow, "asked for later, features aren't taken over");
    with.deep_cache = 0;
    EXPECT(run_change(later, &with, &error), "%s", error.message);
    runs_finish(later);
    EXPECT(!run_last_step(later)->shallow, "switched off, features are still taken over");
    run_free(later);
    run_free(run);
    model_close(model);
}

static void stop_at_the_end(void *listener, const char *place, Tensor tensor) {
    (void)tensor;
    if (strstr(place, "up_blocks")) run_stop(*(Run **)listener);
}

// Each step is first cancelled, once its deep features may have been written, then answered with NaN, then taken.
static void test_cancelled_and_failed_steps(void) {
    Model *model = runs_model();
    Settings settings = both_shortcuts(model);
    Run *undisturbed = runs_begin(model, &settings), *run = runs_begin(model, &settings);
    runs_finish(undisturbed);
    float broken[4] = {[2] = NAN};
    Tensor sound = model->unet->conv_out.bias;
    for (size_t k = 0; k < 6; k++) {
        Error error = {0};
        DeepAge age = run->deep.age;
        EXPECT(run_observe(run, stop_at_the_end, (AttentionObserver){0}, &run, &error), "%s", error.message);
        EXPECT(run_step(run, &error) == STEP_CANCELLED, "step %zu: a stopped step went on", k);
        EXPECT(run_observe(run, NULL, (AttentionObserver){0}, NULL, &error), "%s", error.message);
        model->unet->conv_out.bias = tensor_over(broken, shape1(4));
        EXPECT(run_step(run, &error) == STEP_FAILED, "step %zu with NaN was taken", k);
        model->unet->conv_out.bias = sound;
        EXPECT(memcmp(&age, &run->deep.age, sizeof age) == 0, "step %zu: a step that wasn't taken counts", k);
        runs_step(run, 1);
    }
    EXPECT(runs_same(undisturbed, run), "after cancelled and failed steps a run ends elsewhere");
    run_free(undisturbed);
    run_free(run);
    model_close(model);
}

static void test_notes(void) {
    Model *model = runs_model();
    Settings settings = both_shortcuts(model);
    Run *run = runs_begin(model, &settings);
    size_t count, found = 0;
    const Metadata *notes = run_metadata(run, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(notes[i].key, "deep_cache") == 0) found += strcmp(notes[i].value, "3") == 0;
        if (strcmp(notes[i].key, "guidance_interval") == 0) found += strcmp(notes[i].value, "0.3,5") == 0;
    }
    EXPECT(found == 2, "the settings are noted %zu of 2 times", found);
    run_free(run);
    model_close(model);
}

static void test_bad_intervals(void) {
    Model *model = runs_model();
    static const float bad[][2] = {{5, 0.3f}, {1, 1}, {-1, 5}, {NAN, 5}, {0, NAN}, {0, INFINITY}, {3, 0}, {0, -1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Settings settings = runs_usual(model);
        settings.guidance_low = bad[i][0], settings.guidance_high = bad[i][1];
        Error error = {0};
        EXPECT(!run_begin(model, &settings, &error) && strstr(error.message, "guidance_interval"), "%g, %g: %s",
               (double)bad[i][0], (double)bad[i][1], error.message);
    }
    Settings settings = runs_usual(model);
    RunCost cost;
    Error error = {0};
    EXPECT(run_cost(model, &settings, &cost, &error), "%s", error.message);
    settings.memory_limit = cost.activation_bytes + cost.kept_bytes;
    run_free(runs_begin(model, &settings));
    settings.deep_cache = 2;  // some bytes more
    EXPECT(!run_begin(model, &settings, &error) && strstr(error.message, "memory"), "beyond the limit: %s",
           error.message);
    model_close(model);
}

int main(void) {
    TEST(test_known_keys_and_values);
    TEST(test_reading_is_planned);
    TEST(test_deep_features);
    TEST(test_sigma_of_a_step);
    TEST(test_off_is_off);
    TEST(test_which_calls_are_whole);
    TEST(test_interval_ends);
    TEST(test_copies);
    TEST(test_changes);
    TEST(test_cancelled_and_failed_steps);
    TEST(test_notes);
    TEST(test_bad_intervals);
    return test_summary();
}
