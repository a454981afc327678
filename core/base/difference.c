// difference.c - see difference.h

#include "base/difference.h"

#include "base/fence.h"

#include <math.h>
#include <stdio.h>

float largest_of(const float *values, size_t n) {
    float largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i])) largest = fmaxf(largest, fabsf(values[i]));
    }
    return largest;
}

bool number_alike(float a, float b, float allowed) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabsf(a - b) <= allowed;
}

bool numbers_alike(const float *a, const float *b, size_t n, float allowed) {
    for (size_t i = 0; i < n; i++) {
        if (!number_alike(a[i], b[i], allowed)) return false;
    }
    return true;
}

double distance_between(const float *a, const float *b, size_t n) {
    double off = 0, all = 0;
    for (size_t i = 0; i < n; i++) off += pow(a[i] - b[i], 2), all += pow(b[i], 2);
    return sqrt(off / all);
}

// ---- which number differs -------------------------------------------------------------------------------------------

// "x0[2, 1, 3]"; a single number has no index.
static void number_name(const char *array, Shape shape, size_t index, char *name, size_t size) {
    size_t at[4] = {0}, rest = index;
    for (size_t axis = shape.rank; axis-- > 0;) {
        at[axis] = rest % shape.axis[axis];
        rest /= shape.axis[axis];
    }
    size_t used = (size_t)snprintf(name, size, "%s", array);
    for (size_t axis = 0; axis < shape.rank && used < size; axis++) {
        used += (size_t)snprintf(name + used, size - used, "%s%zu", axis ? ", " : "[", at[axis]);
    }
    if (shape.rank && used < size) snprintf(name + used, size - used, "]");
}

void difference_describe(const char *name, Shape shape, const float *yours, const float *right, float allowed,
                         char *text, size_t size) {
    size_t n = shape_count(shape), first = n, differ = 0;
    for (size_t i = 0; i < n; i++) {
        if (number_alike(yours[i], right[i], allowed)) continue;
        if (differ++ == 0) first = i;
    }
    char number[128], others[64] = "";
    number_name(name, shape, first, number, sizeof number);
    if (n > 1) snprintf(others, sizeof others, "; %zu of %zu numbers differ", differ, n);
    if (is_unwritten(yours[first])) {
        snprintf(text, size, "%s was not written; it should be %.6g%s", number, (double)right[first], others);
    } else {
        snprintf(text, size, "%s is %.6g, should be %.6g (off by %+.3g)%s", number, (double)yours[first],
                 (double)right[first], (double)(yours[first] - right[first]), others);
    }
}

// ---- what goes wrong everywhere -------------------------------------------------------------------------------------

// The factor between two arrays; NaN if there is none.
static float factor_between(const float *yours, const float *right, size_t n, float allowed) {
    double product = 0, square = 0;
    for (size_t i = 0; i < n; i++) product += (double)yours[i] * right[i], square += (double)right[i] * right[i];
    if (n < 2 || square == 0) return NAN;
    double factor = product / square;
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(yours[i] - factor * right[i]) <= allowed * fmax(1, fabs(factor)))) return NAN;
    }
    return (float)factor;
}

void difference_general(const char *name, const float *yours, const float *right, size_t n, float allowed, char *text,
                        size_t size) {
    size_t unwritten = 0, not_finite = 0, zeros = 0;
    for (size_t i = 0; i < n; i++) {
        unwritten += is_unwritten(yours[i]);
        not_finite += !isfinite(yours[i]) && isfinite(right[i]);
        zeros += yours[i] == 0;
    }
    float factor = factor_between(yours, right, n, allowed);
    text[0] = '\0';
    if (unwritten == n) {
        snprintf(text, size, "Nothing was written into `%s`: the function returned without an answer.", name);
    } else if (unwritten) {
        snprintf(text, size, "%zu of the %zu numbers of `%s` were never written: does the loop reach all of them?",
                 unwritten, n, name);
    } else if (not_finite) {
        snprintf(text, size,
                 "`%s` is NaN or infinite: something was divided by 0, a root taken of a negative number, or a number "
                 "grew too large for its type (a factorial, a power).",
                 name);
    } else if (zeros == n) {
        snprintf(text, size, "All of `%s` is 0.", name);
    } else if (isfinite(factor)) {
        snprintf(text, size, "All of `%s` is %.4g times what it should be.", name, (double)factor);
    }
}
