// inspect.c - `sculpt inspect PATH`: what is in a checkpoint, and what a picture costs
//
// "Do I get a thousand-dollar electricity bill?" is what people ask first who are about to run such a model at home.
// Read next: inspection.c, which finds it all out; here it is put into words.

#include "command/commands.h"

#include "base/text.h"
#include "command/inspection.h"
#include "command/report.h"
#include "run/run.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const TYPE_NAMES[FLOAT_TYPES] = {"F32", "F16", "BF16"};

// A few words made of numbers, as a value
typedef struct Words {
    char text[128];
} Words;

// ---- numbers for people ---------------------------------------------------------------------------------------------

static Words bytes_words(size_t bytes) {
    Words words;
    snprintf(words.text, sizeof words.text, "%sB", number_text((double)bytes).text);
    return words;
}

static Words duration_words(double seconds) {
    static const struct {
        double seconds;
        const char *name;
    } UNITS[] = {{1, "s"}, {60, "min"}, {3600, "hours"}, {86400, "days"}};
    size_t unit = 0;
    while (unit < 3 && seconds >= 100 * UNITS[unit].seconds) unit++;
    double number = seconds / UNITS[unit].seconds;
    Words words;
    snprintf(words.text, sizeof words.text, number < 9.5 ? "%.2g %s" : "%.0f %s", number, UNITS[unit].name);
    return words;
}

// Digits behind the point that show two that count
static int decimals(double number) {
    int digits = number > 0 ? 1 - (int)floor(log10(number)) : 2;
    return digits < 2 ? 2 : digits;
}

// "182,000", "133 million", with two or three digits that count
static Words count_words(double count) {
    Words words;
    double unit = pow(10, fmax(0, floor(log10(fmax(count, 1))) - 1));
    count = round(count / unit) * unit;
    if (count >= 1e9)
        snprintf(words.text, sizeof words.text, "%.3g billion", count / 1e9);
    else if (count >= 1e6)
        snprintf(words.text, sizeof words.text, "%.3g million", count / 1e6);
    else if (count >= 1000)
        snprintf(words.text, sizeof words.text, "%d,%03d", (int)count / 1000, (int)count % 1000);
    else
        snprintf(words.text, sizeof words.text, "%d", (int)count);
    return words;
}

// "F16", or "F32 and F16"
static Words stored_words(const InspectedStage *stage) {
    Words words = {""};
    size_t used = 0;
    for (int type = 0; type < FLOAT_TYPES; type++) {
        if (stage->stored[type] == 0) continue;
        used += (size_t)snprintf(words.text + used, sizeof words.text - used, "%s%s", used ? " and " : "",
                                 TYPE_NAMES[type]);
    }
    return words;
}

// ---- text -----------------------------------------------------------------------------------------------------------

static void print_model(const Inspection *i) {
    const Model *model = i->model;
    size_t side = unet_config(model->unet)->sample_size * vae_factor(model->vae), bytes = 0;
    const Scheduler *scheduler = i->scheduler;
    printf("%s: %s\n", model->path, i->family.text);
    if (*i->family.advice) printf("%s\n", i->family.advice);
    if (*model_note(model)) printf("%s\n", model_note(model));
    printf("\n%-14s%-22s%-12s%-14s%-10s%s\n", "", "class", "parameters", "stored as", "in files", "in memory");
    for (int s = 0; s < INSPECTED_STAGES; s++) {
        const InspectedStage *stage = &i->stages[s];
        bytes += stage->stored_bytes;
        printf("%-14s%-22s%-12s%-14s%-10s%s\n", stage->title, stage->class_name,
               number_text((double)stage->parameters).text, stored_words(stage).text,
               bytes_words(stage->stored_bytes).text, bytes_words(stage->weight_bytes).text);
    }
    const RunCost *cost = &i->pictures[0].cost;
    printf("%-14s%-22s%-12s%-14s%-10s%s\n", "in all", "", number_text((double)cost->parameters).text, "",
           bytes_words(bytes).text, bytes_words(cost->weight_bytes).text);
    if (model->tokenizer)
        printf("%-14s%-22s%zu ids, %zu a prompt\n", "tokenizer", "CLIPTokenizer",
               tokenizer_vocabulary_size(model->tokenizer), model->tokenizer->length);
    else
        printf("%-14s%-22s%s\n", "tokenizer", "none in the file", "(drawing needs --tokenizer DIR)");
    printf("%-14s%-22s%s, prediction type %s, timestep spacing %s\n", "scheduler", scheduler->kind->class_name,
           scheduler->kind->name, prediction_type_name(scheduler->config.prediction_type),
           timestep_spacing_name(scheduler->config.timestep_spacing));
    printf("At home at %zu x %zu pixels.\n", side, side);
}

