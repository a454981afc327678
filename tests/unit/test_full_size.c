// test_full_size.c - what Stable Diffusion 1.5's own networks take of memory, planned without their gigabytes
//
// Planning looks at shapes only. So the weights here are holes: files of the right names and shapes (diffusers', by
// tests/make_golden_shapes.py) whose numbers were never written, take no room on the disk and are never read.

#include "base/check.h"
#include "files.h"
#include "stages/unet.h"
#include "stages/vae.h"
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define SHAPES "tests/golden/shapes/"

// ---- files of holes -------------------------------------------------------------------------------------------------

// "conv_in.weight 320 4 3 3" -> "conv_in.weight":{"dtype":"F32","shape":[320,4,3,3],"data_offsets":[from,to]}. Gives to.
static uint64_t print_entry(FILE *header, char *line, uint64_t from) {
    uint64_t to = 4;
    char separator = '[';
    fprintf(header, "%c\"%s\":{\"dtype\":\"F32\",\"shape\":", from ? ',' : '{', strtok(line, " \n"));
    for (char *axis; (axis = strtok(NULL, " \n")); separator = ',') {
        fprintf(header, "%c%s", separator, axis);
        to *= strtoull(axis, NULL, 10);
    }
    fprintf(header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)from, (unsigned long long)(from + to));
    return from + to;
}

// A folder with the config and the weights of SHAPES/name, all of them holes.
static const char *folder_of_holes(const char *name) {
    static char folder[600], path[1200], line[512];
    snprintf(folder, sizeof folder, "%s", test_folder(name));
    snprintf(path, sizeof path, "cp " SHAPES "%s/config.json '%s'", name, folder);
    CHECK(system(path) == 0, "%s", path);

    snprintf(path, sizeof path, SHAPES "%s/shapes.txt.gz", name);
    gzFile shapes = gzopen(path, "rb");
    CHECK(shapes, "no %s", path);
    char *text;
    size_t size;
    FILE *header = open_memstream(&text, &size);
    uint64_t bytes = 0;
    fwrite("\0\0\0\0\0\0\0", 1, 8, header);
    while (gzgets(shapes, line, sizeof line)) bytes = print_entry(header, line, bytes);
    fputc('}', header);
    fflush(header);
    while (size % 8) fputc(' ', header), fflush(header);
    fclose(header);
    gzclose(shapes);

    for (size_t i = 0; i < 8; i++) text[i] = (char)((size - 8) >> 8 * i & 0xff);  // the header's length, little-endian
    const char *file = files_put(folder, "diffusion_pytorch_model.safetensors", text, size);
    CHECK(truncate(file, (off_t)(size + bytes)) == 0, "%s can't have a hole of %llu bytes", file,
          (unsigned long long)bytes);
    free(text);
    return folder;
}

// ---- what they take -------------------------------------------------------------------------------------------------

static const double MB = 1e6;

// choice: "op=variant", or NULL for the defaults
static Context planner(const char *choice) {
    Context plan;
    Error error = {0};
    context_open_planning(&plan, NULL);
    if (choice && !context_choose_kernel(&plan, choice, &error)) EXPECT(false, "%s", error.message);
    return plan;
}

static double decode_bytes(const Vae *vae, size_t h, size_t w, const char *choice) {
    Context plan = planner(choice);
    vae_decode(&plan, vae, tensor_over(NULL, shape4(1, 4, h, w)));
    double bytes = (double)plan.arena.high_water;
    context_close(&plan);
    return bytes;
}

// The largest tensor of a 512 x 512 decode, [256, 512, 512], is 268 MB.
static void test_decode_under_700_mb(void) {
    static const char *const choices[] = {NULL, "conv2d=naive", "conv2d=openmp", "attention=naive", "attention=openmp"};
    Error error = {0};
    Vae *vae = vae_open(folder_of_holes("vae"), &error);
    CHECK(vae, "%s", error.message);
    EXPECT(vae_parameters(vae) == 83653863, "%zu parameters", vae_parameters(vae));
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        double bytes = decode_bytes(vae, 64, 64, choices[i]);
        EXPECT(bytes < 700 * MB, "512 x 512 with %s takes %.1f MB", choices[i] ? choices[i] : "the defaults",
               bytes / MB);
    }
    // Nothing in it grows faster than the picture, not even the attention of all latents to all.
    double square = decode_bytes(vae, 64, 64, NULL);
    EXPECT(decode_bytes(vae, 128, 128, NULL) < 4 * square, "1024 x 1024 takes more than four times 512 x 512");
    EXPECT(decode_bytes(vae, 256, 256, NULL) < 16 * square, "2048 x 2048 takes more than 16 times 512 x 512");
    EXPECT(decode_bytes(vae, 61, 67, NULL) < 1.01 * square, "488 x 536 takes more than 512 x 512, which is larger");

    Context plan = planner(NULL);
    vae_encode(&plan, vae, tensor_over(NULL, shape4(1, 3, 512, 512)));
    EXPECT((double)plan.arena.high_water < 560 * MB, "encoding 512 x 512 takes %.1f MB",
           (double)plan.arena.high_water / MB);
    context_close(&plan);
    vae_close(vae);
}

static double unet_bytes(const UNet *unet, size_t side, const char *choice) {
    Context plan = planner(choice);
    unet_forward(&plan, unet, tensor_over(NULL, shape4(2, 4, side, side)), tensor_over(NULL, shape1(2)),
                 tensor_absent(), tensor_over(NULL, shape3(2, 77, 768)));
    double bytes = (double)plan.arena.high_water;
    context_close(&plan);
    return bytes;
}

// Both halves of guidance. All scores of one layer's attention at once would be 2 x 8 x 4096 x 4096 floats, 1074 MB, at
// 64 x 64 latents, and 5436 MB at 96 x 96.
static void test_unet_holds_no_scores(void) {
    static const char *const choices[] = {NULL, "attention=naive", "attention=openmp"};
    Error error = {0};
    UNet *unet = unet_open(folder_of_holes("unet"), &error);
    CHECK(unet, "%s", error.message);
    EXPECT(unet_parameters(unet) == 859520964, "%zu parameters", unet_parameters(unet));
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        double small = unet_bytes(unet, 64, choices[i]), large = unet_bytes(unet, 96, choices[i]);
        EXPECT(small < 300 * MB, "64 x 64 takes %.1f MB", small / MB);
        EXPECT(large < 670 * MB, "96 x 96 takes %.1f MB", large / MB);
    }
    unet_close(unet);
}

int main(void) {
    TEST(test_decode_under_700_mb);
    TEST(test_unet_holds_no_scores);
    return test_summary();
}
