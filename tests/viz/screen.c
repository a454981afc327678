// screen.c - see screen.h

#include "viz/screen.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Screen *screen_open(float width, float height, float scale, bool dark, void (*page)(Ui *ui)) {
    SDL_setenv("SDL_VIDEODRIVER", "dummy", 1);
    CHECK(SDL_Init(SDL_INIT_VIDEO) == 0, "SDL doesn't start: %s", SDL_GetError());
    Screen *screen = calloc(1, sizeof *screen);
    CHECK(screen, "out of memory");
    int w = (int)(width * scale), h = (int)(height * scale);
    screen->surface = SDL_CreateRGBSurfaceWithFormat(0, w, h, 32, SDL_PIXELFORMAT_ARGB8888);
    CHECK(screen->surface, "no surface: %s", SDL_GetError());
    screen->renderer = SDL_CreateSoftwareRenderer(screen->surface);
    CHECK(screen->renderer, "no renderer: %s", SDL_GetError());
    Error error = {0};
    CHECK(ui_open(&screen->ui, screen->renderer, scale, dark, &error), "%s", error.message);
    screen->page = page;
    screen_move(screen, -100, -100);
    return screen;
}

void screen_close(Screen *screen) {
    ui_close(&screen->ui);
    SDL_DestroyRenderer(screen->renderer);
    SDL_FreeSurface(screen->surface);
    SDL_Quit();
    free(screen);
}

// Focus, tooltips and scripts go by names.
static void check_names(const Ui *ui) {
    for (size_t i = 0; i < ui->thing_count; i++)
        CHECK(ui_find(ui, ui->things[i].name) == &ui->things[i], "two things are called %s", ui->things[i].name);
}

void screen_frame(Screen *screen) {
    UiInput *input = &screen->input;
    ui_begin(&screen->ui, *input);
    screen->page(&screen->ui);
    ui_end(&screen->ui);
    check_names(&screen->ui);
    SDL_RenderPresent(screen->renderer);
    *input = (UiInput){.mouse_x = input->mouse_x, .mouse_y = input->mouse_y, .down = input->down};
    input->time = screen->ui.input.time + 1.0 / 60;
}

Image screen_image(const Screen *screen) {
    Image image = image_new((size_t)screen->surface->w, (size_t)screen->surface->h);
    CHECK(image.pixels, "out of memory");
    for (size_t y = 0; y < image.height; y++) {
        const char *bytes = (const char *)screen->surface->pixels + y * (size_t)screen->surface->pitch;
        for (size_t x = 0; x < image.width; x++) {
            Uint32 pixel;
            memcpy(&pixel, bytes + 4 * x, sizeof pixel);
            uint8_t *rgb = image.pixels + 3 * (y * image.width + x);
            rgb[0] = pixel >> 16 & 255, rgb[1] = pixel >> 8 & 255, rgb[2] = pixel & 255;
        }
    }
    return image;
}

void screen_move(Screen *screen, float x, float y) {
    screen->input.mouse_x = x;
    screen->input.mouse_y = y;
    screen_frame(screen);
}

void screen_press(Screen *screen, float x, float y, int clicks) {
    screen->input.pressed = screen->input.down = true;
    screen->input.clicks = clicks;
    screen_move(screen, x, y);
}

void screen_release(Screen *screen, float x, float y) {
    screen->input.released = true;
    screen->input.down = false;
    screen_move(screen, x, y);
}

void screen_click(Screen *screen, const char *name) {
    const UiThing *thing = ui_find(&screen->ui, name);
    CHECK(thing, "nothing on the screen is called %s", name);
    float x = thing->seen.x + thing->seen.w / 2, y = thing->seen.y + thing->seen.h / 2;
    screen_press(screen, x, y, 1);
    screen_release(screen, x, y);
}

void screen_key(Screen *screen, SDL_Keycode key, int modifiers) {
    screen->input.key = key;
    screen->input.modifiers = (SDL_Keymod)modifiers;
    screen_frame(screen);
}

void screen_type(Screen *screen, const char *text) {
    snprintf(screen->input.text, sizeof screen->input.text, "%s", text);
    screen_frame(screen);
}
