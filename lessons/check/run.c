// run.c - a check program: each part in a child process, and what is said about it
//
// The parent never runs a learner's code, nor anything with threads: it forks, waits for so long, and reads the report
// that the child has left in shared memory.

#include "check/inside.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double CASE_SECONDS = 5;   // of processor time, unless check_seconds says otherwise
static const double PART_SECONDS = 60;  // by the clock on the wall, for one that only waits
static const float TOLERANCE = 1e-4f;

// There in a program that AddressSanitizer watches, which reserves terabytes and can't be held to a limit of memory.
extern void __asan_init(void) __attribute__((weak));

void limit_memory(size_t bytes) {
    if (!__asan_init) setrlimit(RLIMIT_AS, &(struct rlimit){bytes, (rlim_t)CHECK_MEMORY_GB << 30});
}

// ---- the child ------------------------------------------------------------------------------------------------------

static _Noreturn void child_run(void (*run)(Check *check), const char *lesson, Report *report, uint64_t seed) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    limit_memory((size_t)CHECK_MEMORY_GB << 30);
    setvbuf(stdout, NULL, _IOLBF, 0);  // what the learner prints is seen before a crash
    if (!freopen("/dev/null", "r", stdin)) _exit(1);

    Check check = {.lesson = lesson, .report = report, .seconds = CASE_SECONDS, .tolerance = TOLERANCE};
    rng_seed(&check.rng, seed);
    fault_catch(&check);
    fault_clock(check.seconds);
    run(&check);
    report->verdict = RIGHT;
    fflush(NULL);
    _exit(0);
}

// ---- the parent -----------------------------------------------------------------------------------------------------

// Runs it in a child, and kills that when its time is up. Gives the child's status as waitpid does.
static int run_in_child(void (*run)(Check *check), const char *lesson, Report *report, uint64_t seed) {
    memset(report, 0, sizeof *report);
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(2);
    }
    if (child == 0) child_run(run, lesson, report, seed);

    int status = 0;
    double start = seconds_now();
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (seconds_now() - start > PART_SECONDS) {
            report->fault = FAULT_TIME;
            kill(child, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return status;
}

static void say_why(const Report *report, int status, char *sentence, size_t size) {
    if (report->verdict == WRONG) {
        snprintf(sentence, size, "%s", report->sentence);
    } else if (report->fault) {
        fault_sentence(report, sentence, size);
    } else if (WIFSIGNALED(status)) {
        snprintf(sentence, size, "It was killed: %s.", strsignal(WTERMSIG(status)));
    } else {
        snprintf(sentence, size, "It ended the program (by exit?): a function hands back its answer and returns.");
    }
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
    int status = run_in_child(part->run, lesson, report, seed);
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
    Report *report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    uint64_t seed = seed_of_this_run();
    Colours colour = colours_here();

    bool right = true;
    for (size_t i = 0; i < part_count && right; i++) right = part_right(&parts[i], lesson, report, seed, colour);
    bool ended = report->verdict != UNDECIDED;  // what crashed, or didn't end, would do so again
    if (show && ended && !getenv("LESSON_NO_SHOW")) {
        run_in_child(show, lesson, report, seed);
        if (report->picture[0]) printf("  picture  %s\n", report->picture);
    }
    if (right) printf("%sLesson %s is right.%s\n", colour.right, lesson, colour.end);
    if (!right)
        printf("  The same numbers again: CHECK_SEED=%llu make check N=%.2s\n", (unsigned long long)seed, lesson);
    return right ? 0 : 1;
}
