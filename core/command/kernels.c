// kernels.c - `sculpt kernels`: the ops, and every way there is to compute each
//
// Read next: ops/registry.c, where the rows stand; ops/conv2d.c, the op that takes most of the time.

#include "command/commands.h"

#include "ops/registry.h"

#include <stdio.h>
#include <stdlib.h>

static const char *kernel_mark(const Kernel *kernel) {
    if (kernel->runs_here && !kernel->runs_here()) return "-";
    if (kernel == kernel_default(kernel->op, F32)) return "*";
    return kernel == kernel_default(kernel->op, BF16) ? "b" : " ";
}

int command_kernels(void) {
    Error error = {0};
    printf("Every op of the networks, and the variants that compute it, from the definition to the fastest.\n"
           "* runs unless --kernel OP=VARIANT chooses another, with --precision bf16 b where there is one; - can't run "
           "on\n"
           "this machine\n");
    for (size_t i = 0; i < kernel_count(); i++) {
        const Kernel *kernel = kernel_at(i);
        if (i == 0 || kernel_at(i - 1)->op != kernel->op)
            printf("\n%s: %s\n", op_name(kernel->op), op_about(kernel->op));
        printf("  %s %-10s %s\n", kernel_mark(kernel), kernel->variant, kernel->about);
    }
    printf("\nOne of your own: sculpt lab OP mine.c, which may begin with lessons/lab/OP.c.\n"
           "Try: time sculpt \"a red cat\" -s 3 --seed 1 --kernel conv2d=naive   the same picture, and what a good\n"
           "     kernel is worth.\n");
    return output_flush(&error) ? EXIT_SUCCESS : report_failure(&error);
}
