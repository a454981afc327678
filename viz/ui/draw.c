// draw.c - boxes, round corners, lines
//
// SDL's software renderer fills rectangles and copies textures fast, and has no smooth edges. So smooth edges are made
// here: round corners from a disc that is kept as a texture, slanted lines from a column (or row) of pixels at a time,
// whose ends are as opaque as the line covers them.
//
// Read next: text.c, picture.c.

#include "ui/inside.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- points and pixels ----------------------------------------------------------------------------------------------

// Bounded, so that sums of them stay an int: a plot's point may lie anywhere.
int to_pixels(const Ui *ui, float points) {
    float pixels = points * ui->scale;
    return isfinite(pixels) ? (int)floorf(fminf(fmaxf(pixels, -1e6f), 1e6f) + 0.5f) : 0;
}

SDL_Rect rect_pixels(const Ui *ui, Rect rect) {
    int x = to_pixels(ui, rect.x), y = to_pixels(ui, rect.y);
    return (SDL_Rect){x, y, to_pixels(ui, rect.x + rect.w) - x, to_pixels(ui, rect.y + rect.h) - y};
}

static SDL_Rect clip_now(const Ui *ui) {
    if (ui->clip_count) return ui->clips[ui->clip_count - 1];
    return (SDL_Rect){0, 0, to_pixels(ui, ui->width), to_pixels(ui, ui->height)};
}

bool draw_reaches(const Ui *ui, SDL_Rect pixels) {
    SDL_Rect clip = clip_now(ui);
    return SDL_HasIntersection(&pixels, &clip);
}

// ---- boxes ----------------------------------------------------------------------------------------------------------

static void set_color(Ui *ui, Color color) {
    SDL_SetRenderDrawBlendMode(ui->renderer, color.a == 255 ? SDL_BLENDMODE_NONE : SDL_BLENDMODE_BLEND);
    SDL_SetRenderDrawColor(ui->renderer, color.r, color.g, color.b, color.a);
}

static void fill_pixels(Ui *ui, int x, int y, int w, int h) {
    if (w > 0 && h > 0) SDL_RenderFillRect(ui->renderer, &(SDL_Rect){x, y, w, h});
}

void draw_fill(Ui *ui, Rect rect, Color color) {
    SDL_Rect at = rect_pixels(ui, rect);
    set_color(ui, color);
    fill_pixels(ui, at.x, at.y, at.w, at.h);
}

// At least a pixel, so that thin lines don't vanish.
static int thick_pixels(const Ui *ui, float thickness) {
    int pixels = to_pixels(ui, thickness);
    return pixels < 1 ? 1 : pixels;
}

void draw_frame(Ui *ui, Rect rect, Color color, float thickness) {
    SDL_Rect at = rect_pixels(ui, rect);
    int t = thick_pixels(ui, thickness);
    set_color(ui, color);
    if (at.w <= 2 * t || at.h <= 2 * t) {
        fill_pixels(ui, at.x, at.y, at.w, at.h);
        return;
    }
    fill_pixels(ui, at.x, at.y, at.w, t);
    fill_pixels(ui, at.x, at.y + at.h - t, at.w, t);
    fill_pixels(ui, at.x, at.y + t, t, at.h - 2 * t);
    fill_pixels(ui, at.x + at.w - t, at.y + t, t, at.h - 2 * t);
}

// ---- round ones -----------------------------------------------------------------------------------------------------

// A disc of this many pixels across. A pixel at its edge is as opaque as the edge's distance from its middle says.
static SDL_Texture *disc(Ui *ui, int across, Color color) {
    struct {
        char kind[8];
        int across;
        Color color;
    } key = {"disc", across, color};
    const CachedTexture *known = texture_cache_find(ui->textures, &key, sizeof key);
    if (known) return known->texture;

    size_t n = (size_t)across;
    Uint32 *pixels = malloc(n * n * sizeof *pixels);
    SDL_Texture *texture =
        SDL_CreateTexture(ui->renderer, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_STATIC, across, across);
    if (!pixels || !texture) {
        free(pixels);
        if (texture) SDL_DestroyTexture(texture);
        return NULL;
    }
    float radius = (float)across / 2;
    for (size_t y = 0; y < n; y++) {
        for (size_t x = 0; x < n; x++) {
            float distance = hypotf((float)x + 0.5f - radius, (float)y + 0.5f - radius);
            Color c = color_fade(color, radius - distance + 0.5f);
            pixels[y * n + x] = (Uint32)c.a << 24 | (Uint32)c.r << 16 | (Uint32)c.g << 8 | c.b;
        }
    }
    SDL_UpdateTexture(texture, NULL, pixels, across * (int)sizeof *pixels);
    SDL_SetTextureBlendMode(texture, SDL_BLENDMODE_BLEND);
    free(pixels);
    known = texture_cache_add(ui->textures, &key, sizeof key, (CachedTexture){texture, across, across});
    return known ? known->texture : NULL;
}

enum { DISC_LARGEST = 1024 };  // pixels across

void draw_round(Ui *ui, Rect rect, float radius, Color color) {
    SDL_Rect at = rect_pixels(ui, rect);
    if (at.w <= 0 || at.h <= 0 || !draw_reaches(ui, at)) return;
    int shorter = at.w < at.h ? at.w : at.h;
    int r = to_pixels(ui, radius);
    if (2 * r > shorter) r = shorter / 2;
    if (2 * r > DISC_LARGEST) r = DISC_LARGEST / 2;
    SDL_Texture *corners = r > 0 ? disc(ui, 2 * r, color) : NULL;
    if (!corners) r = 0;

    set_color(ui, color);
    fill_pixels(ui, at.x + r, at.y, at.w - 2 * r, at.h);
    fill_pixels(ui, at.x, at.y + r, r, at.h - 2 * r);
    fill_pixels(ui, at.x + at.w - r, at.y + r, r, at.h - 2 * r);
    for (int right = 0; corners && right < 2; right++) {
        for (int low = 0; low < 2; low++) {
            SDL_Rect from = {right * r, low * r, r, r};
            SDL_Rect to = {right ? at.x + at.w - r : at.x, low ? at.y + at.h - r : at.y, r, r};
            SDL_RenderCopy(ui->renderer, corners, &from, &to);
        }
    }
}

