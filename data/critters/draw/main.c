// main.c - critters-draw: data sets, single pictures, contact sheets and masks
//
// Where: the start of it all. What a drawing is: world.h. How it is drawn: studio.c. What is said of it: caption.c.
// Read next: world.h, then studio.c.

#include "caption.h"
#include "options.h"
#include "studio.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Drawing drawing_choose(const Options *o, long i) {
    Drawing d = drawing_sample(o->first + (uint64_t)i, o->split, spec_kind(o->spec, o->kind));
    if (o->spec && d.repeated)
        d = drawing_sample(o->first + (uint64_t)i + (1u << 30), o->split, spec_kind(o->spec, o->kind));
    if (o->spec) spec_apply(o->spec, &d);
    return d;
}

// ---- captions.jsonl ----------------------------------------------------------------------------------------------

static void write_animal(FILE *f, const Animal *a) {
    fprintf(f,
            "{\"species\": \"%s\", \"color\": \"%s\", \"eyewear\": \"%s\", \"headwear\": \"%s\", \"headwear_color\": "
            "\"%s\", "
            "\"neckwear\": \"%s\", \"mood\": \"%s\"}",
            SPECIES_NAME[a->species], COLOR_NAME[a->color], EYEWEAR_NAME[a->eyewear], HEADWEAR_NAME[a->headwear],
            a->headwear ? COLOR_NAME[a->headwear_color] : "none", NECKWEAR_NAME[a->neckwear], MOOD_NAME[a->mood]);
}

static void write_caption(FILE *f, const Caption *c) {
    fprintf(f, "{\"text\": \"%s\", \"mentions\": [", c->text);
    bool first = true;
    for (int i = 0; i < 32; i++) {
        if (!(c->says >> i & 1) || !mention_name(i)) continue;
        fprintf(f, "%s\"%s\"", first ? "" : ", ", mention_name(i));
        first = false;
    }
    fprintf(f, "]}");
}

static void write_line(FILE *f, const Options *o, const Drawing *d, long i) {
    fprintf(f, "{\"seed\": %llu, \"kind\": \"%s\", \"animals\": [", (unsigned long long)(o->first + (uint64_t)i),
            KIND_NAME[d->kind]);
    for (int k = 0; k < (d->kind == TWO ? 2 : d->kind == ONE ? 1 : 0); k++) {
        if (k) fprintf(f, ", ");
        write_animal(f, &d->animal[k]);
    }
    fprintf(f, "], \"fingers\": %d, \"color\": \"%s\", \"scene\": \"%s\", \"repeated\": %s, \"captions\": [",
            d->fingers, d->kind == HAND ? COLOR_NAME[d->hand_color] : "none", SCENE_NAME[d->scene],
            d->repeated ? "true" : "false");
    Random words = random_begin(o->first + (uint64_t)i, 4);
    for (long k = 0; k < o->captions; k++) {
        Caption c = caption_make(d, &words, o->full);
        if (k) fprintf(f, ", ");
        write_caption(f, &c);
    }
    fprintf(f, "]}\n");
}

// ---- the three things that can be asked for ----------------------------------------------------------------------

static FILE *open_in(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) complain(path, "can't write it", "check that the folder exists and is yours");
    return f;
}

static void write_png(const char *path, const uint8_t *bytes, int width, int height, bool gray) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (unsigned)width,
                       .height = (unsigned)height,
                       .format = gray ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    if (!png_image_write_to_file(&image, path, 0, bytes, 0, NULL))
        complain(path, image.message, "check that the folder exists and is yours");
}

