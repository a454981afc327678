// all_widgets.c - see all_widgets.h

#include "viz/all_widgets.h"

#include "ui/draw.h"
#include "ui/widgets.h"

#include <math.h>
#include <stdio.h>

enum { MAP = 16, PHOTO = 96 };

static Picture photo, map, difference;
static size_t tab, scheduler;
static float guidance, steps, scroll;
static bool rescale, karras;
static char prompt[200], negative[64];

void all_widgets_open(bool dark) {
    tab = 0, scheduler = 1;
    guidance = 7.5f, steps = 20, scroll = 30;
    rescale = true, karras = false;
    snprintf(prompt, sizeof prompt, "a pygmy hippo wearing sunglasses on the beach");
    negative[0] = '\0';

    float values[MAP * MAP];
    for (int i = 0; i < MAP * MAP; i++) values[i] = hypotf((float)(i % MAP) - 5, (float)(i / MAP) - 9);
    map = map_picture(values, MAP, MAP, 0, 12);
    for (int i = 0; i < MAP * MAP; i++) values[i] = (float)(i % MAP - MAP / 2);
    Theme theme = theme_make(dark);
    difference = difference_picture(&theme, values, MAP, MAP, MAP / 2);
    Image image = image_new(PHOTO, PHOTO);
    for (size_t i = 0; i < PHOTO * PHOTO; i++) {
        size_t x = i % PHOTO, y = i / PHOTO;
        image.pixels[3 * i] = (uint8_t)(x * 2);
        image.pixels[3 * i + 1] = (uint8_t)(y * 2);
        image.pixels[3 * i + 2] = (x / 8 + y / 8) % 2 ? 200 : 60;
    }
    photo = picture_of(image);
}

void all_widgets_close(void) {
    picture_free(&photo);
    picture_free(&map);
    picture_free(&difference);
}

static Rect panel(Ui *ui, Rect rect, const char *name, const char *sentence, const char *lesson) {
    ui_panel(ui, name, rect, sentence, lesson);
    draw_round(ui, rect, 6, ui->theme.edge);
    draw_round(ui, rect_inset(rect, 1), 5, ui->theme.panel);
    Rect rest = rect_inset(rect, 12);
    draw_label(ui, rect_cut_top(&rest, 20), FONT_BOLD, ui->theme.text, ALIGN_LEFT, name);
    rect_cut_top(&rest, 8);
    return rest;
}

static Rect row(Rect *rest, float height) {
    Rect rect = rect_cut_top(rest, height);
    rect_cut_top(rest, 12);
    return rect;
}

static void settings(Ui *ui, Rect rest) {
    static const char *const TABS[] = {"Text", "Image", "Inpaint"};
    static const char *const TIPS[] = {"From words alone", "From another picture", "A part of a picture anew"};
    static const char *const SCHEDULERS[] = {"ddim", "euler", "ddpm", "euler_a", "heun", "lms", "pndm", "dpmpp_2m"};
    tabs(ui, row(&rest, 32), TABS, TIPS, 3, &tab);
    text_field(ui, row(&rest, 32), "Prompt", prompt, sizeof prompt, "What shall it be?", "What the picture shows");
    text_field(ui, row(&rest, 32), "Negative", negative, sizeof negative, "What it shall not show",
               "Steered away from");
    slider(ui, row(&rest, 40), "Guidance", &guidance, (SliderRange){1, 15, 0.5f, "%.1f"},
           "How much the prompt counts: the difference between with and without it is taken so many times");
    slider(ui, row(&rest, 40), "Steps", &steps, (SliderRange){1, 50, 1, "%.0f"}, "How often the U-Net is asked");
    choice(ui, row(&rest, 28), "Scheduler", SCHEDULERS, 8, &scheduler, "How a step is made of noise that was found");
    toggle(ui, row(&rest, 24), "Karras sigmas", &karras, "Closer together near the end");
    toggle(ui, row(&rest, 24), "Rescale", &rescale, "Guidance without glare");
    Rect line = row(&rest, 32), left = rect_cut_left(&line, line.w / 2 - 4);
    rect_cut_left(&line, 8);
    button_primary(ui, left, "Run", "Draw a picture with these settings (Ctrl+Enter)");
    button(ui, line, "Step", "One step, then wait");
    line = row(&rest, 32), left = rect_cut_left(&line, line.w / 2 - 4);
    rect_cut_left(&line, 8);
    button_disabled(ui, left, "Stop", "Nothing is running");
    button_labelled(ui, line, "Save the picture", "Save a picture with a name too long", "As a PNG");
}

