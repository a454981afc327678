// chart.h - lines and bars on logarithmic axes, for what changes by factors (core/io/plot.h)
//
// Straight lines there are powers: something that is 4 times smaller for 2 times the steps falls with slope 2. There is a grey
// line at each power of ten, with its number; across and up say what is counted there.

#pragma once

#include "io/plot.h"

typedef Plot Chart;
typedef PlotColor ChartColor;

Chart chart_new(size_t width, size_t height, double left, double right, double bottom, double top, const char *across,
                const char *up);
// Through count points, with a dot at each; what is beyond the axes isn't drawn.
void chart_line(Chart *chart, const double *x, const double *y, size_t count, ChartColor color);
// Across, from the left edge to x, `height` pixels high; top is counted in pixels, too.
void chart_bar(Chart *chart, size_t top, size_t height, double x, ChartColor color);
// Words to the right of a point, or to its left where there is no room.
void chart_words(Chart *chart, double x, double y, const char *words, ChartColor color);
void chart_write(Chart *chart, const char *path);  // and gives its memory back
