// lab_order.c - how the error of a scheduler falls with the number of its steps, beside ddim, euler and dpmpp_2m
//
// Order p: twice the steps, 2^p times less error. Measured where every place of the road is known (schedulers/road.h).
// Read next: lessons/05-euler/README.md.

#include "command/lab.h"

#include "schedulers/road.h"

#include <math.h>
#include <stdio.h>

enum { COUNTS = 5 };
static const size_t STEP_COUNTS[COUNTS] = {5, 10, 20, 40, 80};

static void print_row(const SchedulerKind *kind, const char *name) {
    static const float ARRIVAL = 250;  // the last strides are too short to tell orders apart
    double off[COUNTS], calls[COUNTS];
    printf("  %-10s", name);
    for (size_t i = 0; i < COUNTS; i++) {
        Scheduler *s = lab_scheduler_new(kind, STEP_COUNTS[i], NULL);
        off[i] = s ? road_miss(s, ARRIVAL, &calls[i]) : NAN;
        printf("  %8.5f", off[i]);
        scheduler_free(s);
    }
    printf("   %4.1f\n", log(off[COUNTS - 3] / off[COUNTS - 1]) / log(calls[COUNTS - 1] / calls[COUNTS - 3]));
}

void lab_measure_orders(void *subject) {
    static const double SECONDS = 10;
    static const SchedulerKind *const OTHERS[] = {&ddim_kind, &euler_kind, &dpmpp_2m_kind};
    Lab *lab = subject;
    const SchedulerKind *kind = lab_load_scheduler(lab);
    if (!kind) return;
    snprintf(lab->report->where, sizeof lab->report->where, "while it walked a road that is known");
    Scheduler *s = lab_scheduler_new(kind, 5, NULL);
    bool random = s && kind->draws_noise(s, 0);
    scheduler_free(s);
    if (random) {
        printf("\n  It draws fresh noise on the way, so it ends elsewhere each time and has no order.\n");
        return;
    }
    printf("\n  off the road by, steps:   ");
    for (size_t i = 0; i < COUNTS; i++) printf("%-10zu", STEP_COUNTS[i]);
    printf("order\n");
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) print_row(OTHERS[i], OTHERS[i]->name);
    child_clock(SECONDS);
    print_row(kind, "yours");
    child_clock(0);
}
