// test_child.c - somebody else's code in a child: whatever it does is told in a sentence, and this process lives on

#include "test.h"

#include "base/child.h"
#include "base/difference.h"
#include "base/fence.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void returns(void *subject) { *(int *)subject = 7; }
static void divides(void *subject) {
    volatile int many = 1000, zero = *(int *)subject;
    *(int *)subject = many / zero;
}
static void follows_null(void *subject) {
    (void)subject;
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}
static void overruns(void *subject) {
    (void)subject;
    volatile float *numbers = fence_take("numbers", 5);
    for (int i = 0; i <= 5; i++) numbers[i] = 1;
}
static void never_ends(void *subject) {
    (void)subject;
    child_clock(0.05);
    for (volatile int i = 0; i < 1;) continue;
}
static void only_waits(void *subject) {
    (void)subject;
    for (;;) pause();
}
static void ends_all(void *subject) {
    (void)subject;
    _exit(0);
}
static void is_killed(void *subject) {
    (void)subject;
    kill(getpid(), SIGKILL);
}
static void does_what_it_cant(void *subject) {
    (void)subject;
    __builtin_trap();  // on x86 and ARM an instruction that there isn't
}
static void aborts(void *subject) {
    (void)subject;
    abort();
}

static void takes_too_much(void *subject) {
    (void)subject;
    child_memory_left(1 << 20);
    for (volatile float *piece;; piece[0] = 1) piece = malloc(1 << 14);
}

// There in a program that AddressSanitizer watches
extern void __asan_init(void) __attribute__((weak));

static void test_endings(void) {
    static const struct {
        void (*run)(void *subject);
        const char *says;       // "": it returned
        bool sanitizers_speak;  // which have words of their own for it
    } cases[] = {
        {returns, "", false},
        {overruns, "behind the end of `numbers`", false},
        {never_ends, "doesn't end", false},
        {ends_all, "by exit?", false},
        {is_killed, "It was killed", false},
        {aborts, "It was aborted", false},
        {does_what_it_cant, "instruction", false},
        {divides, "by 0", true},
        {follows_null, "NULL", true},
        {takes_too_much, "out of memory", true},
    };
    struct {
        int number;
        Ending ending;
    } *shared = child_memory(sizeof *shared);
    EXPECT(shared, "no memory");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ChildLimits limits = {.seconds = 20, .memory_bytes = (size_t)2 << 30};
        char why[512];
        if (cases[i].sanitizers_speak && __asan_init) continue;
        shared->number = 0;
        int status = child_run(cases[i].run, &shared->number, limits, &shared->ending);
        child_sentence(&shared->ending, status, limits, why, sizeof why);
        EXPECT(*cases[i].says ? strstr(why, cases[i].says) != NULL : !*why && status == 0, "case %zu: \"%s\"", i, why);
        EXPECT(cases[i].run != returns || shared->number == 7, "what the child wrote isn't seen");
    }
    ChildLimits short_time = {.seconds = 0.05};
    char why[512];
    int status = child_run(only_waits, NULL, short_time, &shared->ending);
    child_sentence(&shared->ending, status, short_time, why, sizeof why);
    EXPECT(strstr(why, "doesn't end"), "one that waits: \"%s\"", why);
}

static void test_differences(void) {
    const float right[6] = {1, 2, 3, 4, 5, NAN};
    float yours[6] = {1, 2, 3, 4.5f, 5, NAN};
    char text[256];
    EXPECT(numbers_alike(yours, right, 3, 0) && !numbers_alike(yours, right, 6, 0.1f), "the fourth differs");
    EXPECT(numbers_alike(yours, right, 6, 0.5f), "NaN is like NaN");
    difference_describe("out", shape2(2, 3), yours, right, 0.1f, text, sizeof text);
    EXPECT(strcmp(text, "out[1, 0] is 4.5, should be 4 (off by +0.5); 1 of 6 numbers differ") == 0, "%s", text);
    fill_unwritten(yours + 4, 1);
    difference_general("out", yours, right, 5, 0.1f, text, sizeof text);
    EXPECT(strstr(text, "1 of the 5 numbers of `out` were never written"), "%s", text);
    for (int i = 0; i < 5; i++) yours[i] = 3 * right[i];
    difference_general("out", yours, right, 5, 0.1f, text, sizeof text);
    EXPECT(strstr(text, "3 times what it should be"), "%s", text);
    EXPECT(fabs(distance_between(yours, right, 5) - 2) < 1e-6, "three times is twice as far off as long");
}

int main(void) {
    TEST(test_endings);
    TEST(test_differences);
    return test_summary();
}
