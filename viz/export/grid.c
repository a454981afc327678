// grid.c - see sheet.h: a comparison in one picture, with what is compared written beside it
//
// The words are drawn as in the window, by a Ui over memory; the pictures are then laid in unchanged.

#include "export/sheet.h"

#include "export/rendered.h"
#include "ui/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Page {
    Ui *ui;
    const GridSheet *grid;
    Layout layout;
    float title_height;  // points
} Page;

static const float MARGIN = 8, LABEL_WIDTH = 150;  // points

// Room for the longest label, which is broken into lines
static void measure(Page *page) {
    const GridSheet *grid = page->grid;
    Ui *ui = page->ui;
    float left = 0, top = 0, width = (float)page->layout.cell_width / ui->scale;
    for (size_t r = 0; r < grid->rows; r++)
        left = fmaxf(left, fminf(LABEL_WIDTH, text_width(ui, FONT_NORMAL, grid->row_labels[r])));
    for (size_t c = 0; c < grid->columns; c++) {
        if (*grid->column_labels[c]) top = fmaxf(top, text_height(ui, FONT_NORMAL, width, grid->column_labels[c]));
    }
    float whole = left + (float)grid->columns * width;
    page->title_height = *grid->title ? text_height(ui, FONT_BOLD, whole, grid->title) + MARGIN : 0;
    page->layout.left = left > 0 ? (size_t)((left + 2 * MARGIN) * ui->scale) : 0;
    page->layout.top = (size_t)((page->title_height + top + (top > 0 ? 2 * MARGIN : 0)) * ui->scale);
}

static void draw_words(const Page *page) {
    const GridSheet *grid = page->grid;
    Ui *ui = page->ui;
    float scale = ui->scale, left = (float)page->layout.left / scale, top = (float)page->layout.top / scale;
    float width = (float)page->layout.cell_width / scale, height = (float)page->layout.cell_height / scale,
          gap = CELL_GAP / scale;
    Color ink = ui->theme.text;
    ui_begin(ui, (UiInput){.mouse_x = -1, .mouse_y = -1});
    draw_fill(ui, (Rect){0, 0, ui->width, ui->height}, (Color){255, 255, 255, 255});
    if (*grid->title) {
        draw_paragraph(ui, (Rect){MARGIN, MARGIN, ui->width - 2 * MARGIN, page->title_height}, FONT_BOLD, ink,
                       grid->title);
    }
    for (size_t c = 0; c < grid->columns; c++) {
        float x = left + gap + (float)c * (width + gap), y = page->title_height + MARGIN;
        draw_paragraph(ui, (Rect){x, y, width, top - y}, FONT_NORMAL, ink, grid->column_labels[c]);
    }
    for (size_t r = 0; r < grid->rows; r++) {
        float room = left - 2 * MARGIN, y = top + gap + (float)r * (height + gap);
        if (*grid->row_labels[r])
            draw_paragraph(ui, (Rect){MARGIN, y, room, height}, FONT_NORMAL, ink, grid->row_labels[r]);
    }
    ui_end(ui);
}

// The page as large as it has to be, drawn, and its pixels. The first Ui only measures.
static bool draw_page(Page *page, Image *sheet, Error *error) {
    const GridSheet *grid = page->grid;
    float scale = fmaxf(1, fminf(3, (float)grid->width / 160));
    Offscreen screen;
    if (!offscreen_open(&screen, 16, 16, scale, error)) return false;
    page->ui = screen.ui;
    Layout *layout = &page->layout;
    *layout = layout_fit(grid->width, grid->height, grid->columns, grid->rows, 0, 0);
    measure(page);
    *layout = layout_fit(grid->width, grid->height, grid->columns, grid->rows, layout->left, layout->top);
    offscreen_close(&screen);

    if (!offscreen_open(&screen, layout_width(layout), layout_height(layout), scale, error)) return false;
    page->ui = screen.ui;
    draw_words(page);
    bool ok = rendered_picture(screen.renderer, sheet, error);
    offscreen_close(&screen);
    return ok;
}

bool grid_make(Image *sheet, const GridSheet *grid, Error *error) {
    Page page = {.grid = grid};
    if (!draw_page(&page, sheet, error)) return false;
    for (size_t i = 0; i < grid->rows * grid->columns; i++) {
        if (!grid->cells[i] || layout_place(&page.layout, sheet, grid->cells[i], i)) continue;
        image_free(sheet);
        return error_set(error, "the grid: no memory for a picture of %zu x %zu; close other programs", grid->width,
                         grid->height);
    }
    return true;
}