static void words(Ui *ui, Rect rest) {
    const Theme *theme = &ui->theme;
    draw_text(ui, rest.x, rest.y, FONT_LARGE, theme->text, "Noise, then a hippo");
    draw_text(ui, rest.x, rest.y + 28, FONT_SMALL, theme->faint, "small and faint: step 12 of 20, 0.41 s");
    draw_text(ui, rest.x, rest.y + 46, FONT_MONO, theme->text, "sigma 14.6146  äöü \xff 漢");
    draw_text(ui, rest.x, rest.y + 64, FONT_NORMAL, theme->warning, "model: no unet/ in it; name a diffusers folder");
    Rect inside = scroll_begin(ui, (Rect){rest.x, rest.y + 88, rest.w, rest.h - 88}, "Story", 300, &scroll);
    draw_paragraph(
        ui, inside, FONT_NORMAL, theme->text,
        "Every block of stone has a statue inside it, and it is the task of the sculptor to discover it. A "
        "diffusion model starts from noise and takes away, step by step, what isn't the picture.\n\nThe second "
        "paragraph is here to be scrolled to. Words that are longer than a line are broken: "
        "pneumonoultramicroscopicsilicovolcanoconiosis_and_some_more_of_it.");
    button(ui, (Rect){inside.x, inside.y + 260, 120, 28}, "At the end", "Reached by scrolling");
    scroll_end(ui);
}

static void plot(Ui *ui, Rect rest) {
    enum { POINTS = 60 };
    draw_frame(ui, rest, ui->theme.edge, 1);
    draw_line(ui, rest.x, rest.y + rest.h / 2, rest.x + rest.w, rest.y + rest.h / 2, 1, ui->theme.edge);
    draw_clip(ui, rest);
    for (size_t series = 0; series < 8; series++) {
        float xs[POINTS], ys[POINTS];
        for (int i = 0; i < POINTS; i++) {
            xs[i] = rest.x + rest.w * (float)i / (POINTS - 1);
            ys[i] = rest.y + rest.h * (0.5f - 0.45f * sinf((float)i * 0.08f * (float)(series + 1)));
        }
        draw_curve(ui, xs, ys, POINTS, 1.5f, ui->theme.series[series]);
        draw_dot(ui, xs[20], ys[20], 4, ui->theme.series[series]);
    }
    draw_unclip(ui);
}

void all_widgets(Ui *ui) {
    Rect rest = rect_inset((Rect){0, 0, ui->width, ui->height}, 8);
    Rect left = rect_cut_left(&rest, 280);
    settings(ui, panel(ui, left, "Settings", "What the next picture is made with.", "lessons/05-schedulers"));
    rect_cut_left(&rest, 8);
    Rect upper = rect_cut_top(&rest, rest.h / 2 - 4);
    rect_cut_top(&rest, 8);
    Rect texts = rect_cut_left(&upper, upper.w / 2 - 4);
    rect_cut_left(&upper, 8);
    words(ui, panel(ui, texts, "Words", "Text in its sizes, and an area that scrolls.", NULL));
    plot(ui, panel(ui, upper, "Plot", "Eight curves in the colours of the series.", "lessons/04-noise"));

    Rect maps = panel(ui, rest, "Pictures", "A picture sharp, smooth and faded, and maps.", NULL);
    float side = (maps.w - 4 * 8) / 5;
    for (int i = 0; i < 5; i++) {
        Rect cell = rect_cut_left(&maps, side);
        rect_cut_left(&maps, 8);
        char name[16];
        snprintf(name, sizeof name, "Picture %d", i + 1);
        ui_thing(ui, name, cell, "A picture", false);
        const Picture *pictures[] = {&photo, &photo, &map, &map, &difference};
        draw_picture(ui, cell, pictures[i], i % 2 ? PIXELS_SMOOTH : PIXELS_SHARP);
        if (i == 1) draw_picture_faded(ui, cell, &map, PIXELS_SMOOTH, 0.5f);
    }
}
