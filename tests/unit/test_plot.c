// test_plot.c - lines and words on logarithmic axes; and what differs between two pictures

#include "test.h"

#include "io/plot.h"

#include <string.h>

static const PlotColor RED = {220, 40, 40};

static bool is_red(const Image *image, size_t x, size_t y) {
    return memcmp(image->pixels + 3 * (y * image->width + x), &RED, 3) == 0;
}

// From (1, 1) to (100, 100): the diagonal of the lower left quarter of axes from 1 to 10,000
static void test_lines(void) {
    Plot plot;
    EXPECT(plot_new(&plot, 101, 101, 1, 1e4, 1, 1e4), "no memory");
    plot_line(&plot, (double[]){1, 100, 1e6}, (double[]){1, 100, 1e6}, 2, false, RED);
    EXPECT(is_red(&plot.image, 0, 100) && is_red(&plot.image, 25, 75), "the line isn't where 10, 10 is");
    EXPECT(!is_red(&plot.image, 75, 25), "it goes on");
    plot_line(&plot, (double[]){1e9}, (double[]){1e-9}, 1, true, RED);  // beyond the axes: not drawn, no harm
    image_free(&plot.image);
}

static void test_words(void) {
    Image image = image_new(20, 8);
    image_words(&image, 0, 0, "I\xc3\xa9l", RED);  // what isn't ASCII is left out
    for (size_t y = 0; y < 7; y++) EXPECT(is_red(&image, 2, y), "the stem of I is broken at %zu", y);
    EXPECT(is_red(&image, 1, 0) && !is_red(&image, 1, 3) && is_red(&image, 3, 6), "I has no serifs");
    EXPECT(!is_red(&image, 8, 3), "something stands for a letter that isn't known");
    image_words(&image, -3, -3, "#", RED);
    image_words(&image, 18, 5, "#", RED);
    image_free(&image);
}

static void test_difference(void) {
    Image a = image_new(2, 1), b = image_new(2, 1);
    memcpy(a.pixels, (uint8_t[]){10, 20, 30, 200, 0, 255}, 6);
    memcpy(b.pixels, (uint8_t[]){10, 25, 20, 0, 200, 255}, 6);
    Image difference = image_difference(&a, &b, 4);
    EXPECT(memcmp(difference.pixels, (uint8_t[]){128, 108, 168, 255, 0, 128}, 6) == 0, "%d %d %d", difference.pixels[0],
           difference.pixels[1], difference.pixels[2]);
    image_free(&a), image_free(&b), image_free(&difference);
}

int main(void) {
    TEST(test_lines);
    TEST(test_words);
    TEST(test_difference);
    return test_summary();
}
