// lab.c - `sculpt lab OP FILE.c`: what a kernel that somebody wrote does to the numbers, the clock and the picture
//
// Read next: lessons/lab/README.md, how one begins; lab_check.c; ops/my_kernel.h, what is compiled.

#include "command/lab.h"

#include "base/text.h"
#include "command/commands.h"
#include "io/file.h"
#include "io/memory.h"
#include "io/watch.h"
#include "ops/kernel_file.h"
#include "schedulers/scheduler_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t MEMORY_BYTES = (size_t)4 << 30;  // of a child, or what is free, if that is more
static const double CHILD_SECONDS = 3600;            // for one that only waits; those at work have child_clock

bool lab_run(Lab *lab, void (*run)(void *lab), ChildLimits limits) {
    LabReport *report = lab->report;
    memset(report, 0, sizeof *report);
    int status = child_run(run, lab, limits, &report->ending);
    if (report->error.message[0]) {
        report_failure(&report->error);
        return false;
    }
    char why[512];
    child_sentence(&report->ending, status, limits, why, sizeof why);
    if (!why[0]) return true;
    printf("  wrong  %s\n     ->  %s\n", report->where, why);
    return false;
}

const Kernel *lab_load_kernel(Lab *lab) {
    Error *error = &lab->report->error;
    if (!kernel_load(lab->choice, error)) return NULL;
    return kernel_loaded(lab->op, lab->object, error);
}

const SchedulerKind *lab_load_scheduler(Lab *lab) {
    Error *error = &lab->report->error;
    return scheduler_load(lab->choice, error) ? scheduler_kind_named(lab->choice, error) : NULL;
}

bool lab_open_model(const Lab *lab, Model **model, Settings *settings, Error *error) {
    const Options *o = lab->options;
    char *folder = model_folder(o);
    ModelOptions options = model_options_asked(o);
    *model = model_open_with(folder, &options, error);
    free(folder);
    if (!*model) return false;
    *settings = settings_asked(*model, o);
    settings->prompt = "a pygmy hippo wearing sunglasses on the beach";
    settings->seed = o->has_seed ? o->seed : 1;
    return true;
}

LabPath lab_path(const Lab *lab, const char *what) {
    LabPath path;
    const char *output = lab->options->output;
    snprintf(path.text, sizeof path.text, "%.*s%s%s.png", (int)(strlen(output) - strlen(".png")), output,
             what[0] ? "-" : "", what);
    return path;
}

// ---- one look at the file -------------------------------------------------------------------------------------------

// From the file to an object: in a folder of its own, since one of a name that has been loaded isn't loaded again.
static bool prepare(Lab *lab, Error *error) {
    const char *source = lab->options->file, *where = getenv("TMPDIR");
    lab->folder[0] = '\0';
    if (text_ends_in(source, strlen(source), ".so")) {
        snprintf(lab->object, sizeof lab->object, "%s%s", strchr(source, '/') ? "" : "./", source);
    } else {
        snprintf(lab->folder, sizeof lab->folder, "%.200s/sculpt-lab-XXXXXX", where && *where ? where : "/tmp");
        if (!mkdtemp(lab->folder)) {
            lab->folder[0] = '\0';
            return error_set(error, "lab: no folder can be made in %.200s; let TMPDIR name another",
                             where ? where : "/tmp");
        }
        snprintf(lab->object, sizeof lab->object, "%s/mine.so", lab->folder);
        if (!lab_compile(lab, source, error)) return false;
    }
    snprintf(lab->choice, sizeof lab->choice, "%s%s%s", lab->scheduler ? "" : op_name(lab->op),
             lab->scheduler ? "" : "=", lab->object);
    return true;
}

static void forget(Lab *lab) {
    if (!lab->folder[0]) return;
    unlink(lab->object);
    rmdir(lab->folder);
}

static bool say_verdict(const LabReport *report) {
    if (report->right) {
        printf("  right  (%zu cases)\n", report->count);
        return true;
    }
    printf("  wrong  %s\n", report->where);
    if (report->difference[0]) printf("         %s\n", report->difference);
    if (report->sentence[0]) printf("     ->  %s\n", report->sentence);
    return false;
}

// Compiles, checks, measures, draws. A kernel that is wrong is measured and drawn with all the same, since what it does
// to the picture is worth seeing; one that crashes isn't.
static bool look(Lab *lab) {
    Error error = {0};
    if (!prepare(lab, &error)) return report_failure(&error) == EXIT_SUCCESS;
    size_t free_bytes = memory_available("");
    ChildLimits limits = {CHILD_SECONDS, free_bytes > MEMORY_BYTES ? free_bytes : MEMORY_BYTES};
    printf("%s %s\n", lab->scheduler ? "scheduler" : op_name(lab->op), lab->options->file);
    if (!lab_run(lab, lab->scheduler ? lab_check_scheduler : lab_check_kernel, limits)) return false;
    bool right = say_verdict(lab->report);
    bool ended = lab_run(lab, lab->scheduler ? lab_measure_orders : lab_measure_kernel, limits) &&
                 lab_run(lab, lab->scheduler ? lab_draw_with_scheduler : lab_draw_with_kernel, limits);
    return right && ended;
}

static bool look_and_forget(Lab *lab) {
    bool right = look(lab);
    forget(lab);
    return right;
}

static bool look_at_every_save(Lab *lab, Error *error) {
    Watched seen = WATCH_SAVED;
    bool right = false;
    while (seen == WATCH_SAVED) {
        right = look_and_forget(lab);
        printf("\nWatching %s; Enter ends it.\n", lab->options->file);
        fflush(stdout);
        seen = watch_wait(lab->options->file, error);
    }
    return seen == WATCH_KEY && right;
}

// ---- the command ----------------------------------------------------------------------------------------------------

static bool lab_begin(Lab *lab, const Options *options, Error *error) {
    *lab = (Lab){.options = options, .scheduler = strcmp(options->text, "scheduler") == 0};
    if (!lab->scheduler && !op_find(options->text, strlen(options->text), &lab->op))
        return error_set(error,
                         "lab %.100s: no op has this name; `sculpt kernels` lists them, and there is lab scheduler",
                         options->text);
    return !options->watch || !text_ends_in(options->file, strlen(options->file), ".so") ||
           error_set(error, "--watch: %.300s isn't compiled at a save; name a .c file", options->file);
}

int command_lab(const Options *options) {
    Error error = {0};
    Lab lab;
    if (!lab_begin(&lab, options, &error)) {
        report_failure(&error);
        return EXIT_BAD_COMMAND_LINE;
    }
    lab.report = child_memory(sizeof *lab.report);
    if (!lab.report) error_set(&error, "lab: no memory; close other programs");
    bool right = lab.report && (options->watch ? look_at_every_save(&lab, &error) : look_and_forget(&lab));
    if (error.message[0]) return report_failure(&error);
    return right ? EXIT_SUCCESS : EXIT_RUN_FAILED;
}
