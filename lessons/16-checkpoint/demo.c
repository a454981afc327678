// demo.c - lesson 16: the small model as one file, with other names, with two names exchanged, with a LoRA; and one seed
//
// names.png: the folder's picture, the file's, and what becomes of it where two names are exchanged. lora.png: a LoRA at
// four weights. seed.png: the same seed, and one thing changed each time.
// Read next: exercise.h.

#include "demo/demo.h"
#include "base/convert.h"
#include "demo/checkpoint.h"
#include "demo/cuda_noise.h"
#include "demo/measure.h"
#include "io/file.h"
#include "io/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the table ------------------------------------------------------------------------------------------------------

// How many tensors and numbers a file has under names that begin so
static void print_family(const SafetensorsFile *file, const char *prefix, const char *stage) {
    size_t tensors = 0, numbers = 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const SafetensorsEntry *entry = safetensors_at(file, i);
        if (strncmp(entry->name, prefix, strlen(prefix)) != 0) continue;
        tensors++, numbers += entry->bytes / dtype_size(entry->dtype);
    }
    printf("%-31s %7zu  %9zu   %s\n", prefix, tensors, numbers, stage);
}

// What the table at the file's beginning says of a row
static void print_entry(const SafetensorsFile *file, const char *name, const char *path) {
    Error error = {0};
    FILE *stream = file_open(path, &error);
    demo_needs(stream, &error);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++) length |= (uint64_t)fgetc(stream) << 8 * i;
    fclose(stream);
    const SafetensorsEntry *entry = safetensors_find(file, name);
    size_t begin = (size_t)((const char *)entry->data - (const char *)safetensors_at(file, 0)->data);
    printf("The first 8 bytes say that the table has %zu. In it: %s,\n", (size_t)length, name);
    printf("%s, shape %s, data_offsets [%zu, %zu]\n\n", entry->dtype_name, shape_text(checkpoint_shape(entry)).text,
           begin, begin + entry->bytes);
}

static void print_table(const Checkpoint *table, const char *path) {
    static const char *const SHOWN[][2] = {
        {"unet", "time_embedding.linear_1.weight"},
        {"unet", "down_blocks.0.resnets.0.conv1.weight"},
        {"unet", "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"},
        {"vae", "decoder.up_blocks.0.resnets.0.conv1.weight"},
        {"vae", "decoder.mid_block.attentions.0.to_q.weight"},
        {"text_encoder", "encoder.layers.0.self_attn.q_proj.weight"},
    };
    Error error = {0};
    SafetensorsFile *file = safetensors_open(path, &error);
    demo_needs(file, &error);
    print_entry(file, checkpoint_row(table, "unet", "conv_in.weight")->stored, path);
    printf("names that begin with           tensors    numbers   are the\n");
    print_family(file, "cond_stage_model.transformer.", "text encoder");
    print_family(file, "model.diffusion_model.", "U-Net");
    print_family(file, "first_stage_model.", "VAE");
    printf("\nin the folder, and in the file\n");
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        const CheckpointRow *row = checkpoint_row(table, SHOWN[i][0], SHOWN[i][1]);
        printf("%s: %s\n    %s\n", row->stage, row->name, row->stored);
    }
    safetensors_close(file);
}

// ---- the same picture, and other names ------------------------------------------------------------------------------

// The course's own run, but for its prompt: seed 1337, DPM-Solver++ 2M, guidance 7.5 (and 50 steps)
static Settings course_settings(const Model *model, size_t steps) {
    Settings settings = demo_settings(model);
    settings.seed = 1337, settings.scheduler = "dpmpp_2m", settings.num_inference_steps = steps;
    settings.guidance_scale = 7.5f;
    return settings;
}

static Image draw_from(const char *path, const LoraFile *loras, size_t lora_count, const Settings *settings) {
    Error error = {0};
    Model *model = checkpoint_open(path, loras, lora_count, &error);
    demo_needs(model, &error);
    Image image = demo_draw(model, settings);
    model_close(model);
    return image;
}

static bool same_picture(const Image *a, const Image *b) {
    return memcmp(a->pixels, b->pixels, 3 * a->width * a->height) == 0;
}

