// test_ui_over.c - what lies over and inside something else: lists, areas that scroll, clips, tooltips, `?`

#include "test.h"
#include "viz/screen.h"

#include <stdio.h>
#include <string.h>

// ---- choices --------------------------------------------------------------------------------------------------------

enum { ITEMS = 30 };
static size_t scheduler, other;
static int presses;

static void choice_page(Ui *ui) {
    static const char *const NAMES[] = {"ddim", "euler", "heun", "euler_a"};
    char item_names[ITEMS][24];  // gone before the list is drawn, as a panel's may be
    const char *many[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        snprintf(item_names[i], sizeof item_names[i], "item %d", i);
        many[i] = item_names[i];
    }
    if (button(ui, (Rect){10, 40, 120, 120}, "Under it", "")) presses++;
    choice(ui, (Rect){10, 10, 120, 28}, "Scheduler", NAMES, 4, &scheduler, "");
    choice(ui, (Rect){150, 10, 120, 28}, "Many", many, ITEMS, &other, "");
}

static void test_choice_by_mouse(void) {
    Screen *screen = screen_open(300, 200, 1, false, choice_page);
    scheduler = 0, presses = 0;
    screen_frame(screen);
    screen_click(screen, "Scheduler");
    EXPECT(strcmp(screen->ui.open_list, "Scheduler") == 0, "open is %s", screen->ui.open_list);
    EXPECT(ui_find(&screen->ui, "Scheduler/heun") != NULL, "its items have no names");
    screen_click(screen, "Scheduler/heun");
    EXPECT(scheduler == 2 && !screen->ui.open_list[0], "chosen %zu, open %s", scheduler, screen->ui.open_list);
    EXPECT(presses == 0, "what lies under the list was pressed");

    screen_click(screen, "Scheduler");
    screen_press(screen, 60, 155, 1);  // on the button, under the list's end
    screen_release(screen, 60, 155);
    EXPECT(!screen->ui.open_list[0] && presses == 0, "a press outside: %d", presses);
    EXPECT(scheduler == 2, "%zu", scheduler);
    screen_click(screen, "Under it");
    EXPECT(presses == 1, "%d", presses);
    screen_close(screen);
}

static void test_choice_by_keys(void) {
    Screen *screen = screen_open(300, 200, 1, false, choice_page);
    scheduler = 0;
    screen_frame(screen);
    ui_focus(&screen->ui, "Scheduler");
    screen_key(screen, SDLK_SPACE, 0);
    screen_key(screen, SDLK_DOWN, 0);
    screen_key(screen, SDLK_DOWN, 0);
    screen_key(screen, SDLK_UP, 0);
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(scheduler == 1 && !screen->ui.open_list[0], "%zu", scheduler);
    screen_key(screen, SDLK_RETURN, 0);
    screen_key(screen, SDLK_e, 0);
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(scheduler == 3, "the next that begins with e: %zu", scheduler);
    screen_key(screen, SDLK_RETURN, 0);
    screen_key(screen, SDLK_UP, 0);
    screen_key(screen, SDLK_ESCAPE, 0);
    EXPECT(scheduler == 3 && !screen->ui.open_list[0], "Escape: %zu", scheduler);
    screen_key(screen, SDLK_RETURN, 0);
    screen_key(screen, SDLK_TAB, 0);
    EXPECT(!screen->ui.open_list[0] && ui_focused(&screen->ui, "Many"), "Tab: %s", screen->ui.focus);
    screen_close(screen);
}

static void test_long_choice(void) {
    Screen *screen = screen_open(300, 200, 1, false, choice_page);
    other = 20;
    screen_frame(screen);
    screen_click(screen, "Many");
    EXPECT(ui_find(&screen->ui, "Many/item 20") != NULL, "it opens where the chosen one isn't shown");
    screen->input.wheel = 100;
    screen_move(screen, 200, 100);
    const UiThing *first = ui_find(&screen->ui, "Many/item 0");
    EXPECT(first != NULL, "the wheel doesn't scroll it");
    EXPECT(!ui_find(&screen->ui, "Many/item 20"), "all 30 are shown");
    for (size_t i = 0; i < screen->ui.thing_count; i++) {
        Rect rect = screen->ui.things[i].rect;
        EXPECT(rect.y >= 0 && rect.y + rect.h <= 200, "%s reaches out of the window", screen->ui.things[i].name);
    }
    screen_click(screen, "Many/item 1");
    EXPECT(other == 1, "%zu", other);
    screen_close(screen);
}

