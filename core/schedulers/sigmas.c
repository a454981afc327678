// sigmas.c - see sigmas.h

#include "schedulers/sigmas.h"

#include "schedulers/noise_schedule.h"

#include <math.h>
#include <stdlib.h>

// rescale_betas_zero_snr makes the last sigma infinite; there diffusers takes the smallest number that f16 knows for a.
float sigma_at(const Scheduler *s, size_t timestep) {
    float a = s->alphas_cumprod[timestep] == 0 ? 0x1p-24f : s->alphas_cumprod[timestep];
    return sqrtf((1 - a) / a);
}

double sigma_between(const Scheduler *s, double timestep) {
    size_t last = s->config.num_train_timesteps - 1, below = (size_t)timestep;
    if (below >= last) return (double)sigma_at(s, last);
    double low = (double)sigma_at(s, below), high = (double)sigma_at(s, below + 1);
    return low + (high - low) * (timestep - (double)below);
}

float scheduler_sigma(const Scheduler *s, size_t k) {
    return s->sigmas[k] > 0 ? s->sigmas[k] : (float)sigma_between(s, (double)s->timesteps[k]);
}

// Between two timesteps log sigma is nearly a straight line, so there it is interpolated.
double timestep_of_sigma(const Scheduler *s, double sigma) {
    size_t last = s->config.num_train_timesteps - 1, below = 0;
    if (last == 0) return 0;
    double wanted = log(fmax(sigma, 1e-10));
    while (below + 1 < last && (double)logf(sigma_at(s, below + 1)) <= wanted) below++;
    float low = logf(sigma_at(s, below)), high = logf(sigma_at(s, below + 1));
    double part = ((double)low - wanted) / (double)(low - high);
    part = fmin(fmax(part, 0), 1);
    return (1 - part) * (double)below + part * (double)(below + 1);
}

// Evenly spaced in sigma^(1/7): ever shorter steps towards the end, where the details are drawn.
double karras_sigma(double first, double last, size_t k, size_t steps) {
    double rho = 7, from = pow(first, 1 / rho), to = pow(last, 1 / rho);
    double way = steps > 1 ? (double)k / (double)(steps - 1) : 0;
    return pow(from + way * (to - from), rho);
}

bool scheduler_take_sigmas(Scheduler *s, size_t num_inference_steps, Error *error) {
    size_t S = num_inference_steps;
    if (!scheduler_take_timesteps(s, S, false, error)) return false;
    double first = sigma_between(s, (double)s->timesteps[0]), last = sigma_between(s, (double)s->timesteps[S - 1]);
    for (size_t k = 0; k < S; k++) {
        double sigma = sigma_between(s, (double)s->timesteps[k]);
        if (s->config.use_karras_sigmas) {
            sigma = karras_sigma(first, last, k, S);
            s->timesteps[k] = (float)timestep_of_sigma(s, sigma);
        }
        s->sigmas[k] = (float)sigma;
    }
    s->sigmas[S] = 0;

    // The first latents are all noise with "linspace" and "trailing", which begin at the last timestep; "leading"
    // begins before it, where picture and noise together have this variance.
    float largest = s->sigmas[0];
    s->init_noise_sigma = s->config.timestep_spacing == SPACING_LEADING ? sqrtf(largest * largest + 1) : largest;
    return true;
}

bool scheduler_double(Scheduler *s, Error *error) {
    size_t S = s->timestep_count, count = 2 * S - 1;
    float *timesteps = malloc(count * sizeof *timesteps), *sigmas = malloc((count + 1) * sizeof *sigmas);
    if (!timesteps || !sigmas) {
        free(timesteps);
        free(sigmas);
        return error_set(error, "steps: no memory for %zu timesteps; close other programs", count);
    }
    for (size_t k = 0; k < count; k++) {
        timesteps[k] = s->timesteps[(k + 1) / 2];
        sigmas[k] = s->sigmas[(k + 1) / 2];
    }
    sigmas[count] = s->sigmas[S];
    free(s->timesteps);
    free(s->sigmas);
    s->timesteps = timesteps;
    s->sigmas = sigmas;
    s->timestep_count = count;
    return true;
}
