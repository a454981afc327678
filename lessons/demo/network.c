// network.c - see network.h

#include "demo/network.h"

#include "demo/demo.h"

#include <stdlib.h>
#include <string.h>

static const size_t ARENA_BYTES = (size_t)256 << 20;  // the small model's activations take a few of them

Network *network_open(const Model *model, const Settings *settings) {
    Error error = {0};
    Network *network = calloc(1, sizeof *network);
    demo_needs(network, &error);
    network->run = demo_run(model, settings);
    network->guidance_scale = settings->guidance_scale;
    run_latent_size(network->run, &network->height, &network->width);
    network->n = LATENT_CHANNELS * network->height * network->width;
    size_t rows, length, width;
    const float *text = run_text_embeddings(network->run, &rows, &length, &width);
    network->read = demo_copy(text, rows * length * width);
    network->text = tensor_over(network->read, shape3(rows, length, width));
    demo_needs(context_open(&network->ctx, ARENA_BYTES, 0, &error), &error);
    return network;
}

void network_close(Network *network) {
    context_close(&network->ctx);
    run_free(network->run);
    free(network->read);
    free(network);
}

float *network_word(Network *network, size_t place) {
    Shape text = network->text.shape;
    return tensor_f32(network->text) + ((text.axis[0] - 1) * text.axis[1] + place) * text.axis[2];
}

void network_take_words(Network *network, Network *from, size_t first, size_t last) {
    size_t width = network->text.shape.axis[2];
    memcpy(network_word(network, first), network_word(from, first), (last + 1 - first) * width * sizeof(float));
}

void network_answers(Network *network, const float *model_input, float timestep, float *answers) {
    size_t rows = network->text.shape.axis[0], n = network->n;
    float *inputs = demo_floats(rows * n), timesteps[2] = {timestep, timestep};
    for (size_t row = 0; row < rows; row++) memcpy(inputs + row * n, model_input, n * sizeof *inputs);
    Tensor latents = tensor_over(inputs, shape4(rows, LATENT_CHANNELS, network->height, network->width));

    Scope scope = scope_open(&network->ctx.arena);
    Tensor out = unet_forward(&network->ctx, run_model(network->run)->unet, latents,
                              tensor_over(timesteps, shape1(rows)), tensor_absent(), network->text);
    memcpy(answers, tensor_f32(out), rows * n * sizeof *answers);
    scope_close(&network->ctx.arena, &scope);
    free(inputs);
}

void network_ask(void *asked, const float *model_input, float timestep, float *noise_pred, size_t n) {
    Network *network = asked;
    size_t rows = network->text.shape.axis[0];
    float *answers = demo_floats(rows * n), *last = answers + (rows - 1) * n;
    network_answers(network, model_input, timestep, answers);
    // Of one row, first and last are the same, and so is what comes out.
    for (size_t i = 0; i < n; i++) noise_pred[i] = answers[i] + network->guidance_scale * (last[i] - answers[i]);
    free(answers);
}

void network_draw(const Network *network, NetworkAsk *ask, void *asked, float *latents) {
    Scheduler *s = scheduler_copy(run_scheduler(network->run));
    demo_needs(s, &(Error){0});
    float *noise_pred = demo_floats(network->n), *guess = demo_floats(network->n);
    memcpy(latents, run_latents(network->run), network->n * sizeof *latents);
    for (size_t k = 0; k < s->timestep_count; k++) {
        ask(asked, latents, s->timesteps[k], noise_pred, network->n);
        s->kind->step(s, k, latents, noise_pred, NULL, latents, guess, network->n);
    }
    free(noise_pred), free(guess);
    scheduler_free(s);
}
