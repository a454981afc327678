// theme.c - see theme.h
//
// Words on every surface they stand on have the contrast that WCAG 2.1 asks for (AA, 4.5 to 1); the tests count it.

#include "ui/theme.h"

#include <math.h>

#define HEX(rgb)                                                                                                       \
    { (rgb) >> 16 & 255, (rgb) >> 8 & 255, (rgb)&255, 255 }

static const Theme LIGHT = {
    .dark = false,
    .window = HEX(0xeceef1),
    .panel = HEX(0xffffff),
    .raised = HEX(0xe9ecf1),
    .sunken = HEX(0xf7f8fa),
    .edge = HEX(0xcdd2da),
    .text = HEX(0x1c2026),
    .faint = HEX(0x565e6b),
    .accent = HEX(0x1a5fc4),
    .on_accent = HEX(0xffffff),
    .warning = HEX(0xb3261e),
    .series = {HEX(0x0072b2), HEX(0xd55e00), HEX(0x009e73), HEX(0xcc79a7), HEX(0xe69f00), HEX(0x56b4e9), HEX(0x000000),
               HEX(0xf0e442)},
};

static const Theme DARK = {
    .dark = true,
    .window = HEX(0x14161a),
    .panel = HEX(0x1d2026),
    .raised = HEX(0x2c313a),
    .sunken = HEX(0x15171c),
    .edge = HEX(0x3c434f),
    .text = HEX(0xe7eaef),
    .faint = HEX(0xa0a8b5),
    .accent = HEX(0x7db2ff),
    .on_accent = HEX(0x0b1a33),
    .warning = HEX(0xff8f85),
    // black becomes white, and is last but one in both: it is the least alike to the others
    .series = {HEX(0x56b4e9), HEX(0xd55e00), HEX(0x009e73), HEX(0xcc79a7), HEX(0xe69f00), HEX(0x0072b2), HEX(0xffffff),
               HEX(0xf0e442)},
};

Theme theme_make(bool dark) { return dark ? DARK : LIGHT; }

Color color_fade(Color color, float opacity) {
    color.a = (Uint8)((float)color.a * fminf(fmaxf(opacity, 0), 1) + 0.5f);
    return color;
}

static Uint8 mix(Uint8 a, Uint8 b, float t) { return (Uint8)((float)a + ((float)b - (float)a) * t + 0.5f); }

Color color_mix(Color a, Color b, float t) {
    t = fminf(fmaxf(t, 0), 1);
    return (Color){mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t), mix(a.a, b.a, t)};
}

// ---- maps -----------------------------------------------------------------------------------------------------------

static const Color NOT_A_NUMBER = HEX(0x808080);

// Every sixteenth colour of cividis; between two of them a straight line.
static const Color CIVIDIS[] = {
    HEX(0x00224e), HEX(0x002e6a), HEX(0x1a386f), HEX(0x32436d), HEX(0x434e6c), HEX(0x535a6d),
    HEX(0x61656f), HEX(0x6f7073), HEX(0x7d7c78), HEX(0x8b8778), HEX(0x9a9376), HEX(0xaaa073),
    HEX(0xbbad6d), HEX(0xccba64), HEX(0xddc858), HEX(0xefd748), HEX(0xfee838),
};

Color map_color(float value) {
    if (isnan(value)) return NOT_A_NUMBER;
    enum { LAST = sizeof CIVIDIS / sizeof *CIVIDIS - 1 };
    float at = fminf(fmaxf(value, 0), 1) * LAST;
    int below = at < LAST ? (int)at : LAST - 1;
    return color_mix(CIVIDIS[below], CIVIDIS[below + 1], at - (float)below);
}

Color difference_color(const Theme *theme, float value) {
    static const Color BLUE = HEX(0x0072b2), ORANGE = HEX(0xe69f00), WHITE = HEX(0xffffff), BLACK = HEX(0x000000);
    if (isnan(value)) return NOT_A_NUMBER;
    return color_mix(theme->dark ? BLACK : WHITE, value < 0 ? BLUE : ORANGE, fabsf(value));
}
