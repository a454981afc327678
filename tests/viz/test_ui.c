// test_ui.c - what the hand does and what buttons, sliders and text fields make of it

#include "test.h"
#include "viz/screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- buttons --------------------------------------------------------------------------------------------------------

static int runs, saves;
static bool on;

static void buttons_page(Ui *ui) {
    if (button_primary(ui, (Rect){10, 10, 100, 30}, "Run", "Draws")) runs++;
    button_disabled(ui, (Rect){10, 50, 100, 30}, "Stop", "Nothing is running");
    if (button_labelled(ui, (Rect){10, 90, 100, 30}, "Save left", "Save", "As a PNG")) saves++;
    toggle(ui, (Rect){10, 130, 100, 24}, "Karras", &on, "Closer together");
}

static void test_button_by_mouse(void) {
    Screen *screen = screen_open(300, 200, 1, false, buttons_page);
    runs = 0;
    screen_press(screen, 50, 20, 1);
    EXPECT(runs == 0, "a press alone counted");
    EXPECT(ui_holds(&screen->ui, "Run"), "held is %s", screen->ui.held);
    screen_release(screen, 60, 30);
    EXPECT(runs == 1, "press and release inside: %d", runs);
    EXPECT(!screen->ui.held[0], "still held: %s", screen->ui.held);

    screen_press(screen, 50, 20, 1);
    screen_move(screen, 200, 20);
    screen_release(screen, 200, 20);
    EXPECT(runs == 1, "released outside: %d", runs);
    screen_press(screen, 200, 20, 1);
    screen_release(screen, 50, 20);
    EXPECT(runs == 1, "pressed outside: %d", runs);

    screen_click(screen, "Stop");
    EXPECT(!ui_focused(&screen->ui, "Stop"), "a disabled button took the keyboard");
    saves = 0;
    screen_click(screen, "Save left");
    EXPECT(saves == 1, "by its name: %d", saves);
    on = false;
    screen_click(screen, "Karras");
    EXPECT(on, "the toggle is still off");
    screen_close(screen);
}

static void test_button_by_key(void) {
    Screen *screen = screen_open(300, 200, 1, false, buttons_page);
    runs = 0, on = false;
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(runs == 0, "Enter without focus: %d", runs);
    screen_key(screen, SDLK_TAB, 0);
    EXPECT(ui_focused(&screen->ui, "Run") && screen->ui.focus_by_key, "focus is %s", screen->ui.focus);
    screen_key(screen, SDLK_RETURN, 0);
    screen_key(screen, SDLK_SPACE, 0);
    EXPECT(runs == 2, "Enter and Space: %d", runs);
    screen_key(screen, SDLK_RETURN, KMOD_LCTRL);
    EXPECT(runs == 2, "Ctrl+Enter is somebody else's: %d", runs);
    screen_key(screen, SDLK_RETURN, KMOD_NUM);
    EXPECT(runs == 3, "Num Lock is no modifier: %d", runs);
    screen_close(screen);
}

static void test_focus_walk(void) {
    Screen *screen = screen_open(300, 200, 1, false, buttons_page);
    const char *order[] = {"Run", "Save left", "Karras", "Run"};
    for (size_t i = 0; i < 4; i++) {
        screen_key(screen, SDLK_TAB, 0);
        EXPECT(ui_focused(&screen->ui, order[i]), "stop %zu is %s, not %s", i, screen->ui.focus, order[i]);
    }
    screen_key(screen, SDLK_TAB, KMOD_RSHIFT);
    EXPECT(ui_focused(&screen->ui, "Karras"), "back: %s", screen->ui.focus);
    screen_press(screen, 250, 180, 1);
    EXPECT(!screen->ui.focus[0], "a press beside everything leaves %s", screen->ui.focus);
    screen_release(screen, 250, 180);
    screen_key(screen, SDLK_TAB, KMOD_LSHIFT);
    EXPECT(ui_focused(&screen->ui, "Karras"), "Shift+Tab begins at the end: %s", screen->ui.focus);
    screen_click(screen, "Run");
    EXPECT(ui_focused(&screen->ui, "Run") && !screen->ui.focus_by_key, "by mouse there is no ring");
    screen_close(screen);
}

static size_t chosen_tab;

static void tabs_page(Ui *ui) {
    static const char *const NAMES[] = {"Text", "Image", "Inpaint"}, *const TIPS[] = {"", "", ""};
    tabs(ui, (Rect){0, 0, 300, 30}, NAMES, TIPS, 3, &chosen_tab);
}