static double share(const Cost *cost, Op op) { return 100 * (double)cost->ops[op].flops / (double)cost->flops; }

static void print_arithmetic(const InspectedPicture *picture) {
    const RunCost *cost = &picture->cost;
    printf("  arithmetic   %zu step%s of %sFLOP", cost->timestep_count, plural(cost->timestep_count),
           number_text((double)cost->step.flops).text);
    printf(", text %sFLOP", number_text((double)cost->text.flops).text);
    if (cost->encodes) printf(", encoding %sFLOP", number_text((double)(cost->encodes * cost->encode.flops)).text);
    printf(", decoding %sFLOP", number_text((double)cost->decode.flops).text);
    printf(": %sFLOP in all\n", number_text(picture->flops).text);
    printf("               of a step %.0f%% convolutions, %.0f%% linear layers, %.0f%% attention\n",
           share(&cost->step, OP_CONV2D), share(&cost->step, OP_LINEAR), share(&cost->step, OP_ATTENTION));
    bool two = cost->unet_calls > cost->timestep_count;
    printf("  U-Net        %zu call%s%s%s\n", cost->unet_calls, plural(cost->unet_calls),
           !two                   ? ""
           : cost->unguided_steps ? ", two a guided step"
                                  : ", two a step",
           two ? ": with the prompt, and with the negative one" : "");
    if (cost->unguided_steps + cost->shallow_steps == 0) return;
    printf("               %zu step%s outside the guidance interval, %zu with deep features of an earlier one:\n"
           "               %sFLOP in all steps, %.0f%% of what they take with nothing left out\n",
           cost->unguided_steps, plural(cost->unguided_steps), cost->shallow_steps,
           number_text((double)cost->steps.flops).text,
           100 * (double)cost->steps.flops / (double)(cost->timestep_count * cost->step.flops));
}

static void print_picture(const Inspection *i, const InspectedPicture *picture) {
    const Settings *settings = &picture->settings;
    const RunCost *cost = &picture->cost;
    const Options *o = i->options;
    bool fits = cost->activation_bytes + cost->kept_bytes <= i->memory_free;
    printf("\nA picture of %zu x %zu, %zu step%s of %s, guidance %g%s:\n", settings->width, settings->height,
           settings->num_inference_steps, plural(settings->num_inference_steps), cost->scheduler->name,
           settings->guidance_scale, settings->precision == BF16 ? ", in bf16" : "");
    print_arithmetic(picture);
    printf("  memory       %s weights + %s activations + %s kept; %s %s\n", bytes_words(cost->weight_bytes).text,
           bytes_words(cost->activation_bytes).text, bytes_words(cost->kept_bytes).text,
           bytes_words(i->memory_free).text, fits ? "are free" : "is all that is free, so draw would refuse it");
    printf("  time         about %s here, with %d thread%s (%s to %s)\n", duration_words(picture->seconds).text,
           i->threads, plural((size_t)i->threads), duration_words(picture->seconds / SPEED_UNCERTAINTY).text,
           duration_words(picture->seconds * SPEED_UNCERTAINTY).text);
    printf("  electricity  %.*f Wh at %g W: $%.*f at $%.*f a kWh. A thousand dollars buy %s picture%s\n",
           decimals(picture->watt_hours), picture->watt_hours, o->watts, decimals(picture->price), picture->price,
           decimals((double)o->price), (double)o->price, count_words(picture->pictures_for_1000).text,
           picture->pictures_for_1000 < 1.5 ? "" : "s");
}

static void print_text(const Inspection *i) {
    print_model(i);
    for (size_t p = 0; p < i->picture_count; p++) print_picture(i, &i->pictures[p]);
    printf(
        "\nThe time is estimated: each op was tried for a moment, and its rate is laid over the whole plan. Whatever\n"
        "else the machine had to do just now is in it. --watts and --price change what it costs.\n");
}

// ---- JSON -----------------------------------------------------------------------------------------------------------

static json_t *stage_json(const InspectedStage *stage) {
    json_t *stored = json_object();
    for (int type = 0; type < FLOAT_TYPES; type++) {
        if (stage->stored[type] > 0)
            json_object_set_new(stored, TYPE_NAMES[type], json_integer((json_int_t)stage->stored[type]));
    }
    return json_pack("{s:s, s:I, s:o, s:I, s:I}", "class", stage->class_name, "parameters",
                     (json_int_t)stage->parameters, "stored", stored, "stored_bytes", (json_int_t)stage->stored_bytes,
                     "weight_bytes", (json_int_t)stage->weight_bytes);
}

