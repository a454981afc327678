// test_plugin.c - kernels and schedulers from shared objects: what is loaded computes, and what is wrong is refused
//
// The objects are compiled here, by $CC or cc, as somebody would by hand.

#include "test.h"

#include "base/plugin.h"
#include "ops/context.h"
#include "ops/kernel_file.h"
#include "ops/my_kernel.h"
#include "schedulers/my_scheduler.h"
#include "schedulers/scheduler_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

// build/tmp/test_plugin/NAME.so of this source text
static const char *compiled(const char *name, const char *text) {
    static char path[300];
    char source[300], command[900];
    snprintf(source, sizeof source, "%s/%s.c", folder, name);
    snprintf(path, sizeof path, "%s/%s.so", folder, name);
    FILE *file = fopen(source, "w");
    EXPECT(file, "%s can't be written", source);
    fputs(text, file);
    fclose(file);
    snprintf(command, sizeof command, "${CC:-cc} -shared -fPIC -Icore %s -o %s", source, path);
    EXPECT(system(command) == 0, "%s doesn't compile", source);
    return path;
}

static const char DOUBLE[] = "#include \"ops/my_kernel.h\"\n"
                             "static void twice(float *out, const float *in, size_t n) {\n"
                             "    for (size_t i = 0; i < n; i++) out[i] = 2 * in[i];\n"
                             "}\n"
                             "KernelPlugin sculpt_kernel = {KERNEL_ABI, \"silu\", .silu = twice};\n";

static void test_a_kernel_computes(void) {
    char choice[400];
    Error error = {0};
    snprintf(choice, sizeof choice, "silu=%s", compiled("double", DOUBLE));
    Context ctx;
    EXPECT(context_open(&ctx, 1 << 20, 1, &error), "%s", error.message);
    EXPECT(!context_choose_kernel(&ctx, choice, &error) && strstr(error.message, "only --kernel"),
           "what nobody loaded was found: %s", error.message);
    error = (Error){0};
    EXPECT(kernel_load(choice, &error) && context_choose_kernel(&ctx, choice, &error), "%s", error.message);
    float in = 5, out = 0;
    ((ActivationKernel *)ctx.kernels[OP_SILU]->function)(&out, &in, 1);
    EXPECT(out == 10, "twice 5 is %g", (double)out);
    EXPECT(strcmp(ctx.kernels[OP_SILU]->variant, strchr(choice, '=') + 1) == 0, "its variant is %s",
           ctx.kernels[OP_SILU]->variant);
    memcpy(choice, "relu", 4);
    EXPECT(!context_choose_kernel(&ctx, choice, &error) && strstr(error.message, "computes silu, not relu"),
           "for another op: %s", error.message);
    context_close(&ctx);
}

static void test_wrong_kernels_are_refused(void) {
    static const struct {
        const char *name, *text, *says;
    } wrong[] = {
        {"old", "#include \"ops/my_kernel.h\"\nKernelPlugin sculpt_kernel = {KERNEL_ABI - 1, \"silu\"};\n",
         "compile it anew"},
        {"unknown", "#include \"ops/my_kernel.h\"\nKernelPlugin sculpt_kernel = {KERNEL_ABI, \"silo\"};\n", "no op"},
        {"unnamed", "#include \"ops/my_kernel.h\"\nKernelPlugin sculpt_kernel = {KERNEL_ABI};\n", "no op"},
        {"empty", "#include \"ops/my_kernel.h\"\nKernelPlugin sculpt_kernel = {KERNEL_ABI, \"silu\"};\n",
         "set .silu in"},
        {"other",
         "#include \"ops/my_kernel.h\"\nstatic void f(float *o, const float *i, size_t n) { *o = *i + n; }\n"
         "KernelPlugin sculpt_kernel = {KERNEL_ABI, \"relu\", .relu = f};\n",
         "computes relu, not silu"},
        {"types",
         "#include \"ops/my_kernel.h\"\nstatic void f(float *o, const float *i, size_t n) { *o = *i + n; }\n"
         "KernelPlugin sculpt_kernel = {KERNEL_ABI, \"silu\", .silu = f, .weight_type = I64};\n",
         "weight_type"},
        {"nothing", "int sculpt_nothing;\n", "exports no `sculpt_kernel`"},
        {"needy",
         "#include \"ops/my_kernel.h\"\nKernelPlugin sculpt_kernel = {KERNEL_ABI, \"silu\", .silu = "
         "silu_openmp};\n",
         "can't be loaded"},
    };
    char choice[400];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Error error = {0};
        snprintf(choice, sizeof choice, "silu=%s", compiled(wrong[i].name, wrong[i].text));
        EXPECT(!kernel_load(choice, &error) && strstr(error.message, wrong[i].says), "%s: %s", wrong[i].name,
               error.message);
    }
    Error error = {0};
    EXPECT(!kernel_load("silu=./nowhere.so", &error) && strstr(error.message, "can't be read"), "%s", error.message);
    error = (Error){0};
    EXPECT(!kernel_load("silu=./Makefile", &error) && strstr(error.message, "can't be loaded"), "%s", error.message);
    EXPECT(kernel_load("silu=naive", NULL) && kernel_load("silo=./a.so", NULL), "what is no file isn't loaded");
}