static void test_tabs(void) {
    Screen *screen = screen_open(300, 200, 1, false, tabs_page);
    chosen_tab = 0;
    screen_frame(screen);
    screen_click(screen, "Inpaint");
    EXPECT(chosen_tab == 2, "%zu", chosen_tab);
    screen_key(screen, SDLK_RIGHT, 0);
    EXPECT(chosen_tab == 2, "beyond the last: %zu", chosen_tab);
    screen_key(screen, SDLK_LEFT, 0);
    EXPECT(chosen_tab == 1 && ui_focused(&screen->ui, "Image"), "%zu, %s", chosen_tab, screen->ui.focus);
    screen_close(screen);
}

// ---- sliders --------------------------------------------------------------------------------------------------------

static float guidance, width;

static void sliders_page(Ui *ui) {
    slider(ui, (Rect){10, 10, 212, 40}, "Guidance", &guidance, (SliderRange){0, 10, 0, "%.2f"}, "");
    slider(ui, (Rect){10, 60, 212, 40}, "Width", &width, (SliderRange){64, 512, 8, "%.0f"}, "");
}

// Opens the value for typing and types.
static void type_number(Screen *screen, const char *text) {
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(ui_typing(&screen->ui), "Enter doesn't open the value for typing");
    screen_type(screen, text);
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(!ui_typing(&screen->ui), "Enter doesn't close it");
}

static void test_slider_by_mouse(void) {
    Screen *screen = screen_open(300, 200, 1, false, sliders_page);
    guidance = 5, width = 128;
    screen_press(screen, 16, 42, 1);  // the knob is 12 wide, so its middle goes from 16 to 216
    EXPECT(guidance == 0, "%g", guidance);
    screen_move(screen, 116, 100);
    EXPECT(fabsf(guidance - 5) < 1e-5f, "half way, the mouse beside it: %g", guidance);
    screen_move(screen, 900, 42);
    EXPECT(guidance == 10, "beyond its end: %g", guidance);
    screen_release(screen, 900, 42);
    screen_move(screen, 16, 42);
    EXPECT(guidance == 10, "moved without being held: %g", guidance);
    screen->input.wheel = 1;
    screen_move(screen, 116, 42);
    EXPECT(guidance == 10, "the wheel changed it: %g", guidance);
    screen_press(screen, 116, 92, 1);
    screen_release(screen, 116, 92);
    EXPECT(width == 288, "by steps of 8: %g", width);
    screen_press(screen, 30, 15, 1);
    screen_move(screen, 200, 15);
    screen_release(screen, 200, 15);
    EXPECT(guidance == 10 && ui_focused(&screen->ui, "Guidance"), "on its name: %g", guidance);
    screen_close(screen);
}

static void test_slider_by_keys(void) {
    Screen *screen = screen_open(300, 200, 1, false, sliders_page);
    guidance = 5, width = 128;
    screen_key(screen, SDLK_TAB, 0);
    screen_key(screen, SDLK_RIGHT, 0);
    EXPECT(fabsf(guidance - 5.1f) < 1e-5f, "a hundredth of the range: %g", guidance);
    screen_key(screen, SDLK_TAB, 0);
    screen_key(screen, SDLK_RIGHT, 0);
    EXPECT(width == 136, "%g", width);
    screen_key(screen, SDLK_LEFT, KMOD_LSHIFT);
    EXPECT(width == 64, "ten steps down, clamped: %g", width);
    screen_key(screen, SDLK_END, 0);
    EXPECT(width == 512, "%g", width);
    screen_close(screen);
}

static void test_slider_by_typing(void) {
    Screen *screen = screen_open(300, 200, 1, false, sliders_page);
    guidance = 5, width = 128;
    screen_key(screen, SDLK_TAB, 0);
    type_number(screen, "7.25");
    EXPECT(guidance == 7.25f, "%g", guidance);
    type_number(screen, "99");
    EXPECT(guidance == 10, "clamped: %g", guidance);
    type_number(screen, "nan");
    EXPECT(guidance == 10, "not a number: %g", guidance);
    type_number(screen, "hippo");
    EXPECT(guidance == 10, "no number: %g", guidance);
    screen_key(screen, SDLK_RETURN, 0);
    screen_type(screen, "3");
    screen_key(screen, SDLK_ESCAPE, 0);
    EXPECT(guidance == 10 && !ui_typing(&screen->ui), "Escape: %g", guidance);

    screen_press(screen, 200, 65, 1);
    screen_release(screen, 200, 65);
    screen_press(screen, 200, 65, 2);
    screen_release(screen, 200, 65);
    EXPECT(ui_typing(&screen->ui), "a double click doesn't open the value");
    screen_type(screen, "101");  // all that stood there was selected
    screen_key(screen, SDLK_TAB, KMOD_LSHIFT);
    screen_frame(screen);
    EXPECT(width == 104, "typed, rounded to the step, taken when the keyboard leaves: %g", width);
    screen_close(screen);
}

