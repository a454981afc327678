// test_precision.c - computing in bf16: which kernels run, what is kept, and how far the small trained model's numbers go
//
// That this is no farther than torch's bf16 goes on the same input, tests/reference_precision.py shows.

#include "test.h"

#include "sculpt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CRITTERS "data/models/critters"

static const double BOUND_NOISE = 1.5e-2;  // relative L2 of the first answer; torch in bf16 is off by that much
static const double BOUND_PICTURE = 40;    // dB

static Model *open_as(DType matrix_type) {
    Error error = {0};
    Model *model = model_open_with(CRITTERS, &(ModelOptions){.matrix_type = matrix_type}, &error);
    EXPECT(model, "%s", error.message);
    return model;
}

static Settings settings_of(const Model *model) {
    Settings settings = settings_default(model);
    settings.prompt = "a pygmy hippo wearing sunglasses on the beach";
    settings.num_inference_steps = 10;
    settings.guidance_scale = 4;
    settings.seed = 1;
    return settings;
}

static void test_defaults(void) {
    for (int op = 0; op < OP_COUNT; op++) {
        const Kernel *whole = kernel_default((Op)op, F32), *brain = kernel_default((Op)op, BF16);
        EXPECT(whole->precision == F32, "%s=%s is f32's default", op_name((Op)op), whole->variant);
        bool any = false;
        for (size_t row = 0; row < kernel_count(); row++) {
            const Kernel *kernel = kernel_at(row);
            bool runs = kernel->op == (Op)op && (!kernel->runs_here || kernel->runs_here());
            any = any || (runs && kernel->precision == BF16);
        }
        EXPECT(any ? brain->precision == BF16 : brain == whole, "%s=%s is bf16's default", op_name((Op)op),
               brain->variant);
    }
    EXPECT(kernel_default(OP_LINEAR, BF16)->precision == BF16, "linear isn't computed in bf16");
}

static void test_what_is_kept(void) {
    Model *whole = open_as(F32), *brain = open_as(BF16);
    if (!whole || !brain) return;
    size_t parameters = unet_parameters(whole->unet), bytes = unet_weight_bytes(brain->unet);
    EXPECT(unet_weight_bytes(whole->unet) == 4 * parameters, "%zu bytes in f32", unet_weight_bytes(whole->unet));
    EXPECT(bytes >= 2 * parameters && bytes < 2.05 * (double)parameters, "%zu bytes in bf16 for %zu", bytes,
           parameters);
    EXPECT(settings_default(whole).precision == F32 && settings_default(brain).precision == BF16, "default precision");

    Error error = {0};
    Settings settings = settings_of(brain);
    RunCost cost;
    settings.precision = F16;
    EXPECT(!run_cost(brain, &settings, &cost, &error) && strstr(error.message, "F16"), "said: %s", error.message);
    model_close(whole);
    model_close(brain);
}

typedef struct Drawn {
    float noise_pred[LATENT_CHANNELS * 16 * 16];  // of the first step
    Image image;
} Drawn;

static void draw(const Model *model, const Settings *settings, Drawn *drawn) {
    Error error = {0};
    Run *run = run_begin(model, settings, &error);
    EXPECT(run && run_step(run, &error) == STEP_DONE_ONE, "%s", error.message);
    memcpy(drawn->noise_pred, run_last_step(run)->noise_pred, sizeof drawn->noise_pred);
    while (run_step(run, &error) == STEP_DONE_ONE) continue;
    EXPECT(run_finish(run, &drawn->image, &error), "%s", error.message);
    run_free(run);
}

static double psnr(const Image *a, const Image *b) {
    double sum = 0;
    size_t n = 3 * a->width * a->height;
    for (size_t i = 0; i < n; i++) sum += pow(((double)a->pixels[i] - b->pixels[i]) / 255, 2);
    return -10 * log10(sum / (double)n);
}

// Model and kernels in f32 and bf16, in every combination; the first is what the others are held against.
static void test_critters(void) {
    static const struct {
        const char *name;
        DType matrices, precision;
    } CASES[] = {{"f32", F32, F32},
                 {"bf16", BF16, BF16},
                 {"bf16 weights, f32 kernels", BF16, F32},
                 {"f32 weights, bf16 kernels", F32, BF16},
                 {"f16 weights, bf16 kernels", F16, BF16}};
    static Drawn drawn[sizeof CASES / sizeof *CASES];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Model *model = open_as(CASES[i].matrices);
        if (!model) return;
        Settings settings = settings_of(model);
        settings.precision = CASES[i].precision;
        draw(model, &settings, &drawn[i]);
        model_close(model);
        if (i == 0) continue;
        double off = relative_l2(drawn[i].noise_pred, drawn[0].noise_pred, LATENT_CHANNELS * 16 * 16);
        double near = psnr(&drawn[i].image, &drawn[0].image);
        printf("%-27s first answer %.1e (bound %.1e)  picture %4.1f dB (bound %.0f)\n", CASES[i].name, off, BOUND_NOISE,
               near, BOUND_PICTURE);
        EXPECT(off > 1e-5 && off <= BOUND_NOISE, "%s: the first answer is off by %.2g", CASES[i].name, off);
        EXPECT(near >= BOUND_PICTURE, "%s: the picture is %.1f dB from f32's", CASES[i].name, near);
    }
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) image_free(&drawn[i].image);
}

int main(void) {
    TEST(test_defaults);
    TEST(test_what_is_kept);
    TEST(test_critters);
    return test_summary();
}