typedef struct Exchange {
    const char *stage, *one, *other;
} Exchange;

// Each tensor goes under the other's name.
static void exchange(const Checkpoint *table, const Exchange *e) {
    Tensor *one = &checkpoint_row(table, e->stage, e->one)->tensor, between = *one;
    Tensor *other = &checkpoint_row(table, e->stage, e->other)->tensor;
    *one = *other, *other = between;
}

static void show_names(const Model *model, const Checkpoint *table, const char *path, const char *sheet_path) {
    static const Exchange EXCHANGES[] = {
        {"text_encoder", "encoder.layers.0.self_attn.q_proj.weight", "encoder.layers.0.self_attn.v_proj.weight"},
        {"unet", "up_blocks.2.attentions.0.transformer_blocks.0.attn2.to_k.weight",
         "up_blocks.2.attentions.0.transformer_blocks.0.attn2.to_v.weight"},
        {"vae", "decoder.mid_block.resnets.0.conv1.weight", "decoder.mid_block.resnets.0.conv2.weight"},
        {"unet", "conv_in.bias", "conv_norm_out.weight"},
        {"unet", "conv_in.weight", "conv_out.weight"},  // of two shapes: it won't open
    };
    const size_t count = sizeof EXCHANGES / sizeof *EXCHANGES;
    Sheet sheet = sheet_new(count, 1, 80);
    Settings settings = course_settings(model, 50);
    Image folder = demo_draw(model, &settings), file = draw_from(path, NULL, 0, &settings);
    printf("\nThe course's settings, with 50 steps: folder and file draw the same picture, bit for bit: %s\n\n",
           same_picture(&folder, &file) ? "yes" : "no");
    sheet_place(&sheet, 0, 0, &file);
    image_free(&folder), image_free(&file);

    settings = course_settings(model, 20);
    for (size_t i = 0; i < count; i++) {
        Error error = {0};
        exchange(table, &EXCHANGES[i]);
        checkpoint_write(table, path);
        Model *wrong = checkpoint_open(path, NULL, 0, &error);
        printf("%s exchanged, of the %s:\n    %s\n    %s\n",
               wrong ? "It opens with these" : "It doesn't open with these", EXCHANGES[i].stage, EXCHANGES[i].one,
               EXCHANGES[i].other);
        if (wrong) {
            Image image = demo_draw(wrong, &settings);
            sheet_place(&sheet, 1 + i, 0, &image);
            image_free(&image);
        } else {
            printf("    %s\n", error.message + strlen(path) + strlen(": "));
        }
        model_close(wrong);
        exchange(table, &EXCHANGES[i]);
    }
    checkpoint_write(table, path);
    sheet_write(&sheet, sheet_path);
}

// ---- a LoRA ---------------------------------------------------------------------------------------------------------

static float *numbers_of(const void *data, DType dtype, size_t n) {
    float *numbers = demo_floats(n);
    convert_to_f32(numbers, data, dtype, n);
    return numbers;
}

// How far a LoRA moves a row at weight 1: ||up down|| / ||W||. This LoRA has no alpha, so that its alpha is its rank.
static double moved(const CheckpointRow *row, const LoraPair *pair) {
    size_t r = pair->down->axis[0], O = pair->up->axis[0], I = pair->down->axis[1];
    float *W = numbers_of(row->tensor.data, row->tensor.dtype, O * I);
    float *down = numbers_of(pair->down->data, pair->down->dtype, r * I);
    float *up = numbers_of(pair->up->data, pair->up->dtype, O * r), *changed = demo_copy(W, O * I);
    for (size_t o = 0; o < O; o++) {
        for (size_t j = 0; j < r; j++) {
            for (size_t i = 0; i < I; i++) changed[o * I + i] += up[o * r + j] * down[j * I + i];
        }
    }
    double off = distance_between(changed, W, O * I);
    free(W), free(down), free(up), free(changed);
    return off;
}