// ---- areas that scroll, and clips -----------------------------------------------------------------------------------

static float scroll_at, inner_scroll;
static int last_pressed;

static void scroll_page(Ui *ui) {
    Rect inside = scroll_begin(ui, (Rect){0, 0, 200, 100}, "Area", 400, &scroll_at);
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "Row %d", i);
        if (button(ui, (Rect){inside.x, inside.y + 40 * (float)i, 150, 30}, name, "")) last_pressed = i;
    }
    scroll_begin(ui, (Rect){160, inside.y, 28, 80}, "Inner", 200, &inner_scroll);
    scroll_end(ui);
    scroll_end(ui);
}

static void test_scroll(void) {
    Screen *screen = screen_open(300, 200, 1, false, scroll_page);
    scroll_at = inner_scroll = 0, last_pressed = -1;
    screen->input.wheel = -1;
    screen_move(screen, 50, 50);
    float notch = scroll_at;
    EXPECT(notch > 0 && notch < 100, "a notch is %g points", notch);
    screen->input.wheel = -100;
    screen_frame(screen);
    EXPECT(scroll_at == 300, "its end: %g", scroll_at);
    screen->input.wheel = 100;
    screen_frame(screen);
    EXPECT(scroll_at == 0, "its start: %g", scroll_at);
    screen->input.wheel = -1;
    screen_move(screen, 250, 50);
    EXPECT(scroll_at == 0, "the wheel elsewhere: %g", scroll_at);
    screen->input.wheel = -1;
    screen_move(screen, 170, 50);
    EXPECT(scroll_at == 0 && inner_scroll > 0, "the inner has it first: %g, %g", scroll_at, inner_scroll);

    screen_press(screen, 196, 95, 1);
    screen_release(screen, 196, 95);
    EXPECT(scroll_at == 300, "the bar's end: %g", scroll_at);
    screen_close(screen);
}

static void test_what_is_clipped_cannot_be_pressed(void) {
    Screen *screen = screen_open(300, 200, 1, false, scroll_page);
    scroll_at = 0, last_pressed = -1;
    screen_press(screen, 50, 130, 1);  // row 3 would lie here
    screen_release(screen, 50, 130);
    EXPECT(last_pressed == -1, "row %d", last_pressed);
    const UiThing *row = ui_find(&screen->ui, "Row 2"), *hidden = ui_find(&screen->ui, "Row 5");
    EXPECT(row->seen.h == 20, "%g points of row 2 are seen", row->seen.h);
    EXPECT(hidden->seen.h == 0, "%g points of row 5 are seen", hidden->seen.h);
    screen_close(screen);
}

static void test_focus_is_scrolled_to(void) {
    Screen *screen = screen_open(300, 200, 1, false, scroll_page);
    scroll_at = 0;
    screen_frame(screen);
    ui_focus(&screen->ui, "Row 6");
    screen_key(screen, SDLK_TAB, 0);
    screen_frame(screen);
    EXPECT(screen->ui.wants_frame, "nobody draws what was scrolled");
    screen_frame(screen);
    const UiThing *row = ui_find(&screen->ui, "Row 7");
    EXPECT(ui_focused(&screen->ui, "Row 7") && row->seen.h == 30, "%s, of which %g points are seen", screen->ui.focus,
           row->seen.h);
    screen_close(screen);
}

static void clips_page(Ui *ui) {
    draw_clip(ui, (Rect){10, 10, 50, 50});
    draw_clip(ui, (Rect){30, 30, 100, 100});
    draw_fill(ui, (Rect){0, 0, 200, 200}, (Color){255, 0, 0, 255});
    draw_unclip(ui);
    draw_fill(ui, (Rect){0, 0, 20, 20}, (Color){0, 0, 255, 255});
    draw_clip(ui, (Rect){100, 100, 20, 20});
    draw_fill(ui, (Rect){0, 0, 200, 200}, (Color){0, 255, 0, 255});
    draw_unclip(ui);
    draw_unclip(ui);
}