// A step alone: the rest is ddim's.
static void test_a_scheduler_steps(void) {
    const char *path = compiled("still", "#include \"schedulers/my_scheduler.h\"\n"
                                         "static void still(Scheduler *s, size_t k, const float *x, const float *m,\n"
                                         "    const float *fresh, float *prev, float *x0, size_t n) {\n"
                                         "    for (size_t i = 0; i < n; i++) prev[i] = x0[i] = x[i];\n"
                                         "}\n"
                                         "SchedulerPlugin sculpt_scheduler = {SCHEDULER_ABI,\n"
                                         "    {.variance_preserving = true, .step = still}};\n");
    Error error = {0};
    EXPECT(!scheduler_kind_named(path, &error) && strstr(error.message, "only --scheduler"), "%s", error.message);
    error = (Error){0};
    EXPECT(scheduler_load(path, &error), "%s", error.message);
    const SchedulerKind *kind = scheduler_kind_named(path, &error);
    EXPECT(kind && kind->set_timesteps == ddim_kind.set_timesteps && strcmp(kind->name, path) == 0, "%s",
           error.message);
    if (!kind) return;
    Scheduler *s = scheduler_new(kind, &kind->defaults, &error);
    EXPECT(s && kind->set_timesteps(s, 5, &error) && s->timestep_count == 5, "%s", error.message);
    float x = 3, m = 1, prev, x0;
    kind->step(s, 0, &x, &m, NULL, &prev, &x0, 1);
    EXPECT(prev == 3 && x0 == 3, "it went to %g", (double)prev);
    scheduler_free(s);
}

static void test_wrong_schedulers_are_refused(void) {
    Error error = {0};
    const char *old = compiled("old_scheduler", "#include \"schedulers/my_scheduler.h\"\n"
                                                "SchedulerPlugin sculpt_scheduler = {SCHEDULER_ABI + 1};\n");
    EXPECT(!scheduler_load(old, &error) && strstr(error.message, "compile it anew"), "%s", error.message);
    error = (Error){0};
    EXPECT(!scheduler_load(compiled("double", DOUBLE), &error) && strstr(error.message, "sculpt_scheduler"), "%s",
           error.message);
    EXPECT(scheduler_load("ddim", NULL), "a name isn't loaded");
}

// What was compiled yesterday reads its arguments as they were yesterday: whoever changes these sizes raises KERNEL_ABI,
// or SCHEDULER_ABI, and then the number here.
static void test_versions(void) {
    size_t shapes = sizeof(Conv2dShape) + sizeof(LinearShape) + sizeof(AttentionShape) + sizeof(GroupNormShape) +
                    sizeof(LayerNormShape) + sizeof(GegluShape) + sizeof(PlanesShape) + sizeof(ConcatShape) +
                    sizeof(UpsampleShape) + sizeof(EmbeddingShape) + sizeof(TimestepEmbeddingShape) +
                    sizeof(GuidanceEmbeddingShape) + sizeof(KernelPlugin);
    EXPECT(KERNEL_ABI == 1 && shapes == 520, "version %d, %zu bytes", KERNEL_ABI, shapes);
    size_t schedulers = sizeof(Scheduler) + sizeof(SchedulerKind) + sizeof(History) + sizeof(Error);
    EXPECT(SCHEDULER_ABI == 1 && schedulers == 1712, "version %d, %zu bytes", SCHEDULER_ABI, schedulers);
}

int main(void) {
    folder = test_folder("test_plugin");
    TEST(test_a_kernel_computes);
    TEST(test_wrong_kernels_are_refused);
    TEST(test_a_scheduler_steps);
    TEST(test_wrong_schedulers_are_refused);
    TEST(test_versions);
    return test_summary();
}
