// chart.c - see chart.h

#include "demo/chart.h"

#include "demo/demo.h"

#include <math.h>
#include <string.h>

static void dot(Chart *chart, double column, double row, int radius, ChartColor color) {
    Image *image = &chart->image;
    for (int dy = -radius; dy <= radius; dy++) {
        for (int dx = -radius; dx <= radius; dx++) {
            long x = lround(column) + dx, y = lround(row) + dy;
            if (x < 0 || y < 0 || x >= (long)image->width || y >= (long)image->height) continue;
            uint8_t *pixel = image->pixels + 3 * ((size_t)y * image->width + (size_t)x);
            pixel[0] = color.red, pixel[1] = color.green, pixel[2] = color.blue;
        }
    }
}

static double column_of(const Chart *chart, double x) {
    return log(x / chart->left) / log(chart->right / chart->left) * (double)(chart->image.width - 1);
}

static double row_of(const Chart *chart, double y) {
    return log(chart->top / y) / log(chart->top / chart->bottom) * (double)(chart->image.height - 1);
}

Chart chart_new(size_t width, size_t height, double left, double right, double bottom, double top) {
    Chart chart = {image_new(width, height), left, right, bottom, top};
    demo_needs(chart.image.pixels, &(Error){0});
    memset(chart.image.pixels, 255, 3 * width * height);
    const ChartColor grey = {216, 216, 216};
    for (double x = pow(10, ceil(log10(left))); x <= right; x *= 10)
        for (size_t row = 0; row < height; row++) dot(&chart, column_of(&chart, x), (double)row, 0, grey);
    for (double y = pow(10, ceil(log10(bottom))); y <= top; y *= 10)
        for (size_t column = 0; column < width; column++) dot(&chart, (double)column, row_of(&chart, y), 0, grey);
    return chart;
}

void chart_line(Chart *chart, const double *x, const double *y, size_t count, ChartColor color) {
    enum { PIECES = 400 };
    for (size_t i = 0; i < count; i++) {
        double column = column_of(chart, x[i]), row = row_of(chart, y[i]);
        dot(chart, column, row, 2, color);
        if (i + 1 == count) break;
        double across = column_of(chart, x[i + 1]) - column, down = row_of(chart, y[i + 1]) - row;
        for (size_t p = 0; p < PIECES; p++) dot(chart, column + across * p / PIECES, row + down * p / PIECES, 0, color);
    }
}

void chart_bar(Chart *chart, size_t top, size_t height, double x, ChartColor color) {
    for (size_t row = top; row < top + height; row++)
        for (double column = 0; column <= column_of(chart, x); column++) dot(chart, column, (double)row, 0, color);
}

void chart_write(Chart *chart, const char *path) {
    Error error = {0};
    demo_needs(png_write(path, &chart->image, NULL, 0, &error), &error);
    image_free(&chart->image);
}
