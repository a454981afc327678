// prompts.c - what the U-Net gets to know of the words
//
// Where: at the start of a run, once; the vectors are the same for all steps. Elsewhere: encode_prompt in diffusers'
// StableDiffusionPipeline. Read next: stages/tokenizer.c, stages/text_encoder.c.

#include "run/run.h"

#include <stdlib.h>
#include <string.h>

static bool tokens_make(TokenIds tokens[2], const Model *model, const Settings *settings, Error *error) {
    bool (*encode)(const Tokenizer *, const char *, TokenIds *, Error *) =
        settings->prompt_weights ? tokenizer_encode_weighted : tokenizer_encode;
    if (!encode(model->tokenizer, settings->negative_prompt, &tokens[0], error)) return false;
    if (encode(model->tokenizer, settings->prompt, &tokens[1], error)) return true;
    token_ids_free(&tokens[0]);
    return false;
}

// Of two rows the first is the negative prompt's; a single one is the prompt's.
static const TokenIds *row_tokens(const Prompts *prompts, size_t row) {
    return &prompts->tokens[prompts->rows == 2 ? row : 1];
}

// ---- weights --------------------------------------------------------------------------------------------------------

static double mean_of(const float *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    return sum / (double)n;
}

// A word that weighs more has a longer vector: each token's is multiplied by its weight, and then all of them (the ends
// and the padding, too, whose weight is 1) by one number that makes their mean what it was. So the web UIs do it, and
// diffusers' community pipeline lpw_stable_diffusion; nothing says that it must be the mean. The vectors were made without
// the weights: a word's neighbours have read it as it is. embeddings [length, width]
static bool weigh_tokens(float *embeddings, const TokenIds *tokens, size_t width, Error *error) {
    size_t n = tokens->length * width;
    bool weighted = false;
    double mean = mean_of(embeddings, n);
    for (size_t i = 0; i + 2 < tokens->used; i++) {
        float *vector = embeddings + (i + 1) * width, weight = tokens->tokens[i].weight;
        for (size_t d = 0; d < width; d++) vector[d] *= weight;
        weighted = weighted || weight != 1;
    }
    if (!weighted) return true;
    double weighted_mean = mean_of(embeddings, n);
    if (weighted_mean == 0) {
        return error_set(
            error, "prompt: the mean of its weighted vectors is 0 and can't be kept at %g; use other weights", mean);
    }
    for (size_t i = 0; i < n; i++) embeddings[i] *= (float)(mean / weighted_mean);
    return true;
}

// ---- embeddings -----------------------------------------------------------------------------------------------------

// Both prompts go through the text encoder as one batch, unless layers are left out: diffusers does that to the prompt
// alone, and sends the negative one through all of them. (The web UIs leave them out for both.)
void prompts_forward(Context *ctx, const TextEncoder *encoder, int64_t *ids, size_t rows, size_t length,
                     size_t clip_skip, float *embeddings) {
    size_t width = text_encoder_config(encoder)->hidden_size, batch = clip_skip > 0 ? 1 : rows;
    for (size_t row = 0; row < rows; row += batch) {
        bool last = row + batch == rows;  // and so with the prompt in it
        Scope scope = scope_open(&ctx->arena);
        Tensor input_ids = tensor_over_ids(ids ? ids + row * length : NULL, shape2(batch, length));
        Tensor out = text_encoder_forward(ctx, encoder, input_ids, last ? clip_skip : 0);  // [batch, length, width]
        if (embeddings) {
            memcpy(embeddings + row * length * width, tensor_f32(out), batch * length * width * sizeof *embeddings);
        }
        scope_close(&ctx->arena, &scope);
    }
}

static bool embeddings_make(Prompts *prompts, Context *ctx, const Model *model, const Settings *settings,
                            Error *error) {
    size_t rows = prompts->rows, length = prompts->length, count = rows * length * prompts->width;
    int64_t *ids = malloc(rows * length * sizeof *ids);
    prompts->embeddings = malloc(count * sizeof *prompts->embeddings);
    if (!ids || !prompts->embeddings) {
        free(ids);
        return error_set(error, "prompt: no memory for %zu numbers; close other programs", count);
    }
    for (size_t row = 0; row < rows; row++) {
        memcpy(ids + row * length, row_tokens(prompts, row)->ids, length * sizeof *ids);
    }
    int threads_before = context_enter(ctx);
    prompts_forward(ctx, model->text_encoder, ids, rows, length, settings->clip_skip, prompts->embeddings);
    context_leave(threads_before);
    free(ids);
    if (context_stopped(ctx)) return error_set(error, "cancelled");

    for (size_t row = 0; row < rows; row++) {
        float *embeddings = prompts->embeddings + row * length * prompts->width;
        if (!weigh_tokens(embeddings, row_tokens(prompts, row), prompts->width, error)) return false;
    }
    return true;
}

// The embeddings, as every layer of the U-Net will read them
static bool text_make(Prompts *prompts, Context *ctx, const Model *model, Error *error) {
    int threads_before = context_enter(ctx);
    bool ok = text_memory_make(&prompts->text, ctx, model->unet, prompts_embeddings(prompts, prompts->rows), error);
    context_leave(threads_before);
    return ok && (!context_stopped(ctx) || error_set(error, "cancelled"));
}

Tensor prompts_embeddings(const Prompts *prompts, size_t rows) {
    Tensor all = tensor_over(prompts->embeddings, shape3(prompts->rows, prompts->length, prompts->width));
    return tensor_last_rows(all, rows);
}

bool prompts_encode(Prompts *prompts, Context *ctx, const Model *model, const Settings *settings, Error *error) {
    *prompts = (Prompts){.rows = settings_guided(model, settings) ? 2 : 1,
                         .length = model->tokenizer->length,
                         .width = text_encoder_config(model->text_encoder)->hidden_size};
    if (!tokens_make(prompts->tokens, model, settings, error)) return false;
    bool ok = embeddings_make(prompts, ctx, model, settings, error);
    if (ok && settings->exact)
        ok = exact_choices_make(prompts, settings, error);
    else if (ok)
        ok = text_make(prompts, ctx, model, error);
    if (ok) return true;
    prompts_free(prompts);
    return false;
}

bool prompts_copy(Prompts *to, const Prompts *from, const Model *model, const Settings *settings, Error *error) {
    Prompts copy = *from;
    size_t bytes = from->rows * from->length * from->width * sizeof *copy.embeddings;
    copy.embeddings = malloc(bytes);
    if (!copy.embeddings) return error_set(error, "prompt: no memory for %zu bytes; close other programs", bytes);
    memcpy(copy.embeddings, from->embeddings, bytes);
    copy.text = (TextMemory){0};
    memset(copy.choices, 0, sizeof copy.choices);
    if (tokens_make(copy.tokens, model, settings, error)) {
        *to = copy;
        bool read = !from->text.memory || text_memory_copy(&to->text, &from->text, error);
        if (read && exact_choices_copy(to, from, error)) return true;
        prompts_free(to);
        return false;
    }
    free(copy.embeddings);
    return false;
}

void prompts_free(Prompts *prompts) {
    token_ids_free(&prompts->tokens[0]);
    token_ids_free(&prompts->tokens[1]);
    free(prompts->embeddings);
    text_memory_free(&prompts->text);
    exact_choices_free(prompts);
    *prompts = (Prompts){0};
}
