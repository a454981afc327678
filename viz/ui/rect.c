// rect.c - rectangles in points: ui.h's first functions

#include "ui/ui.h"

#include <math.h>

bool rect_has(Rect rect, float x, float y) {
    return x >= rect.x && x < rect.x + rect.w && y >= rect.y && y < rect.y + rect.h;
}

Rect rect_inset(Rect rect, float by) {
    return (Rect){rect.x + by, rect.y + by, fmaxf(rect.w - 2 * by, 0), fmaxf(rect.h - 2 * by, 0)};
}

// What is to be cut is never more than there is.
static float at_most(float length, float there) { return fmaxf(fminf(length, there), 0); }

Rect rect_cut_top(Rect *rest, float height) {
    height = at_most(height, rest->h);
    Rect piece = {rest->x, rest->y, rest->w, height};
    rest->y += height;
    rest->h -= height;
    return piece;
}

Rect rect_cut_bottom(Rect *rest, float height) {
    height = at_most(height, rest->h);
    rest->h -= height;
    return (Rect){rest->x, rest->y + rest->h, rest->w, height};
}

Rect rect_cut_left(Rect *rest, float width) {
    width = at_most(width, rest->w);
    Rect piece = {rest->x, rest->y, width, rest->h};
    rest->x += width;
    rest->w -= width;
    return piece;
}

Rect rect_cut_right(Rect *rest, float width) {
    width = at_most(width, rest->w);
    rest->w -= width;
    return (Rect){rest->x + rest->w, rest->y, width, rest->h};
}