static json_t *flops_json(const InspectedPicture *picture) {
    const RunCost *cost = &picture->cost;
    const Cost *step = &cost->step;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:{s:I, s:I, s:I}}", "text", (json_int_t)cost->text.flops,
                     "encode", (json_int_t)(cost->encodes * cost->encode.flops), "step", (json_int_t)step->flops,
                     "steps", (json_int_t)cost->steps.flops, "decode", (json_int_t)cost->decode.flops, "all",
                     picture->flops, "step_by_op", "conv2d", (json_int_t)step->ops[OP_CONV2D].flops, "linear",
                     (json_int_t)step->ops[OP_LINEAR].flops, "attention", (json_int_t)step->ops[OP_ATTENTION].flops);
}

static json_t *picture_json(const InspectedPicture *picture) {
    const Settings *s = &picture->settings;
    const RunCost *cost = &picture->cost;
    json_t *object =
        json_pack("{s:I, s:I, s:I, s:f, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "width", (json_int_t)s->width, "height",
                  (json_int_t)s->height, "num_inference_steps", (json_int_t)s->num_inference_steps, "guidance_scale",
                  (double)s->guidance_scale, "scheduler", cost->scheduler->name, "precision",
                  s->precision == BF16 ? "bf16" : "f32", "timesteps", (json_int_t)cost->timestep_count, "unet_calls",
                  (json_int_t)cost->unet_calls, "unguided_steps", (json_int_t)cost->unguided_steps, "shallow_steps",
                  (json_int_t)cost->shallow_steps, "flops", flops_json(picture));
    json_t *estimates =
        json_pack("{s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "weight_bytes", (json_int_t)cost->weight_bytes,
                  "activation_bytes", (json_int_t)cost->activation_bytes, "kept_bytes", (json_int_t)cost->kept_bytes,
                  "seconds", picture->seconds, "seconds_least", picture->seconds / SPEED_UNCERTAINTY, "seconds_most",
                  picture->seconds * SPEED_UNCERTAINTY, "watt_hours", picture->watt_hours, "price", picture->price,
                  "pictures_for_1000", picture->pictures_for_1000);
    json_object_update(object, estimates);
    json_decref(estimates);
    return object;
}

static json_t *inspection_json(const Inspection *i) {
    const Model *model = i->model;
    char *path = note_text(model->path);
    const SchedulerConfig *scheduler = &i->scheduler->config;
    json_t *object = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:I}", "path", path, "family", i->family.key,
                               "family_text", i->family.text, "inpainting", i->family.inpainting, "lcm", i->family.lcm,
                               "distilled", i->family.distilled, "trained_size",
                               (json_int_t)(unet_config(model->unet)->sample_size * vae_factor(model->vae)));
    for (int s = 0; s < INSPECTED_STAGES; s++) {
        json_object_set_new(object, i->stages[s].key, stage_json(&i->stages[s]));
    }
    json_t *tokenizer = json_null();
    if (model->tokenizer)
        tokenizer = json_pack("{s:I, s:I}", "vocabulary", (json_int_t)tokenizer_vocabulary_size(model->tokenizer),
                              "length", (json_int_t)model->tokenizer->length);
    json_object_set_new(object, "tokenizer", tokenizer);
    json_object_set_new(object, "scheduler",
                        json_pack("{s:s, s:s, s:s, s:s}", "class", i->scheduler->kind->class_name, "name",
                                  i->scheduler->kind->name, "prediction_type",
                                  prediction_type_name(scheduler->prediction_type), "timestep_spacing",
                                  timestep_spacing_name(scheduler->timestep_spacing)));
    free(path);
    json_t *pictures = json_array();
    for (size_t p = 0; p < i->picture_count; p++) json_array_append_new(pictures, picture_json(&i->pictures[p]));
    json_object_set_new(object, "pictures", pictures);
    json_object_set_new(object, "memory_free", json_integer((json_int_t)i->memory_free));
    json_object_set_new(object, "threads", json_integer(i->threads));
    json_object_set_new(object, "watts", json_real((double)i->options->watts));
    json_object_set_new(object, "price_per_kwh", json_real((double)i->options->price));
    return object;
}

static bool print_json(const Inspection *i, Error *error) {
    json_t *object = inspection_json(i);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(7));
    if (text) puts(text);
    free(text);
    json_decref(object);
    return text || error_set(error, "--json: not enough memory; close other programs");
}

int command_inspect(const Options *options) {
    Error error = {0};
    Inspection inspection;
    bool ok = inspection_open(&inspection, options, &error);
    if (ok && options->json)
        ok = print_json(&inspection, &error);
    else if (ok)
        print_text(&inspection);
    if (ok) ok = output_flush(&error);
    inspection_close(&inspection);
    return ok ? EXIT_SUCCESS : report_failure(&error);
}
