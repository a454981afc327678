// fingers.c - see fingers.h

#include "demo/fingers.h"

#include <math.h>
#include <stdbool.h>

static const double MIDDLE_X = 64, MIDDLE_Y = 74;               // of the palm, more or less
static const double INNERMOST = 44, OUTERMOST = 54, APART = 1;  // circles, in pixels
static const double DEGREES = 3.14159265358979 / 180;
enum { STEPS = 400, NARROWEST = 4, MOST = STEPS / NARROWEST };  // what takes fewer steps is no finger, and no gap

// All paper is pale; outlines and what they enclose aren't.
static bool is_paper(const uint8_t pixel[3]) { return pixel[0] > 190 && pixel[1] > 190 && pixel[2] > 190; }

// From below left over the top to below right; the wrist is left out.
static bool paper_at(const Image *hand, double radius, int step) {
    double angle = (-130 + 260.0 * step / (STEPS - 1)) * DEGREES;  // from straight up
    size_t x = (size_t)lround(MIDDLE_X + radius * sin(angle)), y = (size_t)lround(MIDDLE_Y - radius * cos(angle));
    return is_paper(hand->pixels + 3 * (y * hand->width + x));
}

static size_t fingers_on_circle(const Image *hand, double radius) {
    size_t fingers = 0;
    int against = 0;  // steps in a row that say otherwise
    bool on_finger = false;
    for (int step = 0; step < STEPS; step++) {
        against = paper_at(hand, radius, step) == on_finger ? against + 1 : 0;
        if (against < NARROWEST) continue;
        on_finger = !on_finger, against = 0;
        fingers += on_finger;
    }
    return fingers;
}

size_t fingers_count(const Image *hand) {
    size_t votes[MOST + 1] = {0}, count = 0;
    for (double radius = INNERMOST; radius <= OUTERMOST; radius += APART) votes[fingers_on_circle(hand, radius)]++;
    for (size_t i = 1; i <= MOST; i++)
        if (votes[i] > votes[count]) count = i;
    return count;
}
