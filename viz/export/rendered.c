// rendered.c - see rendered.h

#include "export/rendered.h"

#include <stdlib.h>

bool rendered_picture(SDL_Renderer *renderer, Image *image, Error *error) {
    int width, height;
    SDL_GetRendererOutputSize(renderer, &width, &height);
    *image = image_new((size_t)width, (size_t)height);
    if (!image->pixels) {
        return error_set(error, "the picture: no memory for %d x %d pixels; close other programs", width, height);
    }
    if (SDL_RenderReadPixels(renderer, NULL, SDL_PIXELFORMAT_RGB24, image->pixels, width * 3) == 0) return true;
    image_free(image);
    return error_set(error, "the picture: can't be read back: %s; try sculpt-view --headless", SDL_GetError());
}

bool offscreen_open(Offscreen *screen, size_t width, size_t height, float scale, Error *error) {
    *screen =
        (Offscreen){.surface = SDL_CreateRGBSurfaceWithFormat(0, (int)width, (int)height, 32, SDL_PIXELFORMAT_ARGB8888),
                    .ui = calloc(1, sizeof *screen->ui)};
    if (screen->surface) screen->renderer = SDL_CreateSoftwareRenderer(screen->surface);
    bool ok = screen->renderer && screen->ui;
    if (!ok) error_set(error, "the picture: no memory for %zu x %zu pixels; close other programs", width, height);
    if (ok && ui_open(screen->ui, screen->renderer, scale, false, error)) return true;
    free(screen->ui);
    screen->ui = NULL;
    offscreen_close(screen);
    return false;
}

void offscreen_close(Offscreen *screen) {
    if (screen->ui) ui_close(screen->ui);
    free(screen->ui);
    if (screen->renderer) SDL_DestroyRenderer(screen->renderer);
    SDL_FreeSurface(screen->surface);
    *screen = (Offscreen){0};
}
