// test_export.c - what is taken away: strips, grids, animations, and the settings in them

#include "test.h"

#include "export/animation.h"
#include "export/sheet.h"
#include "io/file.h"
#include "viz/viewers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <webp/demux.h>

static Image flat(size_t width, size_t height, uint8_t red, uint8_t green, uint8_t blue) {
    Image image = image_new(width, height);
    for (size_t i = 0; i < width * height; i++) {
        uint8_t *pixel = image.pixels + 3 * i;
        pixel[0] = red, pixel[1] = green, pixel[2] = blue;
    }
    return image;
}

static bool pixel_is(const Image *image, size_t x, size_t y, int red, int green, int blue) {
    const uint8_t *pixel = image->pixels + 3 * (y * image->width + x);
    return pixel[0] == red && pixel[1] == green && pixel[2] == blue;
}

// ---- sheets ---------------------------------------------------------------------------------------------------------

static void test_strip(void) {
    Image red = flat(8, 6, 255, 0, 0), small_blue = flat(2, 1, 0, 0, 255), strip;
    const Image *pictures[] = {&red, NULL, &small_blue};
    Error error = {0};
    EXPECT(strip_make(&strip, pictures, 3, 8, 6, &error), "%s", error.message);
    EXPECT(strip.width == 3 * 8 + 4 * CELL_GAP && strip.height == 6 + 2 * CELL_GAP, "%zu x %zu", strip.width,
           strip.height);
    EXPECT(pixel_is(&strip, 0, 0, 255, 255, 255), "the gap isn't white");
    EXPECT(pixel_is(&strip, CELL_GAP, CELL_GAP, 255, 0, 0), "the first picture isn't in its place");
    EXPECT(pixel_is(&strip, CELL_GAP + 7, CELL_GAP + 5, 255, 0, 0), "nor its end");
    EXPECT(pixel_is(&strip, 2 * CELL_GAP + 8 + 3, CELL_GAP + 3, 255, 255, 255), "the second's place isn't empty");
    EXPECT(pixel_is(&strip, 3 * CELL_GAP + 2 * 8 + 7, CELL_GAP + 5, 0, 0, 255), "the third wasn't enlarged");
    image_free(&red), image_free(&small_blue), image_free(&strip);
}

// 13 pictures: 5 columns, 3 rows
static void test_strip_of_many(void) {
    enum { COUNT = 13 };
    Image grey = flat(4, 4, 9, 9, 9), strip;
    const Image *pictures[COUNT];
    for (size_t i = 0; i < COUNT; i++) pictures[i] = &grey;
    EXPECT(strip_make(&strip, pictures, COUNT, 4, 4, NULL), "no strip");
    size_t side = 4 + CELL_GAP;
    EXPECT(strip.width == 5 * side + CELL_GAP && strip.height == 3 * side + CELL_GAP, "%zu x %zu", strip.width,
           strip.height);
    EXPECT(pixel_is(&strip, CELL_GAP + 2 * side, CELL_GAP + 2 * side, 9, 9, 9), "the last isn't there");
    EXPECT(pixel_is(&strip, CELL_GAP + 3 * side, CELL_GAP + 2 * side, 255, 255, 255), "there is one behind the last");
    image_free(&grey), image_free(&strip);
}

static void test_sheets_are_kept_small(void) {
    Layout layout = layout_fit(1024, 1024, 40, 25, 300, 200);
    EXPECT(layout_width(&layout) <= LARGEST_SIDE && layout_height(&layout) <= LARGEST_SIDE, "%zu x %zu",
           layout_width(&layout), layout_height(&layout));
    EXPECT(layout.cell_width == layout.cell_height && layout.cell_width >= 256, "%zu", layout.cell_width);
    layout = layout_fit(512, 256, 4, 3, 0, 0);
    EXPECT(layout.cell_width == 512 && layout.cell_height == 256, "made smaller for nothing");
}

static size_t dark_pixels(const Image *image, size_t left, size_t top, size_t width, size_t height) {
    size_t count = 0;
    for (size_t y = top; y < top + height; y++) {
        for (size_t x = left; x < left + width; x++) count += image->pixels[3 * (y * image->width + x)] < 128;
    }
    return count;
}

