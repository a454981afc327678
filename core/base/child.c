// child.c - see child.h
//
// Signals are how the system says it: SIGSEGV for memory that isn't there, SIGFPE for a division of whole numbers by 0,
// SIGPROF when the processor time is over. The handler notes which it was and ends the child; the parent makes a sentence
// of it.

#include "base/child.h"

#include "base/clock.h"
#include "base/fence.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// There in a program that AddressSanitizer watches, which reserves terabytes and can't be held to a limit of memory.
extern void __asan_init(void) __attribute__((weak));

// ---- in the child: what a signal handler needs, which is told nothing -----------------------------------------------

static Ending *current;
static size_t memory_allowed;
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
    return allowed.rlim_cur != RLIM_INFINITY && memory_used() > allowed.rlim_cur / 8 * 7;
}

static void limit_memory(size_t bytes) {
    if (!__asan_init && memory_allowed > 0) setrlimit(RLIMIT_AS, &(struct rlimit){bytes, (rlim_t)memory_allowed});
}

void child_memory_left(size_t bytes) { limit_memory(bytes ? memory_used() + bytes : memory_allowed); }

static Fault fault_at(uintptr_t address) {
    const char *name = fence_at(address);
    if (name) {
        for (size_t k = 0; name[k] && k + 1 < sizeof current->array_name; k++) current->array_name[k] = name[k];
        return FAULT_FENCE;
    }
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    const uintptr_t slack = 1 << 20;
    if (stack.rlim_cur != RLIM_INFINITY && address < stack_top && address + stack.rlim_cur + slack > stack_top)
        return FAULT_STACK;
    if (address < memory_allowed && memory_used_up()) return FAULT_MEMORY;  // malloc said NULL, and nobody looked
    return address < 1 << 16 ? FAULT_NULL : FAULT_WILD;
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    Fault fault = FAULT_ABORT;
    if (signal == SIGSEGV || signal == SIGBUS) fault = fault_at((uintptr_t)info->si_addr);
    if (signal == SIGFPE) fault = FAULT_DIVISION;
    if (signal == SIGILL) fault = FAULT_INSTRUCTION;
    if (signal == SIGPROF) fault = FAULT_TIME;
    current->fault = fault;
    _exit(1);
}

static void catch_faults(Ending *ending) {
    current = ending;
    char here;
    stack_top = (uintptr_t)&here;
    sigaltstack(&(stack_t){.ss_sp = handler_stack, .ss_size = sizeof handler_stack}, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

void child_clock(double seconds) {
    long whole = (long)seconds;
    struct itimerval timer = {.it_value = {whole, (long)((seconds - (double)whole) * 1e6)}};
    setitimer(ITIMER_PROF, &timer, NULL);
}

static _Noreturn void child_main(void (*run)(void *subject), void *subject, ChildLimits limits, Ending *ending) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    memory_allowed = limits.memory_bytes;
    limit_memory(memory_allowed);
    setvbuf(stdout, NULL, _IOLBF, 0);  // what is printed is seen before a crash
    if (!freopen("/dev/null", "r", stdin)) _exit(1);
    catch_faults(ending);
    run(subject);
    ending->returned = true;
    fflush(NULL);
    _exit(0);
}

// ---- in the parent --------------------------------------------------------------------------------------------------

void *child_memory(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int child_run(void (*run)(void *subject), void *subject, ChildLimits limits, Ending *ending) {
    *ending = (Ending){0};
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) child_main(run, subject, limits, ending);

    int status = 0;
    double start = seconds_now();
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (limits.seconds > 0 && seconds_now() - start > limits.seconds) {
            ending->fault = FAULT_TIME;
            kill(child, SIGKILL);
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return status;
}

static void fault_sentence(const Ending *ending, double memory_gb, char *sentence, size_t size) {
    switch (ending->fault) {
    case FAULT_FENCE:
        snprintf(sentence, size,
                 "It read or wrote behind the end of `%s`: is an index too large, or does a loop go one too far?",
                 ending->array_name);
        break;
    case FAULT_NULL:
        snprintf(sentence, size,
                 "It crashed: it followed a pointer that is NULL. (malloc gives NULL when there is no "
                 "memory.)");
        break;
    case FAULT_STACK:
        snprintf(sentence, size,
                 "The stack is full: a function calls itself without end, or a local array is very large.");
        break;
    case FAULT_MEMORY:
        snprintf(sentence, size, "It ran out of memory: more than %.2g GB. Is a malloc in a loop, without its free?",
                 memory_gb);
        break;
    case FAULT_WILD:
        snprintf(sentence, size,
                 "It crashed: it read or wrote where there is no memory. Is an index negative, a pointer not "
                 "set, or malloc given n instead of n * sizeof(float)?");
        break;
    case FAULT_DIVISION: snprintf(sentence, size, "It crashed: it divided a whole number by 0."); break;
    case FAULT_INSTRUCTION:
        snprintf(sentence, size,
                 "It crashed at an instruction that this processor hasn't got: was it compiled for another?");
        break;
    case FAULT_TIME:
        snprintf(sentence, size,
                 "It doesn't end: still at work when its time was up. Does the loop ever reach its end?");
        break;
    default: snprintf(sentence, size, "It was aborted: the lines above may say why."); break;
    }
}

void child_sentence(const Ending *ending, int status, ChildLimits limits, char *sentence, size_t size) {
    sentence[0] = '\0';
    if (status == -1) {
        snprintf(sentence, size, "There can be no other process: the system refuses one.");
    } else if (ending->fault) {
        fault_sentence(ending, (double)limits.memory_bytes / (1 << 30), sentence, size);
    } else if (WIFSIGNALED(status)) {
        snprintf(sentence, size, "It was killed: %s.", strsignal(WTERMSIG(status)));
    } else if (!ending->returned) {
        snprintf(sentence, size, "It ended the program (by exit?): a function hands back its answer and returns.");
    }
}