// ---- text fields ----------------------------------------------------------------------------------------------------

static char prompt[64], small[6];
static FieldResult result;
static int shortcuts;

static void fields_page(Ui *ui) {
    FieldResult now = text_field(ui, (Rect){10, 10, 200, 30}, "Prompt", prompt, sizeof prompt, "What?", "");
    if (now != FIELD_SAME) result = now;
    text_field(ui, (Rect){10, 50, 200, 30}, "Small", small, sizeof small, "", "");
    if (!ui_typing(ui) && ui_key(ui, SDLK_r, KMOD_NONE)) shortcuts++;
}

static Screen *fields_screen(const char *text) {
    snprintf(prompt, sizeof prompt, "%s", text);
    small[0] = '\0';
    result = FIELD_SAME;
    Screen *screen = screen_open(300, 200, 1, false, fields_page);
    screen_key(screen, SDLK_TAB, 0);
    screen_frame(screen);
    screen_key(screen, SDLK_END, 0);
    return screen;
}

static void test_field_typing(void) {
    Screen *screen = fields_screen("");
    EXPECT(ui_typing(&screen->ui), "focus is %s", screen->ui.focus);
    screen_type(screen, "a ");
    screen_type(screen, "häßliche ");
    screen_type(screen, "漢");
    EXPECT(strcmp(prompt, "a häßliche 漢") == 0, "%s", prompt);
    EXPECT(result == FIELD_CHANGED, "%d", result);
    screen_key(screen, SDLK_BACKSPACE, 0);
    EXPECT(strcmp(prompt, "a häßliche ") == 0, "a character of three bytes: %s", prompt);
    for (int i = 0; i < 7; i++) screen_key(screen, SDLK_LEFT, 0);
    screen_key(screen, SDLK_DELETE, 0);
    EXPECT(strcmp(prompt, "a häliche ") == 0, "of two, before the cursor: %s", prompt);
    screen_key(screen, SDLK_HOME, 0);
    screen_type(screen, "e\u0301");
    screen_key(screen, SDLK_BACKSPACE, 0);
    EXPECT(strcmp(prompt, "ea häliche ") == 0, "an accent by itself: %s", prompt);
    screen_key(screen, SDLK_BACKSPACE, 0);
    screen_key(screen, SDLK_BACKSPACE, 0);
    EXPECT(strcmp(prompt, "a häliche ") == 0, "at the start: %s", prompt);
    screen_key(screen, SDLK_RETURN, 0);
    EXPECT(result == FIELD_ENTERED, "%d", result);
    screen_key(screen, SDLK_ESCAPE, 0);
    EXPECT(!ui_typing(&screen->ui) && !screen->ui.focus[0], "Escape leaves the keyboard at %s", screen->ui.focus);
    screen_close(screen);
}

static void test_field_is_bounded(void) {
    Screen *screen = fields_screen("");
    screen_key(screen, SDLK_TAB, 0);
    screen_type(screen, "1234");
    screen_type(screen, "漢");
    EXPECT(strcmp(small, "1234") == 0, "a character was cut: %s", small);
    screen_type(screen, "äö");
    EXPECT(strcmp(small, "1234") == 0, "%s", small);
    screen_type(screen, "567");
    EXPECT(strcmp(small, "12345") == 0, "%s", small);
    screen_close(screen);
}

