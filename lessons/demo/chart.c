// chart.c - see chart.h

#include "demo/chart.h"

#include "demo/demo.h"

Chart chart_new(size_t width, size_t height, double left, double right, double bottom, double top, const char *across,
                const char *up) {
    Chart chart;
    demo_needs(plot_new(&chart, width, height, left, right, bottom, top), &(Error){0});
    plot_axes(&chart, across, up);
    return chart;
}

void chart_line(Chart *chart, const double *x, const double *y, size_t count, ChartColor color) {
    plot_line(chart, x, y, count, true, color);
}

void chart_bar(Chart *chart, size_t top, size_t height, double x, ChartColor color) {
    plot_bar(chart, top, height, x, color);
}

void chart_words(Chart *chart, double x, double y, const char *words, ChartColor color) {
    plot_words(chart, x, y, words, false, color);
}

void chart_write(Chart *chart, const char *path) {
    Error error = {0};
    demo_needs(png_write(path, &chart->image, NULL, 0, &error), &error);
    image_free(&chart->image);
}
