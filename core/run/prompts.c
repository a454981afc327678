// prompts.c - what the U-Net gets to know of the words
//
// Where: at the start of a run, once; the vectors are the same for all steps. Elsewhere: encode_prompt in diffusers'
// StableDiffusionPipeline. Read next: stages/tokenizer.c, stages/text_encoder.c.

#include "run/run.h"

#include <stdlib.h>
#include <string.h>

static bool tokens_make(TokenIds tokens[2], const Model *model, const Settings *settings, Error *error) {
    if (!tokenizer_encode(model->tokenizer, settings->negative_prompt, &tokens[0], error)) return false;
    if (tokenizer_encode(model->tokenizer, settings->prompt, &tokens[1], error)) return true;
    token_ids_free(&tokens[0]);
    return false;
}

// Both prompts go through the text encoder as one batch: ids [rows, length] -> embeddings [rows, length, width].
static bool embeddings_make(Prompts *prompts, Context *ctx, const Model *model, Error *error) {
    size_t rows = prompts->rows, length = prompts->length, count = rows * length * prompts->width;
    int64_t *ids = malloc(rows * length * sizeof *ids);
    prompts->embeddings = malloc(count * sizeof *prompts->embeddings);
    if (!ids || !prompts->embeddings) {
        free(ids);
        return error_set(error, "prompt: no memory for %zu numbers; close other programs", count);
    }
    for (size_t row = 0; row < rows; row++) {
        const TokenIds *tokens = &prompts->tokens[rows == 2 ? row : 1];
        memcpy(ids + row * length, tokens->ids, length * sizeof *ids);
    }
    Scope scope = scope_open(&ctx->arena);
    int threads_before = context_enter(ctx);
    Tensor out = text_encoder_forward(ctx, model->text_encoder, tensor_over_ids(ids, shape2(rows, length)));
    context_leave(threads_before);
    memcpy(prompts->embeddings, tensor_f32(out), count * sizeof *prompts->embeddings);
    scope_close(&ctx->arena, &scope);
    free(ids);
    if (context_stopped(ctx)) return error_set(error, "cancelled");
    return true;
}

bool prompts_encode(Prompts *prompts, Context *ctx, const Model *model, const Settings *settings, Error *error) {
    *prompts = (Prompts){.rows = settings_guided(model, settings) ? 2 : 1,
                         .length = model->tokenizer->length,
                         .width = text_encoder_config(model->text_encoder)->hidden_size};
    if (!tokens_make(prompts->tokens, model, settings, error)) return false;
    if (embeddings_make(prompts, ctx, model, error)) return true;
    prompts_free(prompts);
    return false;
}

bool prompts_copy(Prompts *to, const Prompts *from, const Model *model, const Settings *settings, Error *error) {
    Prompts copy = *from;
    size_t bytes = from->rows * from->length * from->width * sizeof *copy.embeddings;
    copy.embeddings = malloc(bytes);
    if (!copy.embeddings) return error_set(error, "prompt: no memory for %zu bytes; close other programs", bytes);
    memcpy(copy.embeddings, from->embeddings, bytes);
    if (!tokens_make(copy.tokens, model, settings, error)) {
        free(copy.embeddings);
        return false;
    }
    *to = copy;
    return true;
}

void prompts_free(Prompts *prompts) {
    token_ids_free(&prompts->tokens[0]);
    token_ids_free(&prompts->tokens[1]);
    free(prompts->embeddings);
    *prompts = (Prompts){0};
}
