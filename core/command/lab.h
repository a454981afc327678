// lab.h - `sculpt lab`: what its files share
//
//     lab.c            the command: what is done in which order, and again at each save
//     lab_compile.c    from FILE.c to a shared object
//     lab_check.c      a kernel's numbers beside naive's                lab_scheduler.c        a scheduler's steps
//     lab_measure.c    its speed beside others', and the roofline       lab_order.c            how its error falls
//     lab_draw.c       the prompt drawn with it, step by step           lab_scheduler_draw.c   for several numbers of steps
//     lab_sheet.c      pictures beside each other
//
// Whatever calls the learner's code does so in a child process (base/child.h). This one only forks, waits and tells.

#pragma once

#include "base/child.h"
#include "command/options.h"
#include "ops/registry.h"
#include "sculpt.h"

#include <limits.h>

// What a child leaves for its parent.
typedef struct LabReport {
    Ending ending;
    bool right;            // what the child was to find out
    size_t count;          // cases that were right
    char where[400];       // the case under way
    char difference[512];  // which number differs, and by how much
    char sentence[768];    // what is wrong, where more can be said
    Error error;           // of ours
} LabReport;

typedef struct Lab {
    const Options *options;
    Op op;                               // not of a scheduler
    bool scheduler;                      // else a kernel
    char folder[256], object[PATH_MAX];  // folder: that of the object, if it was compiled here; else ""
    char choice[PATH_MAX + 32];          // "conv2d=/tmp/.../mine.so", as --kernel takes it; of a scheduler the path
    LabReport *report;
} Lab;

// ---- lab.c ----------------------------------------------------------------------------------------------------------

// Runs it in a child and says what ended that, if it wasn't its own end. False: it was ended, or had an error.
bool lab_run(Lab *lab, void (*run)(void *lab), ChildLimits limits);

// In a child: loads the object. Errors go to the report.
const Kernel *lab_load_kernel(Lab *lab);
const SchedulerKind *lab_load_scheduler(Lab *lab);

// ---- the rest -------------------------------------------------------------------------------------------------------

// source to lab->object; the compiler says what it has to say on stderr. Errors: no compiler, no headers, its mistakes.
bool lab_compile(Lab *lab, const char *source, Error *error);

// Each for lab_run. The first two set report->right.
void lab_check_kernel(void *lab);
void lab_check_scheduler(void *lab);
void lab_measure_kernel(void *lab);
void lab_measure_orders(void *lab);
void lab_draw_with_kernel(void *lab);
void lab_draw_with_scheduler(void *lab);

// A scheduler of this kind on Stable Diffusion's noise schedule, for these steps; NULL if it refuses.
Scheduler *lab_scheduler_new(const SchedulerKind *kind, size_t steps, Error *error);

// The default prompt, with the options' model, seed and kernels. settings: its defaults for num_inference_steps stay.
bool lab_open_model(const Lab *lab, Model **model, Settings *settings, Error *error);

// "lab-steps.png" for "lab.png" and "steps"; "" is the name itself.
typedef struct LabPath {
    char text[PATH_MAX];
} LabPath;
LabPath lab_path(const Lab *lab, const char *what);

// ---- lab_sheet.c ----------------------------------------------------------------------------------------------------

// Cells of one size, with words above each column and before each row.
typedef struct LabSheet {
    Image image;
    size_t width, height;  // of a cell
} LabSheet;

bool lab_sheet_new(LabSheet *sheet, size_t columns, size_t rows, size_t width, size_t height, Error *error);
void lab_sheet_name_row(LabSheet *sheet, size_t row, const char *name);
void lab_sheet_name_column(LabSheet *sheet, size_t column, const char *name);
void lab_sheet_place(LabSheet *sheet, size_t column, size_t row, const Image *image);
bool lab_sheet_write(LabSheet *sheet, const char *path, Error *error);  // and gives its memory back
