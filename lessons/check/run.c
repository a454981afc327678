// run.c - a check program: each part in a child process, and what is said about it
//
// The parent never runs a learner's code, nor anything with threads: it forks, waits for so long, and reads the report
// that the child has left in shared memory.

#include "check/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double CASE_SECONDS = 5;  // of processor time, unless check_seconds says otherwise
static const ChildLimits LIMITS = {.seconds = 60, .memory_bytes = (size_t)2 << 30};  // of a part
static const float TOLERANCE = 1e-4f;
enum { MORE_NUMBERS = 3 };  // tried at most, where it isn't clear which mistake it is

typedef struct Part {
    void (*run)(Check *check);
    const char *lesson;
    Report *report;
    uint64_t seed;
    size_t parts_right;
    Suspects among;
} Part;

// In the child
static void run_part(void *subject) {
    const Part *part = subject;
    Check check = {.lesson = part->lesson,
                   .report = part->report,
                   .seconds = CASE_SECONDS,
                   .tolerance = TOLERANCE,
                   .parts_right = part->parts_right,
                   .among = part->among};
    rng_seed(&check.rng, part->seed);
    child_clock(check.seconds);
    part->run(&check);
    part->report->verdict = RIGHT;
}

// Gives the child's status as waitpid does.
static int run_in_child(Part part) {
    memset(part.report, 0, sizeof *part.report);
    return child_run(run_part, &part, LIMITS, &part.report->ending);
}

// By chance several mistakes can give the same wrong numbers. Then others are tried, which leave fewer of them.
static int run_until_one_is_left(Part part) {
    int status = run_in_child(part);
    for (size_t i = 0; i < MORE_NUMBERS && __builtin_popcountll(part.report->suspects.bits) > 1; i++) {
        Report before = *part.report;
        part.among = before.suspects, part.seed++;
        int again = run_in_child(part);
        if (part.report->suspects.bits)
            status = again;
        else
            *part.report = before;
    }
    return status;
}

static void say_why(const Report *report, int status, char *sentence, size_t size) {
    if (report->verdict == WRONG)
        snprintf(sentence, size, "%s", report->sentence);
    else if (report->ending.fault == FAULT_MEMORY && report->memory[0])
        snprintf(sentence, size, "%s", report->memory);
    else
        child_sentence(&report->ending, status, LIMITS, sentence, size);
}

typedef struct Colours {
    const char *right, *wrong, *strong, *end;
} Colours;

static Colours colours_here(void) {
    const char *off = getenv("NO_COLOR");
    if ((off && *off) || !isatty(STDOUT_FILENO)) return (Colours){"", "", "", ""};
    return (Colours){"\033[32m", "\033[31m", "\033[1m", "\033[0m"};
}

static uint64_t seed_of_this_run(void) {
    const char *given = getenv("CHECK_SEED");
    if (given && *given) return strtoull(given, NULL, 10);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_nsec / 1000 ^ (uint64_t)now.tv_sec * 7919 ^ (uint64_t)getpid() * 104729) % 1000000;
}

static bool part_right(const CheckPart *part, const char *lesson, Report *report, uint64_t seed, Colours colour) {
    int status = run_until_one_is_left((Part){.run = part->run, .lesson = lesson, .report = report, .seed = seed});
    bool right = report->verdict == RIGHT && status == 0;
    printf("  %s%s%s  %s", right ? colour.right : colour.wrong, right ? "right" : "wrong", colour.end, part->name);
    if (right) {
        printf("  (%zu case%s)\n", report->case_count, report->case_count == 1 ? "" : "s");
        return true;
    }
    char why[sizeof report->sentence];
    say_why(report, status, why, sizeof why);
    printf("\n");
    if (report->case_text[0]) printf("         in case %zu: %s\n", report->case_count, report->case_text);
    if (report->difference[0]) printf("         %s\n", report->difference);
    if (why[0]) printf("     %s->  %s%s\n", colour.strong, why, colour.end);
    return false;
}

int check_run(const char *lesson, const CheckPart *parts, size_t part_count, void (*show)(Check *check)) {
    Report *report = child_memory(sizeof *report);
    if (!report) {
        perror("mmap");
        return 2;
    }
    uint64_t seed = seed_of_this_run();
    Colours colour = colours_here();

    size_t right_count = 0;
    while (right_count < part_count && part_right(&parts[right_count], lesson, report, seed, colour)) right_count++;
    bool right = right_count == part_count;
    bool ended = report->verdict != UNDECIDED;  // what crashed, or didn't end, would do so again
    if (show && ended && !getenv("LESSON_NO_SHOW")) {
        run_in_child((Part){show, lesson, report, seed, right_count, {0}});
        if (report->picture[0]) printf("  picture  %s\n", report->picture);
    }
    if (right) printf("%sLesson %s is right.%s\n", colour.right, lesson, colour.end);
    if (!right)
        printf("  The same numbers again: CHECK_SEED=%llu make check N=%.2s\n", (unsigned long long)seed, lesson);
    return right ? 0 : 1;
}