static void test_field_words_and_selection(void) {
    Screen *screen = fields_screen("a pygmy hippo");
    screen_key(screen, SDLK_LEFT, KMOD_LCTRL);
    screen_type(screen, "blue ");
    EXPECT(strcmp(prompt, "a pygmy blue hippo") == 0, "Ctrl+Left: %s", prompt);
    screen_key(screen, SDLK_BACKSPACE, KMOD_LCTRL);
    EXPECT(strcmp(prompt, "a pygmy hippo") == 0, "Ctrl+Backspace: %s", prompt);
    screen_key(screen, SDLK_HOME, KMOD_LSHIFT);
    screen_type(screen, "my ");
    EXPECT(strcmp(prompt, "my hippo") == 0, "typed over a selection: %s", prompt);
    screen_key(screen, SDLK_RIGHT, KMOD_LSHIFT | KMOD_LCTRL);
    screen_key(screen, SDLK_x, KMOD_LCTRL);
    EXPECT(strcmp(prompt, "my ") == 0, "Ctrl+X: %s", prompt);
    screen_key(screen, SDLK_a, KMOD_LCTRL);
    screen_key(screen, SDLK_RIGHT, 0);
    screen_type(screen, "!");
    EXPECT(strcmp(prompt, "my !") == 0, "an arrow leaves the selection at its end: %s", prompt);
    screen_close(screen);
}

static void test_field_clipboard(void) {
    Screen *screen = fields_screen("red cat");
    screen_key(screen, SDLK_a, KMOD_LCTRL);
    screen_key(screen, SDLK_c, KMOD_RCTRL);
    screen_key(screen, SDLK_END, 0);
    screen_key(screen, SDLK_v, KMOD_LCTRL);
    EXPECT(strcmp(prompt, "red catred cat") == 0, "%s", prompt);
    SDL_SetClipboardText("two\nlines\t\xff\x01.");
    screen_key(screen, SDLK_a, KMOD_LCTRL);
    screen_key(screen, SDLK_v, KMOD_LCTRL);
    EXPECT(strcmp(prompt, "two lines  .") == 0, "lines become one, what isn't UTF-8 is left out: %s", prompt);
    screen_close(screen);
}

static void test_field_by_mouse(void) {
    Screen *screen = fields_screen("red cat with a crown");
    float start = 18, word = text_width(&screen->ui, FONT_NORMAL, "red ");
    screen_press(screen, start + word + 8, 25, 1);
    screen_release(screen, start + word + 8, 25);
    screen_press(screen, start + word + 8, 25, 2);
    screen_move(screen, start + word + 10, 25);
    screen_release(screen, start + word + 10, 25);
    screen_type(screen, "dog");
    EXPECT(strcmp(prompt, "red dog with a crown") == 0, "a double click on a word: %s", prompt);

    screen_press(screen, start + word, 25, 1);
    screen_move(screen, 5, 25);
    screen_release(screen, 5, 25);
    screen_type(screen, "a ");
    EXPECT(strcmp(prompt, "a dog with a crown") == 0, "dragged to the left: %s", prompt);
    screen_press(screen, 190, 25, 1);
    screen_release(screen, 190, 25);
    screen_type(screen, ".");
    EXPECT(strcmp(prompt, "a dog with a crown.") == 0, "behind the end: %s", prompt);
    screen_close(screen);
}

static void test_field_scrolls(void) {
    Screen *screen = fields_screen("a text that is much longer than its field, so that it has to");
    screen_press(screen, 205, 25, 1);  // the end is shown, so the end is pressed
    screen_release(screen, 205, 25);
    screen_type(screen, "...");
    EXPECT(strcmp(prompt + strlen(prompt) - 6, " to...") == 0, "%s", prompt);
    snprintf(prompt, sizeof prompt, "short");  // changed from outside, under the cursor
    screen_type(screen, "er");
    EXPECT(strcmp(prompt, "shorter") == 0, "%s", prompt);
    screen_close(screen);
}

static void test_letters_are_shortcuts_only_outside(void) {
    Screen *screen = fields_screen("");
    shortcuts = 0;
    screen_key(screen, SDLK_r, 0);
    EXPECT(shortcuts == 0, "a letter in a field was a shortcut");
    screen_key(screen, SDLK_ESCAPE, 0);
    screen_key(screen, SDLK_r, 0);
    EXPECT(shortcuts == 1, "%d", shortcuts);
    screen_close(screen);
}

int main(void) {
    TEST(test_button_by_mouse);
    TEST(test_button_by_key);
    TEST(test_focus_walk);
    TEST(test_tabs);
    TEST(test_slider_by_mouse);
    TEST(test_slider_by_keys);
    TEST(test_slider_by_typing);
    TEST(test_field_typing);
    TEST(test_field_is_bounded);
    TEST(test_field_words_and_selection);
    TEST(test_field_clipboard);
    TEST(test_field_by_mouse);
    TEST(test_field_scrolls);
    TEST(test_letters_are_shortcuts_only_outside);
    return test_summary();
}
