// lab_sheet.c - pictures beside each other, with a word for each column and row

#include "command/lab.h"

#include "io/plot.h"

#include <string.h>

enum { GAP = 4, NAMES = 10 * LETTER_WIDTH, TITLES = LETTER_HEIGHT + GAP };  // pixels: between cells, of the margins

static const PlotColor BLACK = {0, 0, 0};

bool lab_sheet_new(LabSheet *sheet, size_t columns, size_t rows, size_t width, size_t height, Error *error) {
    *sheet = (LabSheet){.width = width, .height = height};
    sheet->image = image_new(NAMES + columns * (width + GAP), TITLES + rows * (height + GAP));
    if (!sheet->image.pixels) return error_set(error, "lab: no memory for a picture; close other programs");
    memset(sheet->image.pixels, 255, 3 * sheet->image.width * sheet->image.height);
    return true;
}

static size_t left_of(const LabSheet *sheet, size_t column) { return NAMES + column * (sheet->width + GAP); }
static size_t top_of(const LabSheet *sheet, size_t row) { return TITLES + row * (sheet->height + GAP); }

void lab_sheet_name_row(LabSheet *sheet, size_t row, const char *name) {
    long top = (long)(top_of(sheet, row) + sheet->height / 2);
    image_words(&sheet->image, GAP, top - LETTER_HEIGHT / 2, name, BLACK);
}

void lab_sheet_name_column(LabSheet *sheet, size_t column, const char *name) {
    image_words(&sheet->image, (long)left_of(sheet, column), 2, name, BLACK);
}

void lab_sheet_place(LabSheet *sheet, size_t column, size_t row, const Image *image) {
    Image fitted = image_resize(image, sheet->width, sheet->height);
    if (fitted.pixels) image_place(&sheet->image, &fitted, left_of(sheet, column), top_of(sheet, row));
    image_free(&fitted);
}

bool lab_sheet_write(LabSheet *sheet, const char *path, Error *error) {
    bool ok = png_write(path, &sheet->image, NULL, 0, error);
    image_free(&sheet->image);
    return ok;
}
