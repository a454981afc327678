// theme.h - colours, light and dark, and the palette of maps
//
// Where: every panel draws with these names and no others.

#pragma once

#include <SDL2/SDL_pixels.h>
#include <stdbool.h>
#include <stddef.h>

typedef SDL_Color Color;

typedef struct Theme {
    bool dark;
    Color window, panel, raised, sunken;   // surfaces: behind all, of a panel, of a button, of a text field
    Color edge;                            // lines between them
    Color text, faint, accent, on_accent;  // words; less important ones; what is chosen or to be pressed; words on that
    Color warning;                         // what went wrong
    Color series[8];  // of plots and branches: Okabe & Ito 2008, told apart by colour-blind eyes too
} Theme;

Theme theme_make(bool dark);
Color color_fade(Color color, float opacity);  // 0..1
Color color_mix(Color a, Color b, float t);

// Maps of how much there is somewhere: 0..1 -> cividis (Nunez, Anderton & Renslow 2018), dark blue to yellow, which looks
// alike to eyes that see red and green and to those that don't. NaN is grey.
Color map_color(float value);
// Differences around 0: -1..1 -> blue, white (or black on dark), orange
Color difference_color(const Theme *theme, float value);