static void test_grid_has_labels(void) {
    Image white = flat(128, 128, 255, 255, 255), green = flat(128, 128, 0, 255, 0), sheet;
    const Image *cells[] = {&white, &white, &white, &green};
    const char *rows[] = {"steps 5", "steps 20"}, *columns[] = {"guidance scale 1", "guidance scale 7.5"};
    GridSheet grid = {2, 2, 128, 128, cells, rows, columns, "a red cat"};
    Error error = {0};
    EXPECT(grid_make(&sheet, &grid, &error), "%s", error.message);
    if (!sheet.pixels) return;
    size_t right = sheet.width - CELL_GAP - 1, bottom = sheet.height - CELL_GAP - 1;
    EXPECT(pixel_is(&sheet, right, bottom, 0, 255, 0), "the last cell isn't green");
    EXPECT(!pixel_is(&sheet, right, bottom - 128 - CELL_GAP, 0, 255, 0), "the one above is");
    size_t left = sheet.width - 2 * 128 - 3 * CELL_GAP, top = sheet.height - 2 * 128 - 3 * CELL_GAP;
    EXPECT(left > 30 && top > 30, "no margin for labels: %zu, %zu", left, top);
    EXPECT(dark_pixels(&sheet, 0, top, left, 40) > 20, "nothing is written beside the first row");
    EXPECT(dark_pixels(&sheet, 0, top + 132, left, 40) > 20, "nothing is written beside the second row");
    EXPECT(dark_pixels(&sheet, left, top - 20, 128, 20) > 20, "nothing is written above the first column");
    EXPECT(dark_pixels(&sheet, 0, 0, left, 30) > 20, "there is no title");
    image_free(&white), image_free(&green), image_free(&sheet);
}

// ---- animations -----------------------------------------------------------------------------------------------------

static void test_xmp(void) {
    const Metadata rows[] = {
        {"prompt", "a <cat> & a dog\n\x01"}, {"chapter.1.from", "8"}, {"a key", "x"}, {"1", "x"}, {"", "x"}};
    char *packet = xmp_packet(rows, 5);
    EXPECT(packet != NULL, "no packet");
    EXPECT(strstr(packet, "<sculpt:prompt>a &lt;cat&gt; &amp; a dog\n?</sculpt:prompt>"), "%s", packet);
    EXPECT(strstr(packet, "<sculpt:chapter.1.from>8</sculpt:chapter.1.from>"), "%s", packet);
    EXPECT(!strstr(packet, "a key") && !strstr(packet, "sculpt:1") && !strstr(packet, "<sculpt:>"), "%s", packet);
    free(packet);
}

// What a WebP file holds, for comparison: frames decoded, and when each ends
typedef struct Read {
    char *bytes;
    WebPAnimDecoder *decoder;
    WebPAnimInfo info;
} Read;

static bool read_animation(Read *read, const char *path) {
    size_t size;
    *read = (Read){.bytes = file_read(path, &size, NULL)};
    if (!read->bytes) return false;
    WebPData data = {(const uint8_t *)read->bytes, size};
    read->decoder = WebPAnimDecoderNew(&data, NULL);
    return read->decoder && WebPAnimDecoderGetInfo(read->decoder, &read->info);
}

static bool read_xmp(const Read *read, char *text, size_t size) {
    WebPChunkIterator chunk;
    *text = '\0';
    if (!WebPDemuxGetChunk(WebPAnimDecoderGetDemuxer(read->decoder), "XMP ", 1, &chunk)) return false;
    snprintf(text, size, "%.*s", (int)chunk.chunk.size, (const char *)chunk.chunk.bytes);
    WebPDemuxReleaseChunkIterator(&chunk);
    return true;
}

static void close_animation(Read *read) {
    WebPAnimDecoderDelete(read->decoder);
    free(read->bytes);
}

