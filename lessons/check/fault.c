// fault.c - whatever ends a learner's function before its time, as a sentence
//
// Signals are how the system says it: SIGSEGV for memory that isn't there, SIGFPE for a division of whole numbers by 0,
// SIGPROF when the case's processor time is over. The handler notes in the report which it was, and ends the child; the
// parent makes a sentence of it.

#include "check/inside.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static Check *current;                 // a signal handler is told nothing else
static uintptr_t stack_top;            // roughly
static char handler_stack[64 * 1024];  // when the stack is full, the handler needs another

// How many bytes of the address space are taken, from /proc/self/statm's first number; only calls that a handler may make.
static size_t memory_used(void) {
    char text[64] = {0};
    int file = open("/proc/self/statm", O_RDONLY);
    if (file < 0 || read(file, text, sizeof text - 1) <= 0) return 0;
    close(file);
    size_t pages = 0;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++) pages = pages * 10 + (size_t)(*c - '0');
    return pages * 4096;
}

static bool memory_used_up(void) {
    struct rlimit allowed;
    getrlimit(RLIMIT_AS, &allowed);
    return memory_used() > allowed.rlim_cur / 8 * 7;
}

void check_memory(Check *check, size_t bytes, const char *sentence) {
    limit_memory(bytes ? memory_used() + bytes : (size_t)CHECK_MEMORY_GB << 30);
    snprintf(check->report->memory, sizeof check->report->memory, "%s", bytes ? sentence : "");
}

static Fault fault_at(uintptr_t address) {
    for (size_t i = 0; i < current->array_count; i++) {
        const Array *array = &current->arrays[i];
        uintptr_t fence = (uintptr_t)array->fence;
        if (address < fence || address >= (uintptr_t)array->pages + array->bytes) continue;
        for (size_t k = 0; array->name[k] && k + 1 < sizeof current->report->array_name; k++) {
            current->report->array_name[k] = array->name[k];
        }
        return FAULT_FENCE;
    }
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    const uintptr_t slack = 1 << 20;
    if (stack.rlim_cur != RLIM_INFINITY && address < stack_top && address + stack.rlim_cur + slack > stack_top)
        return FAULT_STACK;
    const uintptr_t farthest = (uintptr_t)CHECK_MEMORY_GB << 30;      // from NULL, by an index
    if (address < farthest && memory_used_up()) return FAULT_MEMORY;  // malloc said NULL, and nobody looked
    return address < 1 << 16 ? FAULT_NULL : FAULT_WILD;
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    Fault fault = FAULT_ABORT;
    if (signal == SIGSEGV || signal == SIGBUS) fault = fault_at((uintptr_t)info->si_addr);
    if (signal == SIGFPE) fault = FAULT_DIVISION;
    if (signal == SIGPROF) fault = FAULT_TIME;
    current->report->fault = fault;
    _exit(1);
}

void fault_catch(Check *check) {
    current = check;
    char here;
    stack_top = (uintptr_t)&here;
    sigaltstack(&(stack_t){.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

void fault_clock(double seconds) {
    long whole = (long)seconds;
    struct itimerval timer = {.it_value = {whole, (long)((seconds - (double)whole) * 1e6)}};
    setitimer(ITIMER_PROF, &timer, NULL);
}

void fault_sentence(const Report *report, char *sentence, size_t size) {
    switch (report->fault) {
    case FAULT_FENCE:
        snprintf(sentence, size,
                 "It read or wrote behind the end of `%s`: is an index too large, or does a loop go one too far?",
                 report->array_name);
        break;
    case FAULT_NULL:
        snprintf(
            sentence, size,
            "It crashed: it followed a pointer that is NULL. (malloc gives NULL when there is no memory; a check has "
            "%d GB.)",
            CHECK_MEMORY_GB);
        break;
    case FAULT_STACK:
        snprintf(sentence, size,
                 "The stack is full: a function calls itself without end, or a local array is very large.");
        break;
    case FAULT_MEMORY:
        if (report->memory[0]) {
            snprintf(sentence, size, "%s", report->memory);
            break;
        }
        snprintf(sentence, size, "It ran out of memory: more than %d GB. Is a malloc in a loop, without its free?",
                 CHECK_MEMORY_GB);
        break;
    case FAULT_WILD:
        snprintf(sentence, size,
                 "It crashed: it read or wrote where there is no memory. Is an index negative, or a pointer not set?");
        break;
    case FAULT_DIVISION: snprintf(sentence, size, "It crashed: it divided a whole number by 0."); break;
    case FAULT_TIME:
        snprintf(sentence, size,
                 "It doesn't end: still at work when its time was up. Does the loop ever reach its end?");
        break;
    default: snprintf(sentence, size, "It was aborted: the lines above may say why."); break;
    }
}
