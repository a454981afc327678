// interrupt.h - Ctrl-C stops a run within one op, and nothing is left half-written
//
// A signal handler may do next to nothing, and could only reach the run through a global. So the signals are blocked in
// all threads instead, and one thread waits for them and calls run_stop.

#pragma once

#include "sculpt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct Interrupt {
    sigset_t signals;
    pthread_t watcher;
    atomic_bool happened;  // a signal came and the run was told to stop
    _Atomic(Run *) run;    // NULL: none has begun, so a signal ends the program at once, with a word about it
} Interrupt;

// To be called before any other thread is made (OpenMP's inherit the blocked signals). False when none can be made.
bool interrupt_open(Interrupt *interrupt, Error *error);
void interrupt_set_run(Interrupt *interrupt, Run *run);  // from here on, it is told to stop
bool interrupt_happened(const Interrupt *interrupt);
void interrupt_close(Interrupt *interrupt);  // before the run is freed
