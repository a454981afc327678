// chart.h - a plot (core/io/plot.h) that a demo draws: where something fails, the program ends
//
// What is drawn on it, lines, bars and words, is drawn by plot_line, plot_bar and plot_words.

#pragma once

#include "io/plot.h"

// across and up say what is counted there.
Plot chart_new(size_t width, size_t height, double left, double right, double bottom, double top, const char *across,
               const char *up);
void chart_write(Plot *chart, const char *path);  // and gives its memory back
