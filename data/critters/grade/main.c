// main.c - critters-grade: how well do a word's maps point at what the word means? A table over many captions
//
// Where: `make grade`; the table stands in ../README.md. Read next: words_grade.h.

#include "critters/draw/caption.h"
#include "critters/grade/iou.h"
#include "critters/grade/words_grade.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char HELP[] =
    "critters-grade - holds deletion maps and cross-attention maps of a prompt's words against the painter's masks\n"
    "\n"
    "      --model DIR    a model of the critters' world       [data/models/critters]\n"
    "      --count N      captions of held-out drawings        [30]\n"
    "      --first N      the first drawing's seed             [4000000000]\n";

static const size_t STEPS[] = {2, 5, 10, 15};  // of 20
static const WordKind KINDS_GRADED[] = {WORD_SPECIES,  WORD_COLOR,    WORD_MOOD, WORD_EYEWEAR,
                                        WORD_HEADWEAR, WORD_NECKWEAR, WORD_SCENE};
enum { STEP_COUNT = sizeof STEPS / sizeof STEPS[0], KIND_COUNT = sizeof KINDS_GRADED / sizeof KINDS_GRADED[0] };

typedef struct Options {
    const char *model;
    long count;
    uint64_t first;
} Options;

// Sums over the words of a kind. Masks are the same at all steps, and so are chance and middle.
typedef struct Row {
    size_t words;
    double deletion[STEP_COUNT], attention[STEP_COUNT], chance, middle;
} Row;

// ---- the command line -----------------------------------------------------------------------------------------------

static int complain(const char *message) {
    fprintf(stderr, "critters-grade: %s\n", message);
    return 2;
}

static bool number_read(const char *text, unsigned long long low, unsigned long long high, unsigned long long *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && errno == 0 && *number >= low && *number <= high;
}

// False with a complaint, or after --help with *status 0
static bool options_read(int argc, char **argv, Options *o, int *status) {
    static const struct option options[] = {{"model", required_argument, NULL, 'm'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"first", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *o = (Options){.model = "data/models/critters", .count = 30, .first = 4000000000u};
    unsigned long long number;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'm') {
            o->model = optarg;
        } else if (c == 'c' && number_read(optarg, 1, 100000, &number)) {
            o->count = (long)number;
        } else if (c == 'f' && number_read(optarg, 0, UINT64_MAX, &number)) {
            o->first = number;
        } else if (c == 'h') {
            *status = fputs(HELP, stdout) < 0;
            return false;
        } else {
            *status = c == '?' ? 2 : complain("command line: a number is out of range; see --help");
            return false;
        }
    }
    if (optind == argc) return true;
    *status = complain("command line: it takes options only; see --help");
    return false;
}

// ---- the table ------------------------------------------------------------------------------------------------------

// What a map gets that has only learnt that animals stand in the middle, and places around them.
static double middle_iou(const WordGrade *grade) {
    enum { CELLS = 16 };
    float map[CELLS * CELLS];
    for (int i = 0; i < CELLS * CELLS; i++) {
        float x = (float)(i % CELLS) - (CELLS - 1) / 2.0f, y = (float)(i / CELLS) - (CELLS - 1) / 2.0f;
        map[i] = (x * x + y * y) * (grade->kind == WORD_SCENE ? 1 : -1);
    }
    return (double)map_iou(map, CELLS, CELLS, grade->mask, SIDE);
}

static void rows_add(Row rows[WORD_KINDS], const WordGrades *grades, size_t step) {
    for (size_t i = 0; i < grades->count; i++) {
        const WordGrade *grade = &grades->words[i];
        Row *row = &rows[grade->kind];
        row->deletion[step] += (double)grade->deletion_iou;
        row->attention[step] += (double)grade->attention_iou;
        if (step > 0) continue;
        row->words++;
        row->chance += (double)grade->chance_iou;
        row->middle += middle_iou(grade);
    }
}

static void print_numbers(const double sums[STEP_COUNT], size_t words) {
    for (size_t s = 0; s < STEP_COUNT; s++) printf(" %.2f |", sums[s] / (double)words);
}

static void rows_print(const Row rows[WORD_KINDS]) {
    printf("| kind of word | words | chance | middle |");
    for (int half = 0; half < 2; half++)
        for (size_t s = 0; s < STEP_COUNT; s++) printf(" %s, step %zu |", half ? "attention" : "deletion", STEPS[s]);
    printf("\n|");
    for (size_t column = 0; column < 4 + 2 * STEP_COUNT; column++) printf(" --- |");
    printf("\n");
    for (size_t k = 0; k < KIND_COUNT; k++) {
        const Row *row = &rows[KINDS_GRADED[k]];
        if (row->words == 0) continue;
        double words = (double)row->words;
        printf("| %s | %zu | %.2f | %.2f |", WORD_KIND_NAME[KINDS_GRADED[k]], row->words, row->chance / words,
               row->middle / words);
        print_numbers(row->deletion, row->words);
        print_numbers(row->attention, row->words);
        printf("\n");
    }
}

// Three quarters of the captions are about one animal, the others about two, as in the other tables.
static bool grade_all(const Model *model, const Options *o, Row rows[WORD_KINDS], Error *error) {
    for (long i = 0; i < o->count; i++) {
        uint64_t seed = o->first + (uint64_t)i;
        Drawing drawing = drawing_sample(seed, HELD, i % 4 == 3 ? TWO : ONE);
        Random words = random_begin(seed, 4);
        Caption caption = caption_make(&drawing, &words, false);
        Settings settings = settings_default(model);
        settings.prompt = caption.text;
        settings.num_inference_steps = 20;
        settings.seed = (uint64_t)i;
        for (size_t s = 0; s < STEP_COUNT; s++) {
            WordGrades grades;
            if (!words_grade(model, &settings, STEPS[s], seed, &grades, error)) return false;
            rows_add(rows, &grades, s);
            word_grades_free(&grades);
        }
    }
    return true;
}

int main(int argc, char **argv) {
    Options o;
    int status = 0;
    if (!options_read(argc, argv, &o, &status)) return status;
    Row rows[WORD_KINDS] = {0};
    Error error = {0};
    Model *model = model_open(o.model, &error);
    bool ok = model && grade_all(model, &o, rows, &error);
    model_close(model);
    if (!ok) {
        fprintf(stderr, "critters-grade: %s\n", error.message);
        return 1;
    }
    rows_print(rows);
    return fflush(stdout) ? 1 : 0;
}
