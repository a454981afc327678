// rendered.h - what SDL has drawn, as a picture; and a Ui that draws into memory

#pragma once

#include "io/image.h"
#include "ui/ui.h"

// All of the renderer's pixels, before they are presented. Errors: no memory; a renderer that doesn't give them back.
bool rendered_picture(SDL_Renderer *renderer, Image *image, Error *error);

typedef struct Offscreen {
    SDL_Surface *surface;
    SDL_Renderer *renderer;
    Ui *ui;
} Offscreen;

// width, height: pixels. No screen and no SDL_Init is needed.
bool offscreen_open(Offscreen *screen, size_t width, size_t height, float scale, Error *error);
void offscreen_close(Offscreen *screen);
