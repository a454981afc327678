// words_grade.h - where does a word act? Two answers of a model, graded by the painter
//
//     WordGrades grades;
//     if (!words_grade(model, &settings, 10, 1, &grades, &error)) return puts(error.message);
//     for (size_t i = 0; i < grades.count; i++) printf("%.2f\n", grades.words[i].deletion_iou);
//     word_grades_free(&grades);
//
// Of a picture that a model draws nobody knows for certain which pixels are the hat. Of one that the painter draws that
// is known. So the painter draws the prompt, the drawing is put under as much noise as step k of a run expects, and the
// U-Net is asked about it: with the prompt, to see where its cross-attention looks (run/attention.h), and without each
// word, to see where its answer changes (run/deletion.h). Both maps are held against the painter's mask of what the
// word means.
// Read next: caption_read.h and iou.h, for what it is made of; main.c, which does it with many prompts.

#pragma once

#include "critters/grade/caption_read.h"
#include "run/deletion.h"
#include "sculpt.h"

typedef struct WordGrade {
    size_t start, end;  // bytes of WordGrades.prompt
    WordKind kind;
    size_t area;           // pixels of the mask, at least 1
    uint8_t mask[PIXELS];  // [SIDE, SIDE]: 1 where the drawing shows what the word speaks of
    float *deletion;       // [height, width] of the latents: how far the predicted noise moves without the word
    float *attention;      // [height, width]: how much of each place's look its tokens got, mean over layers and heads
    float deletion_iou, attention_iou, chance_iou;  // with the mask (iou.h)
} WordGrade;

typedef struct WordGrades {
    char *prompt;          // as the tokenizer reads it, in lower case
    Image drawing;         // SIDE x SIDE
    size_t height, width;  // of the maps
    float timestep;        // of step k
    WordGrade *words;      // [count], in their order; those that speak of nothing that is seen aren't among them
    size_t count;
    float *maps;  // all of the words'
} WordGrades;

// settings: a prompt in the painter's words, 128 x 128 pixels; scheduler, number of steps, seed of the noise. What
// makes a run image to image or inpainting is not looked at. k: 0 .. num_inference_steps - 1. painter_seed: what the
// prompt leaves open in the drawing. One U-Net call for the prompt, and one for each word; words that the tokenizer
// cuts off aren't graded.
// Give out back with word_grades_free. On failure it is empty.
bool words_grade(const Model *model, const Settings *settings, size_t k, uint64_t painter_seed, WordGrades *out,
                 Error *error);
void word_grades_free(WordGrades *grades);  // leaves it empty; twice is fine
