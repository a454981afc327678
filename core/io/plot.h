// plot.h - dots, lines and words on logarithmic axes, for what changes by factors
//
// Straight lines there are powers: something that is 4 times smaller for 2 times the steps falls with slope 2. There is a
// grey line at each power of ten, with its number.
// Where: the lab's roofline, charts of lessons (lessons/demo/chart.h).

#pragma once

#include "io/image.h"

#include <stdbool.h>

typedef struct Plot {
    Image image;
    double left, right, bottom, top;  // the axes' ends, greater than 0
} Plot;

typedef struct PlotColor {
    uint8_t red, green, blue;
} PlotColor;

// False without memory. image_free gives it back.
bool plot_new(Plot *plot, size_t width, size_t height, double left, double right, double bottom, double top);

// What the axes are: across in the lower right corner, up in the upper left one.
void plot_axes(Plot *plot, const char *across, const char *up);

// Through count points, with a dot at each if dots; what is beyond the axes isn't drawn.
void plot_line(Plot *plot, const double *x, const double *y, size_t count, bool dots, PlotColor color);

// Across, from the left edge to x, `height` pixels high; top is counted in pixels, too.
void plot_bar(Plot *plot, size_t top, size_t height, double x, PlotColor color);

// Words of 6 x 8 pixels a letter beside a point, a few pixels to the right; to the left if `before`, or where they wouldn't
// fit.
void plot_words(Plot *plot, double x, double y, const char *words, bool before, PlotColor color);

// The same on any picture, the upper left corner at (left, top); ASCII.
enum { LETTER_WIDTH = 6, LETTER_HEIGHT = 8 };
void image_words(Image *image, long left, long top, const char *words, PlotColor color);
