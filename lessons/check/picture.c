// picture.c - the learner's picture, the right one, and what differs, side by side

#include "check/inside.h"

#include "base/check.h"
#include "io/png.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    GAP = 4,
    STRONGER = 4
};  // pixels of white between and around the pictures; differences are shown so much larger

// build/lessons/LESSON/FILE, or where LESSON_OUT says
static void picture_path(const Check *check, const char *file, char *path, size_t size) {
    const char *out = getenv("LESSON_OUT");
    if (out) {
        snprintf(path, size, "%s/%s", out, file);
        return;
    }
    mkdir("build", 0777);
    mkdir("build/lessons", 0777);
    snprintf(path, size, "build/lessons/%s", check->lesson);
    mkdir(path, 0777);
    snprintf(path, size, "build/lessons/%s/%s", check->lesson, file);
}

void check_picture(Check *check, const char *file, const Image *yours, const Image *right) {
    CHECK(!right || (right->width == yours->width && right->height == yours->height), "pictures of two sizes");
    const size_t columns = right ? 3 : 1, width = yours->width + GAP;
    Image sheet = image_new(columns * width + GAP, yours->height + 2 * GAP);
    CHECK(sheet.pixels, "no memory for a picture");
    memset(sheet.pixels, 255, 3 * sheet.width * sheet.height);
    image_place(&sheet, yours, GAP, GAP);
    if (right) {
        Image difference = image_difference(yours, right, STRONGER);
        CHECK(difference.pixels, "no memory for a picture");
        image_place(&sheet, right, width + GAP, GAP);
        image_place(&sheet, &difference, 2 * width + GAP, GAP);
        image_free(&difference);
    }
    char path[400];
    Error error = {0};
    picture_path(check, file, path, sizeof path);
    bool written = png_write(path, &sheet, NULL, 0, &error);
    image_free(&sheet);
    if (!written) return;
    snprintf(check->report->picture, sizeof check->report->picture, "%s: %s", path,
             right ? "yours, what it should be, and the difference (4 times as strong)" : "drawn with what you wrote");
}