static void print_lora(const Checkpoint *table, const char *path) {
    Error error = {0};
    SafetensorsFile *lora = safetensors_open(path, &error);
    demo_needs(lora, &error);
    size_t tensors = 0, numbers = 0, changed = 0, all = 0, rank = 0;
    double off = 0;
    for (size_t i = 0; i < table->count; i++) {
        const CheckpointRow *row = &table->rows[i];
        LoraPair pair;
        all += shape_count(row->tensor.shape);
        if (!checkpoint_lora_pair(lora, row, &pair)) continue;
        rank = pair.down->axis[0];
        tensors++, changed += shape_count(row->tensor.shape), off += moved(row, &pair);
        numbers += rank * (pair.down->axis[1] + pair.up->axis[0]);
    }
    printf("\nThe LoRA: rank %zu, %zu numbers that change %zu of the model's %zu tensors (%zu of %zu numbers)\n", rank,
           numbers, tensors, table->count, changed, all);
    printf("At weight 1 each of them moves by %.1f%% on average.\n\n", 100 * off / (double)tensors);
    safetensors_close(lora);
}

// The largest difference of two pictures' values, of 255
static int largest_difference(const Image *a, const Image *b) {
    int largest = 0;
    for (size_t i = 0; i < 3 * a->width * a->height; i++) {
        int off = abs((int)a->pixels[i] - (int)b->pixels[i]);
        if (off > largest) largest = off;
    }
    return largest;
}

// Merging adds up: two halves are a whole, and what was added can be taken away again, but for rounding.
static void print_sums(const char *file, const char *lora, const Settings *settings, const Image *without,
                       const Image *whole) {
    Image halves = draw_from(file, (LoraFile[]){{lora, 0.5f}, {lora, 0.5f}}, 2, settings);
    Image back = draw_from(file, (LoraFile[]){{lora, 1}, {lora, -1}}, 2, settings);
    printf("weight 0.5 twice, beside weight 1: off by %d of 255\n", largest_difference(&halves, whole));
    printf("weight 1 and -1, beside no LoRA: off by %d of 255\n", largest_difference(&back, without));
    image_free(&halves), image_free(&back);
}

static void show_lora(const Model *model, const Checkpoint *table, const char *file, const char *sheet_path) {
    static const char *const PROMPTS[] = {"a sad white rabbit in space, as a blueprint",
                                          "a green frog with a purple top hat in the snow"};
    static const float WEIGHTS[] = {0, 0.5f, 1, 1.5f};
    enum { PROMPT_COUNT = sizeof PROMPTS / sizeof *PROMPTS, WEIGHT_COUNT = sizeof WEIGHTS / sizeof *WEIGHTS };
    char *lora = shipped_path("data/models/critters-blueprint.safetensors");
    print_lora(table, lora);
    Sheet sheet = sheet_new(WEIGHT_COUNT, PROMPT_COUNT, 80);
    Settings settings = demo_settings(model);
    settings.guidance_scale = 4, settings.prompt = PROMPTS[0];
    Image without = demo_draw(model, &settings);
    for (size_t p = 0; p < PROMPT_COUNT; p++) {
        settings.prompt = PROMPTS[p];
        for (size_t w = 0; w < WEIGHT_COUNT; w++) {
            Image image = draw_from(file, &(LoraFile){lora, WEIGHTS[w]}, 1, &settings);
            sheet_place(&sheet, w, p, &image);
            if (p == 0 && WEIGHTS[w] == 0) {
                printf("weight 0 and no LoRA, bit for bit the same: %s\n",
                       same_picture(&image, &without) ? "yes" : "no");
            }
            if (p == 0 && WEIGHTS[w] == 1) print_sums(file, lora, &settings, &without, &image);
            image_free(&image);
        }
    }
    image_free(&without);
    sheet_write(&sheet, sheet_path);
    free(lora);
}

// ---- one seed -------------------------------------------------------------------------------------------------------

enum { MOST = LATENT_CHANNELS * 32 * 32 };

typedef struct Outcome {
    Image image;
    size_t height, width;
    float noise[MOST], latents[MOST];  // [4, height, width]
} Outcome;

static Outcome outcome_of(const Model *model, const Settings *settings) {
    Outcome o;
    Run *run = demo_run(model, settings);
    run_latent_size(run, &o.height, &o.width);
    size_t n = LATENT_CHANNELS * o.height * o.width;
    for (size_t i = 0; i < n; i++) o.noise[i] = run_latents(run)[i] / run_scheduler(run)->init_noise_sigma;
    o.image = demo_finish(run);
    memcpy(o.latents, run_latents(run), n * sizeof *o.latents);
    run_free(run);
    return o;
}

