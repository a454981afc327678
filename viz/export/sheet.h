// sheet.h - many pictures on one, to take away

#pragma once

#include "base/error.h"
#include "io/image.h"

// Pictures of any size, each shown [width, height] large, or all smaller where they would make a sheet that no program
// opens. NULL stands for one that isn't known yet: an empty place.

// In a row, or in several where there are many. Without memory: an error.
bool strip_make(Image *strip, const Image *const *pictures, size_t count, size_t width, size_t height, Error *error);

typedef struct GridSheet {
    size_t rows, columns, width, height;
    const Image *const *cells;         // [rows, columns]
    const char *const *row_labels;     // [rows]; "": none
    const char *const *column_labels;  // [columns]
    const char *title;                 // above all; "": none
} GridSheet;

// With labels beside the rows and above the columns. Errors: no memory, and those of ui_open (no fonts).
bool grid_make(Image *sheet, const GridSheet *grid, Error *error);

// ---- how they are laid out: rows and columns beside the margins for labels ---------------------------------------------

typedef struct Layout {
    size_t columns, rows;
    size_t left, top;  // pixels of margin
    size_t cell_width, cell_height;
} Layout;

enum { CELL_GAP = 4 };  // pixels of white between and around the pictures

// Pictures as large as they may be on such a sheet, [width, height] at most
Layout layout_fit(size_t width, size_t height, size_t columns, size_t rows, size_t left, size_t top);
size_t layout_width(const Layout *layout);
size_t layout_height(const Layout *layout);
// Lays picture `index` in its place on the sheet; false without memory.
bool layout_place(const Layout *layout, Image *sheet, const Image *picture, size_t index);