static void test_clips(void) {
    Screen *screen = screen_open(200, 200, 1, false, clips_page);
    screen_frame(screen);
    Image image = screen_image(screen);
    size_t red = 0, green = 0, blue = 0;
    for (size_t i = 0; i < 200 * 200; i++) {
        const uint8_t *rgb = image.pixels + 3 * i;
        red += rgb[0] == 255 && rgb[1] == 0;
        green += rgb[0] == 0 && rgb[1] == 255;
        blue += rgb[0] == 0 && rgb[2] == 255;
    }
    EXPECT(red == 30 * 30, "both clips leave %zu", red);
    EXPECT(blue == 10 * 10, "the outer one leaves %zu", blue);
    EXPECT(green == 0, "an inner clip outside of the outer one leaves %zu", green);
    image_free(&image);
    screen_close(screen);
}

// ---- tooltips and `?` -----------------------------------------------------------------------------------------------

static void tip_page(Ui *ui) { button_disabled(ui, (Rect){10, 50, 100, 30}, "Stop", "Nothing is running"); }

static bool same(Image a, Image b) { return memcmp(a.pixels, b.pixels, a.width * a.height * 3) == 0; }

static void test_tooltip(void) {
    Screen *screen = screen_open(300, 200, 1, false, tip_page);
    screen_move(screen, 60, 60);
    Image before = screen_image(screen);
    EXPECT(screen->ui.wants_frame, "nobody will draw it when it is due");
    screen->input.time += 0.4;
    screen_frame(screen);
    Image early = screen_image(screen);
    screen->input.time += 0.2;
    screen_frame(screen);
    Image due = screen_image(screen);
    EXPECT(same(before, early), "it appears before half a second");
    EXPECT(!same(before, due), "it doesn't appear");
    EXPECT(!screen->ui.wants_frame, "nothing moves any more");
    screen_press(screen, 60, 60, 1);
    Image pressed = screen_image(screen);
    EXPECT(same(before, pressed), "a press doesn't hide it");
    screen_close(screen);
    image_free(&before), image_free(&early), image_free(&due), image_free(&pressed);
}

static void explained_page(Ui *ui) {
    ui_panel(ui, "Panel", (Rect){0, 0, 300, 200}, "What is seen.", "lessons/01-hello");
    if (button(ui, (Rect){10, 10, 100, 30}, "Run", "Draws")) presses++;
}

static void test_explain(void) {
    Screen *screen = screen_open(300, 200, 1, false, explained_page);
    screen_frame(screen);
    const UiThing *panel = ui_find(&screen->ui, "Panel");
    EXPECT(panel->is_panel && strcmp(panel->tip, "What is seen.\nRead lessons/01-hello") == 0, "%s", panel->tip);
    Image plain = screen_image(screen);
    presses = 0;
    screen->ui.explaining = true;
    screen_frame(screen);
    Image explained = screen_image(screen);
    EXPECT(!same(plain, explained), "nothing is shown");
    screen_press(screen, 50, 20, 1);
    screen_release(screen, 50, 20);
    EXPECT(presses == 0 && !screen->ui.explaining, "a press ends it and does nothing else: %d", presses);
    screen->ui.explaining = true;
    screen_key(screen, SDLK_ESCAPE, 0);
    EXPECT(!screen->ui.explaining, "Escape doesn't end it");
    screen_close(screen);
    image_free(&plain), image_free(&explained);
}

int main(void) {
    TEST(test_choice_by_mouse);
    TEST(test_choice_by_keys);
    TEST(test_long_choice);
    TEST(test_scroll);
    TEST(test_what_is_clipped_cannot_be_pressed);
    TEST(test_focus_is_scrolled_to);
    TEST(test_clips);
    TEST(test_tooltip);
    TEST(test_explain);
    return test_summary();
}
