// choice.c - one of a list that opens
//
// While a list is open it has mouse and keyboard to itself: ui_begin gives it the frame's input and shows everybody
// else an empty one. So a press outside closes it and nothing else, and no letter is a shortcut.
//
// Read next: scroll.c.

#include "ui/inside.h"
#include "ui/widgets.h"

#include "base/least.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW = 24, MARGIN = 4 };             // points
enum { ROWS_MOST = 16, ITEM_SIZE = 160 };  // rows that are shown at once; bytes of a label

// Of the list that is open. The items are the caller's, and may be gone when ui_end draws the list: so what its rows say
// is copied.
struct OpenList {
    UiInput input;  // what ui_begin took from the frame
    const char *const *items;
    size_t count, chosen, lit, first, rows;  // lit: where arrows or mouse are; first: of the rows shown
    char labels[ROWS_MOST][ITEM_SIZE];       // of the rows shown
    Rect rect;
    bool here;     // its choice was drawn in this frame
    bool pressed;  // the mouse went down in it
};

bool list_open(Ui *ui) { return (ui->list = calloc(1, sizeof *ui->list)) != NULL; }

static void list_close(Ui *ui) { ui->open_list[0] = 0; }

void list_take_input(Ui *ui) {
    ui->list->input = ui->input;
    if (ui->input.key == SDLK_TAB) list_close(ui);
}

// ---- where it stands ------------------------------------------------------------------------------------------------

static size_t clamp_first(const struct OpenList *list, size_t first) { return least(first, list->count - list->rows); }

static void show_lit(struct OpenList *list) {
    if (list->lit < list->first) list->first = list->lit;
    if (list->lit >= list->first + list->rows) list->first = list->lit - list->rows + 1;
    list->first = clamp_first(list, list->first);
}

// Under its field, or over it where there is more room.
static void place_list(Ui *ui, Rect field, const char *const items[], size_t count) {
    struct OpenList *list = ui->list;
    list->items = items;
    list->count = count;
    float under = ui->height - field.y - field.h - MARGIN, over = field.y - MARGIN;
    float wanted = (float)least(count, ROWS_MOST) * ROW + 2 * MARGIN;
    bool goes_over = wanted > under && over > under;
    float room = fminf(wanted, goes_over ? over : under) - 2 * MARGIN;
    list->rows = room >= ROW ? least((size_t)(room / ROW), count) : least(count, 1);
    float height = (float)list->rows * ROW + 2 * MARGIN;
    list->rect = (Rect){field.x, goes_over ? field.y - 2 - height : field.y + field.h + 2, field.w, height};
    list->lit = least(list->lit, count - 1);
    list->first = clamp_first(list, list->first);
    list->here = true;
}

static Rect row_rect(const struct OpenList *list, size_t item) {
    float y = list->rect.y + MARGIN + (float)(item - list->first) * ROW;
    return (Rect){list->rect.x + MARGIN, y, list->rect.w - 2 * MARGIN, ROW};
}

// The item under the mouse; count if there is none.
static size_t item_at(const struct OpenList *list, float x, float y) {
    for (size_t i = list->first; i < list->first + list->rows; i++)
        if (rect_has(row_rect(list, i), x, y)) return i;
    return list->count;
}

// ---- what is done with it -------------------------------------------------------------------------------------------

// The next item behind the lit one, around, that begins with what was typed.
static void jump_to_letter(struct OpenList *list, const char *typed) {
    for (size_t step = 1; step <= list->count; step++) {
        size_t i = (list->lit + step) % list->count;
        if (tolower((unsigned char)list->items[i][0]) != tolower((unsigned char)typed[0])) continue;
        list->lit = i;
        show_lit(list);
        return;
    }
}

static void move_lit(struct OpenList *list, long by) {
    long to = (long)list->lit + by, last = (long)list->count - 1;
    list->lit = (size_t)(to < 0 ? 0 : to > last ? last : to);
    show_lit(list);
}

// True: the lit item is chosen.
static bool list_key(Ui *ui) {
    struct OpenList *list = ui->list;
    long page = (long)list->rows;
    switch (list->input.key) {
    case SDLK_UP: move_lit(list, -1); break;
    case SDLK_DOWN: move_lit(list, 1); break;
    case SDLK_PAGEUP: move_lit(list, -page); break;
    case SDLK_PAGEDOWN: move_lit(list, page); break;
    case SDLK_HOME: move_lit(list, -(long)list->count); break;
    case SDLK_END: move_lit(list, (long)list->count); break;
    case SDLK_ESCAPE: list_close(ui); break;
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
    case SDLK_SPACE: return true;
    default:
        if (list->input.modifiers & (KMOD_CTRL | KMOD_ALT | KMOD_GUI)) break;
        if (list->input.key > ' ' && list->input.key < 0x7f) jump_to_letter(list, (char[]){(char)list->input.key, 0});
    }
    return false;
}