void draw_dot(Ui *ui, float x, float y, float radius, Color color) {
    if (!isfinite(x) || !isfinite(y)) return;
    int across = thick_pixels(ui, 2 * radius);
    if (across > DISC_LARGEST) across = DISC_LARGEST;
    float half = (float)across / 2 / ui->scale;
    SDL_Rect at = {to_pixels(ui, x - half), to_pixels(ui, y - half), across, across};
    if (!draw_reaches(ui, at)) return;
    SDL_Texture *texture = disc(ui, across, color);
    if (texture) SDL_RenderCopy(ui->renderer, texture, NULL, &at);
}

// ---- lines ----------------------------------------------------------------------------------------------------------

// The pixels between two heights of a column (of a row, if the line is steep): those at the ends in part.
static void column(Ui *ui, bool steep, int along, float from, float to, Color color) {
    int first = (int)floorf(from), last = (int)ceilf(to) - 1;
    for (int at = first, length; at <= last; at += length) {
        bool whole = at >= from && at + 1 <= to;
        length = whole ? (int)floorf(to) - at : 1;
        float covered = whole ? 1 : fminf(to, (float)at + 1) - fmaxf(from, (float)at);
        set_color(ui, color_fade(color, covered));
        if (steep)
            fill_pixels(ui, at, along, length, 1);
        else
            fill_pixels(ui, along, at, 1, length);
    }
}

// In pixels. The line ends where its last column's middle would be behind (x1, y1), so that pieces of a curve meet
// without a pixel twice or none.
static void slanted_line(Ui *ui, float x0, float y0, float x1, float y1, float thickness, Color color) {
    bool steep = fabsf(y1 - y0) > fabsf(x1 - x0);
    float a0 = steep ? y0 : x0, a1 = steep ? y1 : x1;  // along the longer way
    float b0 = steep ? x0 : y0, b1 = steep ? x1 : y1;  // across
    if (a0 == a1) return;
    float slope = (b1 - b0) / (a1 - a0), half = thickness / 2 * sqrtf(1 + slope * slope);

    SDL_Rect clip = clip_now(ui);
    float low = (float)(steep ? clip.y : clip.x), high = low + (float)(steep ? clip.h : clip.w);
    int first = (int)floorf(fmaxf(fminf(a0, a1), low) + 0.5f), last = (int)floorf(fminf(fmaxf(a0, a1), high) + 0.5f);
    float side_low = (float)(steep ? clip.x : clip.y), side_high = side_low + (float)(steep ? clip.w : clip.h);
    for (int along = first; along < last; along++) {
        float middle = b0 + ((float)along + 0.5f - a0) * slope;
        float from = fmaxf(middle - half, side_low), to = fminf(middle + half, side_high);
        if (from < to) column(ui, steep, along, from, to, color);
    }
}

void draw_line(Ui *ui, float x0, float y0, float x1, float y1, float thickness, Color color) {
    if (!isfinite(x0 + y0 + x1 + y1)) return;
    int t = thick_pixels(ui, thickness);
    float half = (float)t / 2 / ui->scale;
    set_color(ui, color);
    if (y0 == y1) {
        int left = to_pixels(ui, fminf(x0, x1));
        fill_pixels(ui, left, to_pixels(ui, y0 - half), to_pixels(ui, fmaxf(x0, x1)) - left, t);
    } else if (x0 == x1) {
        int top = to_pixels(ui, fminf(y0, y1));
        fill_pixels(ui, to_pixels(ui, x0 - half), top, t, to_pixels(ui, fmaxf(y0, y1)) - top);
    } else {
        float s = ui->scale;
        slanted_line(ui, x0 * s, y0 * s, x1 * s, y1 * s, fmaxf(thickness * s, 1), color);
    }
}

void draw_curve(Ui *ui, const float *xs, const float *ys, size_t count, float thickness, Color color) {
    float s = ui->scale;
    for (size_t i = 1; i < count; i++) {
        if (!isfinite(xs[i - 1] + ys[i - 1] + xs[i] + ys[i])) continue;  // a gap
        slanted_line(ui, xs[i - 1] * s, ys[i - 1] * s, xs[i] * s, ys[i] * s, fmaxf(thickness * s, 1), color);
    }
}

// ---- clips ----------------------------------------------------------------------------------------------------------

void draw_clip(Ui *ui, Rect rect) {
    CHECK(ui->clip_count < UI_CLIPS_MAX, "%zu clips in one another", ui->clip_count);
    SDL_Rect outer = clip_now(ui), inner = rect_pixels(ui, rect);
    if (!SDL_IntersectRect(&inner, &outer, &inner)) inner = (SDL_Rect){outer.x, outer.y, 0, 0};
    ui->clips[ui->clip_count++] = inner;
    SDL_RenderSetClipRect(ui->renderer, &inner);
}

void draw_unclip(Ui *ui) {
    CHECK(ui->clip_count > 0, "no clip to end");
    ui->clip_count--;
    SDL_RenderSetClipRect(ui->renderer, ui->clip_count ? &ui->clips[ui->clip_count - 1] : NULL);
}
