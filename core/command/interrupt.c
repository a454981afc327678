// interrupt.c - see interrupt.h

#include "command/interrupt.h"

#include "command/commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *watch(void *argument) {
    Interrupt *interrupt = argument;
    for (;;) {
        int number;
        if (sigwait(&interrupt->signals, &number) != 0) continue;
        Run *run = atomic_load(&interrupt->run);
        if (!run) {
            fputs("sculpt: interrupted: before the first step; the same command begins again\n", stderr);
            _exit(EXIT_RUN_FAILED);
        }
        atomic_store(&interrupt->happened, true);
        run_stop(run);
    }
}

bool interrupt_open(Interrupt *interrupt, Error *error) {
    atomic_init(&interrupt->run, NULL);
    atomic_init(&interrupt->happened, false);
    sigemptyset(&interrupt->signals);
    static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
        struct sigaction action;
        sigaction(SIGNALS[i], NULL, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&interrupt->signals, SIGNALS[i]);  // nohup's stay ignored
    }
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    int failure = pthread_create(&interrupt->watcher, NULL, watch, interrupt);
    if (failure) return error_set(error, "threads: can't make one: %s; close other programs", strerror(failure));
    return true;
}

void interrupt_set_run(Interrupt *interrupt, Run *run) { atomic_store(&interrupt->run, run); }

bool interrupt_happened(const Interrupt *interrupt) { return atomic_load(&interrupt->happened); }

void interrupt_close(Interrupt *interrupt) {
    pthread_cancel(interrupt->watcher);  // sigwait is where a thread can be cancelled
    pthread_join(interrupt->watcher, NULL);
    pthread_sigmask(SIG_UNBLOCK, &interrupt->signals, NULL);
}
