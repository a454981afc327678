// strip.c - see sheet.h: what the U-Net believed in, step by step, in one picture

#include "export/sheet.h"

#include <math.h>
#include <string.h>

static const double MOST_PIXELS = 100e6;  // of a sheet: 300 MB

// ---- layout ---------------------------------------------------------------------------------------------------------

size_t layout_width(const Layout *l) { return l->left + l->columns * (l->cell_width + CELL_GAP) + CELL_GAP; }
size_t layout_height(const Layout *l) { return l->top + l->rows * (l->cell_height + CELL_GAP) + CELL_GAP; }

static bool possible(const Layout *layout) {
    size_t width = layout_width(layout), height = layout_height(layout);
    return width <= LARGEST_SIDE && height <= LARGEST_SIDE && (double)width * (double)height <= MOST_PIXELS;
}

Layout layout_fit(size_t width, size_t height, size_t columns, size_t rows, size_t left, size_t top) {
    Layout layout = {columns, rows, left, top, width, height};
    for (size_t divisor = 2; !possible(&layout) && divisor <= width + height; divisor++) {
        layout.cell_width = (width + divisor - 1) / divisor;
        layout.cell_height = (height + divisor - 1) / divisor;
    }
    return layout;
}

bool layout_place(const Layout *l, Image *sheet, const Image *picture, size_t index) {
    size_t x = l->left + CELL_GAP + index % l->columns * (l->cell_width + CELL_GAP);
    size_t y = l->top + CELL_GAP + index / l->columns * (l->cell_height + CELL_GAP);
    if (picture->width == l->cell_width && picture->height == l->cell_height) {
        image_place(sheet, picture, x, y);
        return true;
    }
    Image fitted = image_resize(picture, l->cell_width, l->cell_height);
    if (!fitted.pixels) return false;
    image_place(sheet, &fitted, x, y);
    image_free(&fitted);
    return true;
}

// ---- the strip ------------------------------------------------------------------------------------------------------

// About as wide as a screen, once a row would be too long
static size_t strip_columns(size_t count) {
    enum { ONE_ROW = 12 };
    return count <= ONE_ROW ? count : (size_t)ceil(sqrt(1.6 * (double)count));
}

bool strip_make(Image *strip, const Image *const *pictures, size_t count, size_t width, size_t height, Error *error) {
    size_t columns = strip_columns(count);
    Layout layout = layout_fit(width, height, columns, (count + columns - 1) / columns, 0, 0);
    *strip = image_new(layout_width(&layout), layout_height(&layout));
    bool ok = strip->pixels != NULL;
    if (ok) memset(strip->pixels, 255, strip->width * strip->height * 3);
    for (size_t i = 0; ok && i < count; i++) ok = !pictures[i] || layout_place(&layout, strip, pictures[i], i);
    if (ok) return true;
    image_free(strip);
    return error_set(error, "the strip: no memory for %zu pictures of %zu x %zu; close other programs", count, width,
                     height);
}
