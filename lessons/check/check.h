// check.h - what a lesson's check.c is written with: cases on random numbers, right answers, and known mistakes
//
//     typedef struct Question { const float *x; size_t n; } Question;
//     static void right(const void *question, float *out) { const Question *q = question; ... }
//     static void forgot_the_root(const void *question, float *out) { ... }
//     static const CheckMistake MISTAKES[] = {{"You forgot the root.", forgot_the_root}, {NULL, NULL}};
//
//     static void check_norms(Check *check) {
//         for (size_t i = 0; i < 20; i++) {
//             size_t n = check_pick(check, 1, 40);
//             check_case(check, "%zu numbers", n);                               // first of all in a case
//             const float *x = check_normal(check, "x", shape1(n));
//             float *out = check_output(check, "out", shape1(n));
//             norms(x, out, n);                                                  // what the learner wrote
//             check_values(check, out, &(Question){x, n}, right, MISTAKES);      // returns only if it is right
//         }
//     }
//
//     int main(void) {
//         static const CheckPart PARTS[] = {{"norms", check_norms}};
//         return check_run("98-norms", PARTS, 1, NULL);
//     }
//
// Every part runs in a child process of its own with limits of time and memory, so whatever the learner's code does ends
// in a sentence. What is wrong is found in the numbers, never in the source text.
// Read next: lessons/04-ddim/check.c, a whole one; run.c (the child), diagnose.c (how a sentence is chosen).

#pragma once

#include "base/tensor.h"
#include "io/image.h"

typedef struct Check Check;

typedef struct CheckPart {
    const char *name;  // what is checked, as the learner reads it: "ddim_step: the next latents"
    void (*run)(Check *check);
} CheckPart;

// The whole program: runs the parts in turn and stops at the first that is wrong. show (or NULL) runs after them, right
// or wrong (but not where the learner's code crashed), to draw with what they wrote; it decides nothing, and where it
// fails nothing is said. lesson is the folder's name. Gives main's exit status: 0 only if every part is right.
int check_run(const char *lesson, const CheckPart *parts, size_t part_count, void (*show)(Check *check));

// ---- a case ---------------------------------------------------------------------------------------------------------

// How many parts were right, for show: what comes behind the first wrong one hasn't been tried.
size_t check_parts_right(const Check *check);

// Begins a case and says what is special about it, for the learner: sizes, settings. Releases the arrays of the last
// case, and winds up the clock.
void check_case(Check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Seconds of processor time that a case may take (5 where nothing is said) before it counts as an endless loop.
void check_seconds(Check *check, double seconds);

// Bytes that the program may still take from here on, for a case whose answer needs none; sentence: what the learner reads
// who runs into that. 0: 2 GB in all, as where nothing is said; give memory back before numbers are compared. In a build
// with sanitizers nothing is limited.
void check_memory(Check *check, size_t bytes, const char *sentence);

// Random, and others at every call of the program (CHECK_SEED=N has them again): a whole number from low to high, both
// included; a number in [low, high).
size_t check_pick(Check *check, size_t low, size_t high);
float check_uniform(Check *check, float low, float high);

// Arrays of the case, at most CHECK_ARRAYS of them. The memory behind their end is fenced: who reads or writes there is
// told the array's name. Names are those of the learner's parameters.
enum { CHECK_ARRAYS = 32 };
float *check_normal(Check *check, const char *name, Shape shape);  // filled with numbers of mean 0, variance 1
float *check_input(Check *check, const char *name, Shape shape);   // zeros, for the check to fill
float *check_output(Check *check, const char *name,
                    Shape shape);  // for the learner to fill: unwritten numbers are known

// ---- the verdict ----------------------------------------------------------------------------------------------------

// The question is whatever struct the check's own functions read it from; an answer fills out with as many numbers as
// the learner was asked for.
typedef void CheckAnswer(const void *question, float *out);

// What the learner reads if their numbers are those that this mistake gives. A sentence says what was done and what to
// do instead: "You went to t - 1: the next stop is t - 1000 / num_inference_steps."
typedef struct CheckMistake {
    const char *sentence;
    CheckAnswer *answer;
} CheckMistake;

// Compares one of the case's arrays with the right answer and returns only if they are equal, within the tolerance.
// mistakes ends with {NULL, NULL}, or is NULL. One that gives the right numbers in this case is passed over, and one that
// gives the learner's is believed. Where several do, the part runs again with other numbers to leave one; where they
// always do, the first is believed: put the more special ones first.
void check_values(Check *check, const float *yours, const void *question, CheckAnswer *right,
                  const CheckMistake *mistakes);

// The same for a single number, which is what the learner's function returned.
void check_number(Check *check, const char *name, float yours, const void *question, CheckAnswer *right,
                  const CheckMistake *mistakes);

// How far numbers may be off, as a share of the largest right one: 1e-4 where nothing is said.
void check_tolerance(Check *check, float tolerance);

// For what can't be said in numbers: the case is wrong, for this reason. Doesn't return.
_Noreturn void check_wrong(Check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- pictures -------------------------------------------------------------------------------------------------------

// Writes build/lessons/LESSON/FILE, side by side the learner's picture, the right one and what differs (four times as
// strong, on grey), and says so at the end; right may be NULL.
void check_picture(Check *check, const char *file, const Image *yours, const Image *right);