// Drawings are independent, so a block of them is drawn by all threads and written in order.
static void draw_set(const Options *o) {
    enum { BLOCK = 256 };
    FILE *pictures = open_in(o->out, "pictures.rgb"), *captions = open_in(o->out, "captions.jsonl");
    uint8_t *bytes = malloc((size_t)BLOCK * PIXELS * 3);
    if (!bytes) complain("memory", "there isn't enough", "close something");
    for (long start = 0; start < o->count; start += BLOCK) {
        long block = o->count - start < BLOCK ? o->count - start : BLOCK;
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic, 8)
#endif
        for (long i = 0; i < block; i++) {
            Canvas canvas;
            Drawing d = drawing_choose(o, start + i);
            drawing_draw(&d, &canvas);
            canvas_bytes(&canvas, bytes + (size_t)i * PIXELS * 3);
        }
        bool written = fwrite(bytes, (size_t)PIXELS * 3, (size_t)block, pictures) == (size_t)block;
        for (long i = 0; i < block; i++) {
            Drawing d = drawing_choose(o, start + i);
            write_line(captions, o, &d, start + i);
        }
        if (!written || ferror(captions)) complain(o->out, "can't write all of it", "is the disk full?");
    }
    if (fclose(pictures) | fclose(captions)) complain(o->out, "can't write all of it", "is the disk full?");
    free(bytes);
}

static void draw_sheet(const Options *o) {
    long columns = o->columns < o->count ? o->columns : o->count, rows = (o->count + columns - 1) / columns;
    size_t stride = (size_t)columns * SIDE * 3;
    uint8_t *sheet = calloc((size_t)rows * SIDE, stride), one[PIXELS * 3];
    if (!sheet) complain("memory", "there isn't enough", "draw a smaller sheet");
    for (long i = 0; i < o->count; i++) {
        Canvas canvas;
        Drawing d = drawing_choose(o, i);
        drawing_draw(&d, &canvas);
        canvas_bytes(&canvas, one);
        uint8_t *corner = sheet + (size_t)(i / columns) * SIDE * stride + (size_t)(i % columns) * SIDE * 3;
        for (int y = 0; y < SIDE; y++) memcpy(corner + (size_t)y * stride, one + y * SIDE * 3, SIDE * 3);
    }
    write_png(o->sheet, sheet, (int)columns * SIDE, (int)rows * SIDE, false);
    free(sheet);
}

static void thing_name(int thing, char *name, size_t size) {
    static const char *const part[] = {"species", "eyewear", "headwear", "neckwear"};
    if (thing == THING_SCENE)
        snprintf(name, size, "scene");
    else if (thing < THING_HAND)
        snprintf(name, size, "%d.%s", (thing - THING_ANIMAL) / 4, part[(thing - THING_ANIMAL) % 4]);
    else if (thing == THING_HAND)
        snprintf(name, size, "hand");
    else
        snprintf(name, size, "finger.%d", thing - THING_FINGER + 1);
}

static void write_masks(const Canvas *c, const char *folder) {
    for (int thing = 0; thing < THINGS; thing++) {
        uint8_t mask[PIXELS];
        char name[32], path[1024];
        bool seen = false;
        for (int i = 0; i < PIXELS; i++) {
            mask[i] = c->thing[i] == thing ? 255 : 0;
            seen = seen || mask[i];
        }
        if (!seen) continue;
        thing_name(thing, name, sizeof name);
        snprintf(path, sizeof path, "%s/%s.png", folder, name);
        write_png(path, mask, SIDE, SIDE, true);
    }
}

static void draw_png(const Options *o) {
    Canvas canvas;
    uint8_t bytes[PIXELS * 3];
    Drawing d = drawing_choose(o, 0);
    drawing_draw(&d, &canvas);
    canvas_bytes(&canvas, bytes);
    write_png(o->png, bytes, SIDE, SIDE, false);
    if (o->masks) write_masks(&canvas, o->masks);
    if (o->json) {
        write_line(stdout, o, &d, 0);
        return;
    }
    Random words = random_begin(o->first, 4);
    for (long k = 0; k < o->captions; k++) puts(caption_make(&d, &words, o->full).text);
}

int main(int argc, char **argv) {
    Options o = options_read(argc, argv);
    if (o.out)
        draw_set(&o);
    else if (o.sheet)
        draw_sheet(&o);
    else
        draw_png(&o);
    return 0;
}
