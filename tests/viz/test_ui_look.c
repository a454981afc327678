// test_ui_look.c - frames as they look: the same bytes every time, readable in light and dark, fast enough
//
// The pages are written to build/tmp/ui/*.png, for eyes.

#include "test.h"
#include "viz/all_widgets.h"
#include "viz/screen.h"

#include "base/clock.h"
#include "io/png.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A frame of the page with every widget, after what `prepare` does.
static Image look(bool dark, float scale, void (*prepare)(Screen *screen)) {
    all_widgets_open(dark);
    Screen *screen = screen_open(960, 640, scale, dark, all_widgets);
    screen_frame(screen);
    if (prepare) prepare(screen);
    screen_frame(screen);
    Image image = screen_image(screen);
    screen_close(screen);
    all_widgets_close();
    return image;
}

static void open_list(Screen *screen) {
    screen_click(screen, "Scheduler");
    screen_key(screen, SDLK_DOWN, 0);
}

static void hover(Screen *screen) {
    screen_key(screen, SDLK_TAB, 0);
    screen_key(screen, SDLK_TAB, 0);
    screen_key(screen, SDLK_TAB, 0);
    screen_move(screen, 100, 190);
    screen->input.time += 1;
}

static void type(Screen *screen) {
    screen_click(screen, "Prompt");
    screen_key(screen, SDLK_LEFT, KMOD_LCTRL | KMOD_LSHIFT);
}

static void type_number(Screen *screen) {
    const UiThing *slider = ui_find(&screen->ui, "Steps");
    screen_press(screen, slider->rect.x + slider->rect.w - 4, slider->rect.y + 4, 2);
    screen_release(screen, 700, 600);
}

static void hold(Screen *screen) {
    for (int i = 0; i < 10; i++) screen_key(screen, SDLK_TAB, KMOD_LSHIFT);
    screen_press(screen, 220, 412, 1);
}

static void explain(Screen *screen) { screen->ui.explaining = true; }

static const struct {
    const char *name;
    void (*prepare)(Screen *screen);
} STATES[] = {{"plain", NULL},         {"list", open_list}, {"hover", hover},    {"typing", type},
              {"number", type_number}, {"hold", hold},      {"explain", explain}};

static void test_frames_are_the_same_bytes(void) {
    const char *folder = test_folder("ui");
    for (size_t state = 0; state < sizeof STATES / sizeof *STATES; state++) {
        for (int kind = 0; kind < (state == 0 ? 4 : 2); kind++) {
            bool dark = kind % 2;
            float scale = kind < 2 ? 1 : 2;
            Image first = look(dark, scale, STATES[state].prepare), second = look(dark, scale, STATES[state].prepare);
            EXPECT(memcmp(first.pixels, second.pixels, first.width * first.height * 3) == 0, "%s, dark %d, scale %g",
                   STATES[state].name, dark, scale);
            char path[600];
            snprintf(path, sizeof path, "%s/%s-%s-%g.png", folder, STATES[state].name, dark ? "dark" : "light", scale);
            Error error = {0};
            EXPECT(png_write(path, &first, NULL, 0, &error), "%s", error.message);
            image_free(&first);
            image_free(&second);
        }
    }
}

// ---- contrast -------------------------------------------------------------------------------------------------------