static void test_animation(void) {
    const char *folder = test_folder("export_animation");
    char path[600], xmp[4000];
    snprintf(path, sizeof path, "%s/a.webp", folder);
    Image images[] = {flat(20, 10, 200, 3, 1), flat(20, 10, 200, 3, 2), flat(20, 10, 7, 250, 9)};
    for (size_t i = 0; i < 3; i++)
        images[i].pixels[3 * 57] = (uint8_t)(i + 100);  // no two alike, and none of one colour
    const AnimationFrame frames[] = {{&images[0], 100}, {&images[1], 40}, {&images[2], 1500}};
    const Metadata rows[] = {{"seed", "7"}};
    Error error = {0};
    EXPECT(animation_write(path, frames, 3, rows, 1, &error), "%s", error.message);
    Read read;
    EXPECT(read_animation(&read, path), "can't be read back");
    EXPECT(read.info.frame_count == 3 && read.info.canvas_width == 20 && read.info.canvas_height == 10,
           "%u frames of %u x %u", read.info.frame_count, read.info.canvas_width, read.info.canvas_height);
    const int ends[] = {100, 140, 1640};
    uint8_t *pixels;
    int end;
    for (size_t i = 0; i < 3 && WebPAnimDecoderGetNext(read.decoder, &pixels, &end); i++) {
        EXPECT(end == ends[i], "frame %zu ends at %d ms, not %d", i, end, ends[i]);
        size_t wrong = 0;
        for (size_t p = 0; p < 200; p++) wrong += memcmp(pixels + 4 * p, images[i].pixels + 3 * p, 3) != 0;
        EXPECT(wrong == 0, "frame %zu: %zu pixels changed", i, wrong);
    }
    EXPECT(read_xmp(&read, xmp, sizeof xmp) && strstr(xmp, "<sculpt:seed>7</sculpt:seed>"), "metadata: %s", xmp);
    close_animation(&read);
    EXPECT(!animation_write("nowhere/a.webp", frames, 3, rows, 1, &error) && strstr(error.message, "nowhere"), "%s",
           error.message);
    for (size_t i = 0; i < 3; i++) image_free(&images[i]);
}

// ---- of a run -------------------------------------------------------------------------------------------------------

// All steps' pictures, decoded
static void look_at_all(Viewer *viewer) {
    Branch *branch = viewer_shown(viewer);
    for (size_t k = 0; k < branch->step_count; k++) viewer_picture(viewer, branch, k, PICTURE_CLEAN, true);
    viewer_settle(viewer);
}

static void expect_text(const char *path, const char *key, const char *expected) {
    char *text = png_read_text(path, key);
    EXPECT(text && strcmp(text, expected) == 0, "%s: %s is \"%s\", not \"%s\"", path, key, text ? text : "(absent)",
           expected);
    free(text);
}

static void expect_size(const char *path, size_t width, size_t height) {
    Image image;
    Error error = {0};
    EXPECT(png_read(path, &image, &error), "%s", error.message);
    EXPECT(image.width == width && image.height == height, "%s: %zu x %zu, not %zu x %zu", path, image.width,
           image.height, width, height);
    image_free(&image);
}

static Viewer *viewer_of_a_run(void) {
    Viewer *viewer = viewer_opened((ViewerOptions){.model = "tests/golden/runs/sd1", .prompt = "a cat"});
    if (viewer) viewer_settle(viewer);
    return viewer;
}

static void test_exports_of_a_run(void) {
    Viewer *viewer = viewer_of_a_run();
    Branch *branch = viewer_shown(viewer);
    EXPECT(branch && branch->state == BRANCH_DONE && branch->step_count == 20, "no run: %s", viewer->notice);
    look_at_all(viewer);
    size_t width = branch->trace->image_width, height = branch->trace->image_height;
    const char *folder = test_folder("export_run");
    char picture[600], strip[600], animation[600], xmp[8000];
    snprintf(picture, sizeof picture, "%s/picture.png", folder);
    snprintf(strip, sizeof strip, "%s/strip.png", folder);
    snprintf(animation, sizeof animation, "%s/animation.webp", folder);

    viewer_seek(viewer, 7);
    EXPECT(viewer_export(viewer, EXPORT_PICTURE, picture), "%s", viewer->notice);
    expect_size(picture, width, height);
    expect_text(picture, "prompt", "a cat");
    expect_text(picture, "step", "7");
    Image written, *seen = &branch->pictures[7 * PICTURE_KINDS + PICTURE_CLEAN].picture.image;
    EXPECT(png_read(picture, &written, NULL) && seen->width == width, "no picture");
    EXPECT(memcmp(written.pixels, seen->pixels, 3 * width * height) == 0, "it isn't the picture of step 7");
    image_free(&written);

    EXPECT(viewer_export(viewer, EXPORT_STRIP, strip), "%s", viewer->notice);
    expect_size(strip, 6 * (width + CELL_GAP) + CELL_GAP, 4 * (height + CELL_GAP) + CELL_GAP);
    expect_text(strip, "num_inference_steps", "20");
    EXPECT(strstr(viewer->notice, strip) && !strstr(viewer->notice, "preview"), "%s", viewer->notice);

    EXPECT(viewer_export(viewer, EXPORT_ANIMATION, animation), "%s", viewer->notice);
    Read read;
    EXPECT(read_animation(&read, animation), "can't be read back");
    EXPECT(read.info.frame_count == 21 && read.info.canvas_width == width, "%u frames", read.info.frame_count);
    EXPECT(read_xmp(&read, xmp, sizeof xmp) && strstr(xmp, "<sculpt:prompt>a cat</sculpt:prompt>"), "%s", xmp);
    close_animation(&read);
    viewer_close(viewer);
}

