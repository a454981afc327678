// chart.c - see chart.h

#include "demo/chart.h"

#include "demo/demo.h"

Plot chart_new(size_t width, size_t height, double left, double right, double bottom, double top, const char *across,
               const char *up) {
    Plot chart;
    demo_needs(plot_new(&chart, width, height, left, right, bottom, top), &(Error){0});
    plot_axes(&chart, across, up);
    return chart;
}

void chart_write(Plot *chart, const char *path) {
    Error error = {0};
    demo_needs(png_write(path, &chart->image, NULL, 0, &error), &error);
    image_free(&chart->image);
}