// WCAG 2.1: relative luminance, and the contrast of two colours.
static double luminance(Color c) {
    double parts[] = {c.r / 255.0, c.g / 255.0, c.b / 255.0};
    for (int i = 0; i < 3; i++)
        parts[i] = parts[i] <= 0.04045 ? parts[i] / 12.92 : pow((parts[i] + 0.055) / 1.055, 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}

static double contrast(Color a, Color b) {
    double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static void test_contrast(void) {
    for (int dark = 0; dark < 2; dark++) {
        Theme t = theme_make(dark);
        Color surfaces[] = {t.window, t.panel, t.raised, t.sunken}, words[] = {t.text, t.faint, t.accent, t.warning};
        for (int s = 0; s < 4; s++)
            for (int w = 0; w < 4; w++)
                EXPECT(contrast(surfaces[s], words[w]) >= 4.5, "dark %d, words %d on surface %d: %.2f", dark, w, s,
                       contrast(surfaces[s], words[w]));
        EXPECT(contrast(t.accent, t.on_accent) >= 4.5, "dark %d: %.2f", dark, contrast(t.accent, t.on_accent));
    }
}

static void test_palettes(void) {
    for (float v = 0; v < 1; v += 0.01f)
        EXPECT(luminance(map_color(v)) < luminance(map_color(v + 0.01f)) + 1e-9, "not brighter behind %g", v);
    Color low = map_color(-5), high = map_color(INFINITY), nothing = map_color(NAN);
    EXPECT(low.b == 0x4e && high.r == 0xfe && nothing.r == nothing.b, "%d %d %d", low.b, high.r, nothing.r);
    Theme theme = theme_make(false);
    Color minus = difference_color(&theme, -1), zero = difference_color(&theme, 0), plus = difference_color(&theme, 1);
    EXPECT(minus.b > minus.r && plus.r > plus.b && zero.r == 255 && zero.b == 255, "%d %d %d", minus.r, zero.r, plus.r);
    float flat[] = {1, 2, 3, 4};
    Picture map = map_picture(flat, 2, 2, 3, 3);
    EXPECT(map.image.pixels[0] == nothing.r, "a map without a range: %d", map.image.pixels[0]);
    picture_free(&map);
}

// ---- pictures -------------------------------------------------------------------------------------------------------

static Picture stripes;  // [1, 4]: black, white, black, white
static PixelLook stripes_look;
static Rect stripes_part, stripes_at;

static void stripes_page(Ui *ui) {
    if (stripes_part.w > 0)
        draw_picture_part(ui, stripes_at, &stripes, stripes_part, stripes_look);
    else
        draw_picture(ui, stripes_at, &stripes, stripes_look);
}

static uint8_t grey_at(Screen *screen, size_t x, size_t y) {
    Image image = screen_image(screen);
    uint8_t grey = image.pixels[3 * (y * image.width + x)];
    image_free(&image);
    return grey;
}

static void test_picture_looks(void) {
    Image image = image_new(4, 1);
    for (size_t i = 0; i < 12; i++) image.pixels[i] = i / 3 % 2 ? 255 : 0;
    stripes = picture_of(image);
    Screen *screen = screen_open(100, 60, 1, false, stripes_page);

    stripes_at = (Rect){10, 0, 80, 60}, stripes_look = PIXELS_SHARP, stripes_part = (Rect){0};
    screen_frame(screen);
    EXPECT(grey_at(screen, 29, 30) == 0 && grey_at(screen, 30, 30) == 255, "sharp: no edge at 30");
    EXPECT(grey_at(screen, 20, 19) == screen->ui.theme.window.r && grey_at(screen, 20, 20) == 0, "not in the middle");
    stripes_look = PIXELS_SMOOTH;
    screen_frame(screen);
    EXPECT(abs(grey_at(screen, 30, 30) - 128) < 8, "smooth: %d at the edge", grey_at(screen, 30, 30));
    stripes_look = PIXELS_SHARP, stripes_part = (Rect){1, 0, 1, 1};
    screen_frame(screen);
    EXPECT(grey_at(screen, 11, 30) == 255 && grey_at(screen, 89, 30) == 255, "a part: not the second stripe alone");
    stripes_at = (Rect){10, 0, 2, 1}, stripes_part = (Rect){0};
    screen_frame(screen);
    EXPECT(abs(grey_at(screen, 10, 0) - 128) < 40, "made small: %d, not what two pixels are together",
           grey_at(screen, 10, 0));

    Picture nothing = picture_of((Image){0});
    Rect at = picture_fit(&nothing, (Rect){0, 0, 10, 10});
    EXPECT(nothing.id == 0 && at.w == 0, "a picture of nothing is %g wide", at.w);
    picture_free(&stripes);
    stripes_at = (Rect){0, 0, 50, 50};
    screen_frame(screen);  // freed while it is drawn: nothing is shown
    EXPECT(grey_at(screen, 25, 25) == screen->ui.theme.window.r, "%d", grey_at(screen, 25, 25));
    screen_close(screen);
}

// ---- words ----------------------------------------------------------------------------------------------------------

static void nothing_page(Ui *ui) { (void)ui; }

static void test_text_sizes(void) {
    Screen *screen = screen_open(100, 100, 2, false, nothing_page);
    Ui *ui = &screen->ui;
    float line = line_height(ui, FONT_NORMAL), red = text_width(ui, FONT_NORMAL, "red");
    EXPECT(text_width(ui, FONT_NORMAL, "") == 0 && text_height(ui, FONT_NORMAL, 100, "") == 0, "nothing has a size");
    EXPECT(text_height(ui, FONT_NORMAL, 500, "red cat") == line, "%g", text_height(ui, FONT_NORMAL, 500, "red cat"));
    EXPECT(text_height(ui, FONT_NORMAL, red + 1, "red cat") == 2 * line, "broken at the space");
    EXPECT(text_height(ui, FONT_NORMAL, 500, "red\n\ncat") == 3 * line, "a line between");
    EXPECT(text_height(ui, FONT_NORMAL, 1, "äöü") == 3 * line, "no room: a character a line");
    EXPECT(text_width(ui, FONT_NORMAL, "\xff") == text_width(ui, FONT_NORMAL, "\\xff"), "what isn't UTF-8");

    char text[4001];
    memset(text, 'a', 4000);
    text[4000] = '\0';
    float all = text_width(ui, FONT_MONO, text), half = text_width(ui, FONT_MONO, text + 2000);
    EXPECT(fabsf(all - 2 * half) < 2, "4000 letters are %g wide, 2000 %g", all, half);
    screen_close(screen);
}

static void test_missing_fonts(void) {
    Screen *screen = screen_open(100, 100, 1, false, nothing_page);
    setenv("SCULPT_FONTS", "/nowhere", 1);
    Error error = {0};
    EXPECT(!ui_set_scale(&screen->ui, 2, &error), "no fonts, and no error");
    EXPECT(strstr(error.message, "fonts: DejaVuSans.ttf is not in /nowhere; install fonts-dejavu-core"), "%s",
           error.message);
    EXPECT(screen->ui.scale == 1 && text_width(&screen->ui, FONT_NORMAL, "still") > 0, "the old fonts are gone");
    unsetenv("SCULPT_FONTS");
    EXPECT(ui_set_scale(&screen->ui, 2, &error), "%s", error.message);
    screen_frame(screen);
    EXPECT(screen->ui.width == 50, "%g points of 100 pixels", screen->ui.width);
    screen_close(screen);
}

// ---- the clock ------------------------------------------------------------------------------------------------------

enum { BUSY_TEXTS = 300, BUSY_PICTURES = 60 };
static Picture busy_pictures[BUSY_PICTURES];

static void busy_page(Ui *ui) {
    for (int i = 0; i < BUSY_PICTURES; i++) {
        Rect cell = {4 + 104 * (float)(i % 12), 4 + 104 * (float)(i / 12), 100, 100};
        draw_picture(ui, cell, &busy_pictures[i], PIXELS_SMOOTH);
    }
    for (int i = 0; i < BUSY_TEXTS; i++) {
        char text[64];
        snprintf(text, sizeof text, "text number %d of these", i);
        draw_label(ui, (Rect){4 + 128 * (float)(i % 10), 530 + 9 * (float)(i / 10), 100, 16}, FONT_SMALL,
                   ui->theme.text, ALIGN_LEFT, text);
    }
}

// 1280 x 800 with 300 texts and 60 pictures. The bound is generous: other programs may have the processor.
static void test_a_busy_frame_is_fast(void) {
    for (int i = 0; i < BUSY_PICTURES; i++) {
        Image image = image_new(512, 512);
        for (size_t byte = 0; byte < 512 * 512 * 3; byte++) image.pixels[byte] = (uint8_t)(byte * (size_t)(i + 1));
        busy_pictures[i] = picture_of(image);
    }
    Screen *screen = screen_open(1280, 800, 1, true, busy_page);
    double start = seconds_now();
    screen_frame(screen);
    double first = seconds_now() - start, best = INFINITY;
    for (int i = 0; i < 20; i++) {
        start = seconds_now();
        screen_frame(screen);
        best = fmin(best, seconds_now() - start);
    }
    printf("     the first frame %.1f ms, then %.2f ms\n", 1e3 * first, 1e3 * best);
    EXPECT(best < 0.1, "%.1f ms", 1e3 * best);
    screen_close(screen);
    for (int i = 0; i < BUSY_PICTURES; i++) picture_free(&busy_pictures[i]);
}

int main(void) {
    TEST(test_frames_are_the_same_bytes);
    TEST(test_contrast);
    TEST(test_palettes);
    TEST(test_picture_looks);
    TEST(test_text_sizes);
    TEST(test_missing_fonts);
    TEST(test_a_busy_frame_is_fast);
    return test_summary();
}
