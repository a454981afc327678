// diagnose.c - right, or wrong in which way
//
// The learner's numbers are compared with the right ones; where they differ, with those of every known mistake. If none
// fits, with what goes wrong everywhere: numbers never written, NaN, zeros, an input handed back, a constant factor
// (base/difference.h).

#include "check/inside.h"

#include "base/check.h"
#include "base/difference.h"
#include "base/fence.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ---- what goes wrong everywhere -------------------------------------------------------------------------------------

static const Array *input_like(const Check *check, const Array *array, float allowed) {
    for (size_t i = 0; i < check->array_count; i++) {
        const Array *input = &check->arrays[i];
        if (input == array || input->n != array->n || is_unwritten(input->values[0])) continue;
        if (numbers_alike(array->values, input->values, array->n, allowed)) return input;
    }
    return NULL;
}

static void say_general(const Check *check, const Array *array, const float *right, float allowed) {
    char *sentence = check->report->sentence;
    const size_t size = sizeof check->report->sentence;
    const Array *input = array->n > 1 ? input_like(check, array, allowed) : NULL;
    bool zeros = largest_of(array->values, array->n) == 0;
    if (input && !zeros)
        snprintf(sentence, size, "`%s` is `%s`, unchanged.", array->name, input->name);
    else
        difference_general(array->name, array->values, right, array->n, allowed, sentence, size);
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

// Whether the mistake gives the learner's numbers, and not the right ones.
static bool explains(const Check *check, const CheckMistake *mistake, const Array *array, const void *question,
                     const float *right) {
    float *theirs = answer_of(mistake->answer, question, array->n);
    float allowed = check->tolerance * largest_of(theirs, array->n);
    bool found =
        numbers_alike(array->values, theirs, array->n, allowed) && !numbers_alike(right, theirs, array->n, allowed);
    free(theirs);
    return found;
}

// Whether a known mistake explains the numbers. The first that does is said, all are noted.
static bool say_mistake(Check *check, const Array *array, const void *question, const float *right,
                        const CheckMistake *mistakes) {
    const Suspects *among = &check->among;
    Suspects *found = &check->report->suspects;
    char *sentence = check->report->sentence;
    found->mistakes = mistakes;
    for (size_t i = 0; mistakes && mistakes[i].sentence; i++) {
        CHECK(i < 64, "a list of mistakes has at most 64");
        uint64_t bit = (uint64_t)1 << i;
        if (among->mistakes && (among->mistakes != mistakes || !(among->bits & bit))) continue;
        if (strcmp(sentence, mistakes[i].sentence) == 0) continue;  // one mistake, made in two ways
        if (!explains(check, &mistakes[i], array, question, right)) continue;
        if (!found->bits) snprintf(sentence, sizeof check->report->sentence, "%s", mistakes[i].sentence);
        found->bits |= bit;
    }
    return found->bits;
}

void check_values(Check *check, const float *yours, const void *question, CheckAnswer *right_answer,
                  const CheckMistake *mistakes) {
    const Array *array = array_of(check, yours);
    CHECK(array, "check_values wants an array of check_output");
    float *right = answer_of(right_answer, question, array->n);
    float allowed = check->tolerance * largest_of(right, array->n);
    bool equal = numbers_alike(yours, right, array->n, allowed);
    if (!equal) {
        difference_describe(array->name, array->shape, yours, right, allowed, check->report->difference,
                            sizeof check->report->difference);
        bool written = !is_unwritten(yours[0]);
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