// A branch's export says what was changed on the way.
static void test_chapters_are_told(void) {
    Viewer *viewer = viewer_of_a_run();
    viewer->knobs = *branch_knobs(viewer_shown(viewer));
    viewer_seek(viewer, 5);
    viewer->knobs.guidance_scale = 3;
    viewer_branch(viewer);
    viewer_settle(viewer);
    char path[600];
    snprintf(path, sizeof path, "%s/branch.png", test_folder("export_branch"));
    EXPECT(viewer_shown(viewer)->parent >= 0 && viewer_export(viewer, EXPORT_PICTURE, path), "%s", viewer->notice);
    expect_text(path, "guidance_scale", "7.5");
    expect_text(path, "chapter.1.from", "5");
    expect_text(path, "chapter.1.guidance_scale", "3");
    viewer_close(viewer);
}

static void test_export_of_a_grid(void) {
    Viewer *viewer = viewer_of_a_run();
    Axis rows = {.knob = KNOB_STEPS, .values = {"2", "3"}, .count = 2},
         columns = {.knob = KNOB_GUIDANCE, .values = {"1", "4", "9"}, .count = 3};
    char path[600];
    snprintf(path, sizeof path, "%s/grid.png", test_folder("export_grid"));
    EXPECT(!viewer_export(viewer, EXPORT_GRID, path) && !path_exists(path) && viewer->notice_is_error, "%s",
           viewer->notice);
    viewer_compare(viewer, &rows, &columns);
    viewer_settle(viewer);
    EXPECT(viewer_export(viewer, EXPORT_GRID, path), "%s", viewer->notice);
    expect_text(path, "rows", "steps 2, steps 3");
    expect_text(path, "columns", "guidance scale 1, guidance scale 4, guidance scale 9");
    expect_text(path, "prompt", "a cat");
    viewer_close(viewer);
}

static void test_free_names_and_failures(void) {
    Viewer *viewer = viewer_of_a_run();
    EXPECT(!viewer_export(viewer, EXPORT_PICTURE, "nowhere/a.png") && viewer->notice_is_error, "%s", viewer->notice);
    char back[4096];
    const char *folder = test_folder("export_names");
    if (!getcwd(back, sizeof back) || chdir(folder) != 0) return test_fail(__FILE__, __LINE__, "chdir", "%s", folder);
    EXPECT(viewer_export(viewer, EXPORT_STRIP, NULL) && viewer_export(viewer, EXPORT_STRIP, NULL), "%s",
           viewer->notice);
    EXPECT(path_exists("sculpt-0001-strip.png") && path_exists("sculpt-0002-strip.png"), "%s", viewer->notice);
    if (chdir(back) != 0) test_fail(__FILE__, __LINE__, "chdir", "%s", back);
    viewer_close(viewer);

    viewer = viewer_opened((ViewerOptions){.model = "tests/golden/runs/sd1", .trace = "nothing"});
    for (int kind = 0; kind < EXPORT_KINDS; kind++) {
        EXPECT(!viewer_export(viewer, (ExportKind)kind, "never") && strstr(viewer->notice, ";"), "%s", viewer->notice);
    }
    EXPECT(!path_exists("never"), "written all the same");
    viewer_close(viewer);
}

int main(void) {
    TEST(test_strip);
    TEST(test_strip_of_many);
    TEST(test_sheets_are_kept_small);
    TEST(test_grid_has_labels);
    TEST(test_xmp);
    TEST(test_animation);
    TEST(test_exports_of_a_run);
    TEST(test_chapters_are_told);
    TEST(test_export_of_a_grid);
    TEST(test_free_names_and_failures);
    return test_summary();
}