static bool list_mouse(Ui *ui) {
    struct OpenList *list = ui->list;
    const UiInput *input = &list->input;
    if (input->wheel != 0) {
        long first = (long)list->first - lroundf(input->wheel > 0 ? ceilf(input->wheel) : floorf(input->wheel));
        list->first = clamp_first(list, (size_t)(first < 0 ? 0 : first));
    }
    size_t item = item_at(list, input->mouse_x, input->mouse_y);
    if (item < list->count) list->lit = item;
    if (input->pressed && !rect_has(list->rect, input->mouse_x, input->mouse_y)) list_close(ui);
    if (input->pressed) list->pressed = true;
    return input->released && list->pressed && item < list->count;
}

static bool list_use(Ui *ui, size_t *chosen) {
    bool mouse = list_mouse(ui);
    if (!list_key(ui) && !mouse) return false;
    bool changed = *chosen != ui->list->lit;
    *chosen = ui->list->lit;
    list_close(ui);
    return changed;
}

// ---- drawing --------------------------------------------------------------------------------------------------------

static void copy_labels(struct OpenList *list) {
    for (size_t row = 0; row < list->rows; row++) {
        char *label = list->labels[row];
        snprintf(label, ITEM_SIZE, "%s", list->items[list->first + row]);
        label[text_whole(label, strlen(label))] = '\0';
    }
    list->items = NULL;
}

static void draw_row(Ui *ui, size_t item) {
    const struct OpenList *list = ui->list;
    const char *label = list->labels[item - list->first];
    const Theme *theme = &ui->theme;
    Rect row = row_rect(list, item), words = {row.x + 8, row.y, row.w - 16, row.h};
    bool lit = item == list->lit;
    if (lit) draw_round(ui, row, CORNER - 1, theme->accent);
    draw_label(ui, words, item == list->chosen ? FONT_BOLD : FONT_NORMAL, lit ? theme->on_accent : theme->text,
               ALIGN_LEFT, label);

    char name[sizeof ui->open_list + ITEM_SIZE];
    snprintf(name, sizeof name, "%s/%s", ui->open_list, label);
    ui_thing(ui, name, row, "", false);
}

void list_draw(Ui *ui) {
    struct OpenList *list = ui->list;
    if (ui->open_list[0] && !list->here) list_close(ui);
    list->here = false;
    if (!ui->open_list[0]) return;
    draw_round(ui, (Rect){list->rect.x - 1, list->rect.y, list->rect.w + 2, list->rect.h + 2}, CORNER + 1,
               (Color){0, 0, 0, 60});
    draw_round(ui, list->rect, CORNER, ui->theme.edge);
    draw_round(ui, rect_inset(list->rect, 1), CORNER - 1, ui->theme.panel);
    for (size_t i = list->first; i < list->first + list->rows; i++) draw_row(ui, i);
    if (list->rows == list->count) return;
    float all = list->rect.h - 2 * MARGIN, share = all / (float)list->count;
    Rect bar = {list->rect.x + list->rect.w - 4, list->rect.y + MARGIN + share * (float)list->first, 3,
                share * (float)list->rows};
    draw_round(ui, bar, 1.5f, ui->theme.faint);
}

static void draw_choice(Ui *ui, Rect rect, const char *name, const char *shown) {
    const Theme *theme = &ui->theme;
    bool open = ui->open_list[0] && name_is(ui->open_list, name);
    draw_round(ui, rect, CORNER, open ? theme->accent : theme->edge);
    draw_round(ui, rect_inset(rect, 1), CORNER - 1, widget_color(ui, theme->raised, ui_hovers(ui, rect), open));
    Rect words = {rect.x + 8, rect.y, rect.w - 16, rect.h}, arrow = rect_cut_right(&words, 12);
    draw_label(ui, arrow, FONT_SMALL, theme->faint, ALIGN_CENTER, "▾");
    draw_label(ui, words, FONT_NORMAL, theme->text, ALIGN_LEFT, shown);
    focus_ring(ui, name, rect);
}

bool choice(Ui *ui, Rect rect, const char *name, const char *const items[], size_t count, size_t *chosen,
            const char *tip) {
    ui_thing(ui, name, rect, tip, true);
    bool changed = false;
    if (ui->open_list[0] && name_is(ui->open_list, name) && count > 0) {
        place_list(ui, rect, items, count);
        changed = list_use(ui, chosen);
        copy_labels(ui->list);
    } else if (count > 0) {
        bool key = ui_focused(ui, name) && (ui_key(ui, SDLK_RETURN, KMOD_NONE) ||
                                            ui_key(ui, SDLK_KP_ENTER, KMOD_NONE) || ui_key(ui, SDLK_SPACE, KMOD_NONE) ||
                                            ui_key(ui, SDLK_DOWN, KMOD_NONE) || ui_key(ui, SDLK_UP, KMOD_NONE));
        if (ui_press(ui, name, rect) || key) {
            name_copy(ui->open_list, name);
            *ui->list = (struct OpenList){.chosen = *chosen, .lit = *chosen};
            place_list(ui, rect, items, count);
            show_lit(ui->list);
            copy_labels(ui->list);
        }
    }
    draw_choice(ui, rect, name, *chosen < count ? items[*chosen] : name);
    return changed;
}