// The share of places at which both have the same number
static double shared(const Outcome *a, const Outcome *b) {
    size_t same = 0, height = a->height < b->height ? a->height : b->height,
           width = a->width < b->width ? a->width : b->width;
    for (size_t c = 0; c < LATENT_CHANNELS; c++) {
        for (size_t y = 0; y < height; y++) {
            for (size_t x = 0; x < width; x++) {
                float first = a->noise[(c * a->height + y) * a->width + x];
                float second = b->noise[(c * b->height + y) * b->width + x];
                same += first - second < 1e-5f && second - first < 1e-5f;
            }
        }
    }
    return (double)same / (double)(LATENT_CHANNELS * height * width);
}

// Of pictures of two sizes there is no telling.
static void print_off(const Outcome *o, const Outcome *first) {
    bool sizes = o->height != first->height || o->width != first->width;
    double off = sizes ? 0 : 100 * distance_between(o->latents, first->latents, LATENT_CHANNELS * o->height * o->width);
    if (sizes || (off > 0 && off < 0.01))
        printf("  %14s\n", sizes ? "-" : "under 0.01%");
    else
        printf("  %13.0f%%\n", off);
}

typedef struct Variant {
    const char *name, *kernel, *scheduler;
    size_t steps, width, height;
    bool cuda;
} Variant;

static const Variant VARIANTS[] = {
    {.name = "once more"},
    {.name = "another kernel", .kernel = "conv2d=blas"},
    {.name = "50 steps", .steps = 50},
    {.name = "scheduler dpmpp_2m", .scheduler = "dpmpp_2m"},
    {.name = "scheduler euler_a", .scheduler = "euler_a"},
    {.name = "128 x 136 pixels", .width = 128, .height = 136},
    {.name = "136 x 128 pixels", .width = 136, .height = 128},
    {.name = "noise of a GPU", .cuda = true},
};
enum { VARIANT_COUNT = sizeof VARIANTS / sizeof *VARIANTS };

static void show_seed(const Model *model, const char *path) {
    Settings settings = demo_settings(model);
    Outcome first = outcome_of(model, &settings);
    float cuda[MOST];
    cuda_noise(0, cuda, 4);
    printf("\nSeed 0, on a GPU: %.4f %.4f %.4f %.4f\n\n", (double)cuda[0], (double)cuda[1], (double)cuda[2],
           (double)cuda[3]);
    cuda_noise(settings.seed, cuda, MOST);
    printf("seed 1, 20 steps of ddim, and           same noise  picture off by\n");
    Sheet sheet = sheet_new(VARIANT_COUNT, 1, 64);
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        Variant v = VARIANTS[i];
        Settings other = settings;
        if (v.kernel) other.kernels[0] = v.kernel, other.kernel_count = 1;
        if (v.scheduler) other.scheduler = v.scheduler;
        if (v.steps) other.num_inference_steps = v.steps;
        if (v.width) other.width = v.width, other.height = v.height;
        if (v.cuda) other.latents = cuda;
        Outcome o = outcome_of(model, &other);
        printf("%-38s %10.0f%%", v.name, 100 * shared(&first, &o));
        print_off(&o, &first);
        sheet_place(&sheet, i, 0, &o.image);
        image_free(&o.image);
    }
    image_free(&first.image);
    sheet_write(&sheet, path);
}

int main(int argc, char **argv) {
    Model *model = demo_model();
    Checkpoint table = checkpoint_read(model);
    DemoPath file = demo_path(argc, argv, "critters.safetensors");
    checkpoint_write(&table, file.text);
    print_table(&table, file.text);
    show_names(model, &table, file.text, demo_path(argc, argv, "names.png").text);
    show_lora(model, &table, file.text, demo_path(argc, argv, "lora.png").text);
    show_seed(model, demo_path(argc, argv, "seed.png").text);
    checkpoint_free(&table);
    model_close(model);
    return 0;
}
