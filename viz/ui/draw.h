// draw.h - what panels draw with: boxes, lines, words, pictures
//
// Where: over SDL's renderer, under widgets and panels. Text and pictures are kept as textures while they are in use, so
// that a frame in which nothing is new only copies.

#pragma once

#include "io/image.h"
#include "ui/ui.h"

#include <stdint.h>

// 11, 13, 13, 18 and 12 points
typedef enum { FONT_SMALL, FONT_NORMAL, FONT_BOLD, FONT_LARGE, FONT_MONO, FONT_COUNT } FontStyle;

void draw_fill(Ui *ui, Rect rect, Color color);
void draw_frame(Ui *ui, Rect rect, Color color, float thickness);  // inside the rectangle
void draw_round(Ui *ui, Rect rect, float radius, Color color);
void draw_line(Ui *ui, float x0, float y0, float x1, float y1, float thickness, Color color);
// Of straight pieces, with a gap where a point isn't finite.
void draw_curve(Ui *ui, const float *xs, const float *ys, size_t count, float thickness, Color color);
void draw_dot(Ui *ui, float x, float y, float radius, Color color);
void draw_clip(Ui *ui, Rect rect);  // until draw_unclip nothing is drawn outside; they may be nested
void draw_unclip(Ui *ui);

// Text stands on one line, its upper left corner at (x, y); what is not UTF-8 is shown as "\xff". Returns its width.
float draw_text(Ui *ui, float x, float y, FontStyle style, Color color, const char *text);
float draw_textf(Ui *ui, float x, float y, FontStyle style, Color color, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
typedef enum { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT } Align;
// In the middle of the rectangle's height; cut with "…" where it is too long.
void draw_label(Ui *ui, Rect rect, FontStyle style, Color color, Align align, const char *text);
// Broken into lines at spaces; returns the height. draw_text_height: the same without drawing.
float draw_paragraph(Ui *ui, Rect rect, FontStyle style, Color color, const char *text);
float text_height(Ui *ui, FontStyle style, float width, const char *text);
float text_width(Ui *ui, FontStyle style, const char *text);
float line_height(const Ui *ui, FontStyle style);

// A picture that can be drawn: an image and a number that no other picture has, by which its texture is found again.
typedef struct Picture {
    Image image;
    uint64_t id;  // 0: there is no picture
} Picture;

Picture picture_of(Image image);  // takes the image over
void picture_free(Picture *picture);

typedef enum { PIXELS_SHARP, PIXELS_SMOOTH } PixelLook;  // how it is enlarged: squares, or blended
// The largest rectangle of the picture's shape in the middle of `rect`, which is where draw_picture draws it.
Rect picture_fit(const Picture *picture, Rect rect);
Rect draw_picture(Ui *ui, Rect rect, const Picture *picture, PixelLook look);
// A part of the picture (in its pixels) over a rectangle: for zooming.
void draw_picture_part(Ui *ui, Rect rect, const Picture *picture, Rect part, PixelLook look);
// A map [height, width] as a picture: (value - low) / (high - low) in map_color's palette; with `opacity` over what is
// drawn already. NaN everywhere if high is not above low.
Picture map_picture(const float *map, size_t height, size_t width, float low, float high);
Picture difference_picture(const Theme *theme, const float *map, size_t height, size_t width, float range);
void draw_picture_faded(Ui *ui, Rect rect, const Picture *picture, PixelLook look, float opacity);
