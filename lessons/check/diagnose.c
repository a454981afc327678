// diagnose.c - right, or wrong in which way
//
// The learner's numbers are compared with the right ones; where they differ, with those of every known mistake. If none
// fits, with what goes wrong everywhere: numbers never written, NaN, zeros, an input handed back, a constant factor.

#include "check/inside.h"

#include "base/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static float largest(const float *values, size_t n) {
    float largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i])) largest = fmaxf(largest, fabsf(values[i]));
    }
    return largest;
}

// NaN is like NaN, and infinity like infinity of the same sign.
static bool number_alike(float a, float b, float allowed) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabsf(a - b) <= allowed;
}

static bool alike(const float *a, const float *b, size_t n, float allowed) {
    for (size_t i = 0; i < n; i++) {
        if (!number_alike(a[i], b[i], allowed)) return false;
    }
    return true;
}

// ---- which number differs -------------------------------------------------------------------------------------------

// "x0[2, 1, 3]"; a single number has no index.
static void number_name(const Array *array, size_t index, char *name, size_t size) {
    size_t at[4] = {0}, rest = index;
    for (size_t axis = array->shape.rank; axis-- > 0;) {
        at[axis] = rest % array->shape.axis[axis];
        rest /= array->shape.axis[axis];
    }
    size_t used = (size_t)snprintf(name, size, "%s", array->name);
    for (size_t axis = 0; axis < array->shape.rank && used < size; axis++) {
        used += (size_t)snprintf(name + used, size - used, "%s%zu", axis ? ", " : "[", at[axis]);
    }
    if (array->shape.rank && used < size) snprintf(name + used, size - used, "]");
}

static void describe_difference(Report *report, const Array *array, const float *right, float allowed) {
    size_t first = array->n, differ = 0;
    for (size_t i = 0; i < array->n; i++) {
        if (number_alike(array->values[i], right[i], allowed)) continue;
        if (differ++ == 0) first = i;
    }
    char name[128], others[64] = "";
    number_name(array, first, name, sizeof name);
    if (array->n > 1) snprintf(others, sizeof others, "; %zu of %zu numbers differ", differ, array->n);
    float yours = array->values[first], off = yours - right[first];
    if (array_unwritten(yours)) {
        snprintf(report->difference, sizeof report->difference, "%s was not written; it should be %.6g%s", name,
                 (double)right[first], others);
    } else {
        snprintf(report->difference, sizeof report->difference, "%s is %.6g, should be %.6g (off by %+.3g)%s", name,
                 (double)yours, (double)right[first], (double)off, others);
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
        if (fabs(yours[i] - factor * right[i]) > allowed * fmax(1, fabs(factor))) return NAN;
    }
    return (float)factor;
}

static const Array *input_like(const Check *check, const Array *array, float allowed) {
    for (size_t i = 0; i < check->array_count; i++) {
        const Array *input = &check->arrays[i];
        if (input == array || input->n != array->n || array_unwritten(input->values[0])) continue;
        if (alike(array->values, input->values, array->n, allowed)) return input;
    }
    return NULL;
}

static void say_general(const Check *check, const Array *array, const float *right, float allowed) {
    char *sentence = check->report->sentence;
    const size_t size = sizeof check->report->sentence;
    size_t unwritten = 0, not_finite = 0, zeros = 0;
    for (size_t i = 0; i < array->n; i++) {
        unwritten += array_unwritten(array->values[i]);
        not_finite += !isfinite(array->values[i]);
        zeros += array->values[i] == 0;
    }
    const Array *input = array->n > 1 ? input_like(check, array, allowed) : NULL;
    float factor = factor_between(array->values, right, array->n, allowed);

    if (unwritten == array->n) {
        snprintf(sentence, size, "Nothing was written into `%s`: the function returned without an answer.",
                 array->name);
    } else if (unwritten) {
        snprintf(sentence, size, "%zu of the %zu numbers of `%s` were never written: does the loop reach all of them?",
                 unwritten, array->n, array->name);
    } else if (not_finite) {
        snprintf(sentence, size,
                 "`%s` is NaN or infinite: something was divided by 0, or a root taken of a negative number.",
                 array->name);
    } else if (zeros == array->n) {
        snprintf(sentence, size, "All of `%s` is 0.", array->name);
    } else if (input) {
        snprintf(sentence, size, "`%s` is `%s`, unchanged.", array->name, input->name);
    } else if (isfinite(factor)) {
        snprintf(sentence, size, "All of `%s` is %.4g times what it should be.", array->name, (double)factor);
    }
}

// ---- the verdict ----------------------------------------------------------------------------------------------------

static _Noreturn void end_wrong(Check *check) {
    check->report->verdict = WRONG;
    fflush(NULL);
    _exit(1);
}

static float *answer_of(CheckAnswer *answer, const void *question, size_t n) {
    float *out = calloc(n + 1, sizeof *out);
    CHECK(out, "no memory for %zu numbers", n);
    answer(question, out);
    return out;
}

// Whether the sentence of a known mistake was said.
static bool say_mistake(Check *check, const Array *array, const void *question, const float *right,
                        const CheckMistake *mistakes) {
    for (const CheckMistake *mistake = mistakes; mistake && mistake->sentence; mistake++) {
        float *theirs = answer_of(mistake->answer, question, array->n);
        float allowed = check->tolerance * largest(theirs, array->n);
        bool found = alike(array->values, theirs, array->n, allowed) && !alike(right, theirs, array->n, allowed);
        free(theirs);
        if (!found) continue;
        snprintf(check->report->sentence, sizeof check->report->sentence, "%s", mistake->sentence);
        return true;
    }
    return false;
}

void check_values(Check *check, const float *yours, const void *question, CheckAnswer *right_answer,
                  const CheckMistake *mistakes) {
    const Array *array = array_of(check, yours);
    CHECK(array, "check_values wants an array of check_output");
    float *right = answer_of(right_answer, question, array->n);
    float allowed = check->tolerance * largest(right, array->n);
    bool equal = alike(yours, right, array->n, allowed);
    if (!equal) {
        describe_difference(check->report, array, right, allowed);
        bool written = !array_unwritten(yours[0]);
        if (!written || !say_mistake(check, array, question, right, mistakes))
            say_general(check, array, right, allowed);
    }
    free(right);
    if (!equal) end_wrong(check);
}

void check_number(Check *check, const char *name, float yours, const void *question, CheckAnswer *right,
                  const CheckMistake *mistakes) {
    float *number = check_output(check, name, (Shape){.rank = 0, .axis = {1, 1, 1, 1}});
    *number = yours;
    check_values(check, number, question, right, mistakes);
}

void check_wrong(Check *check, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->report->sentence, sizeof check->report->sentence, format, arguments);
    va_end(arguments);
    end_wrong(check);
}
