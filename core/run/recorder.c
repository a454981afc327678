// recorder.c - see recorder.h

#include "run/recorder.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

// ---- whose attention ------------------------------------------------------------------------------------------------

// What an attention layer is called in a trace
typedef struct LayerName {
    char text[160];  // "" if it isn't one that is kept
} LayerName;

// What stands between them in place: of "text_encoder.layers.3.self_attn" "layers.3"
static LayerName name_between(const char *place, const char *before, const char *behind) {
    LayerName name = {""};
    size_t length = strlen(place), head = strlen(before), tail = strlen(behind);
    if (length <= head + tail || strncmp(place, before, head) != 0 || !text_ends_in(place, length, behind)) return name;
    snprintf(name.text, sizeof name.text, "%.*s", (int)(length - head - tail), place + head);
    return name;
}

// "unet.down_blocks.0.attentions.1.transformer_blocks.0.attn2" is called down_blocks.0.attentions.1: a transformer has
// one block, unless somebody built a larger one, whose further blocks keep their long names.
static LayerName cross_attention_name(const char *place) {
    static const char FIRST_BLOCK[] = ".transformer_blocks.0";
    LayerName name = name_between(place, "unet.", ".attn2");
    size_t length = strlen(name.text);
    if (text_ends_in(name.text, length, FIRST_BLOCK)) name.text[length - strlen(FIRST_BLOCK)] = '\0';
    return name;
}

static LayerName text_attention_name(const char *place) { return name_between(place, "text_encoder.", ".self_attn"); }

static bool wants(void *listener, const char *place) {
    (void)listener;
    return *cross_attention_name(place).text || *text_attention_name(place).text;
}

// Layers run in the order of their names: down, mid, up, and numbers counting up. One that doesn't come after the last
// belongs to another pass.
static bool begins_anew(const char *last, const char *name) { return strverscmp(name, last) <= 0; }

// ---- what is kept ---------------------------------------------------------------------------------------------------

// Which size has a layer where so many pixels ask?
static void find_size(const Recorder *recorder, size_t pixels, size_t *height, size_t *width) {
    size_t h = recorder->height, w = recorder->width, odd = recorder->halves_up;
    while (h * w > pixels) {
        h = (h + odd) / 2;
        w = (w + odd) / 2;
    }
    CHECK(h * w == pixels, "%zu pixels ask, latents are %zu x %zu", pixels, recorder->height, recorder->width);
    *height = h;
    *width = w;
}

// probabilities, p [B, heads, pixels, keys], of which the last row of B is the prompt's
static void keep_maps(Recorder *recorder, const char *name, Tensor probabilities) {
    const size_t *axis = probabilities.shape.axis;
    size_t heads = axis[1], pixels = axis[2], keys = axis[3], kept = recorder->heads_apart ? heads : 1, height, width;
    AttentionMaps *maps = &recorder->maps;
    if (maps->count > 0 && begins_anew(maps->layers[maps->count - 1].place, name)) attention_maps_free(maps);
    find_size(recorder, pixels, &height, &width);
    float *out = attention_maps_add(maps, name, kept, keys, height, width);  // [kept, keys, pixels]
    if (!out) {
        recorder->out_of_memory = true;
        return;
    }
    memset(out, 0, kept * keys * pixels * sizeof *out);
    const float *p = tensor_f32(tensor_last_rows(probabilities, 1)), share = (float)kept / (float)heads;
    for (size_t h = 0; h < heads; h++) {
        float *map = recorder->heads_apart ? out + h * keys * pixels : out;
        for (size_t i = 0; i < pixels; i++) {
            for (size_t j = 0; j < keys; j++) map[j * pixels + i] += share * p[(h * pixels + i) * keys + j];
        }
    }
}

// probabilities [B, heads, length, length], as above
static void keep_text(Recorder *recorder, const char *name, Tensor probabilities) {
    size_t heads = probabilities.shape.axis[1], length = probabilities.shape.axis[2];
    TextAttention *text = &recorder->text;
    if (text->count > 0 && begins_anew(text->layers[text->count - 1].place, name)) text_attention_free(text);
    float *out = text_attention_add(text, name, heads, length);
    if (out)
        memcpy(out, tensor_f32(tensor_last_rows(probabilities, 1)), heads * length * length * sizeof *out);
    else
        recorder->out_of_memory = true;
}

static void take_down(void *listener, const char *place, Tensor probabilities) {
    LayerName cross = cross_attention_name(place);
    if (*cross.text)
        keep_maps(listener, cross.text, probabilities);
    else
        keep_text(listener, text_attention_name(place).text, probabilities);
}

// ---- the recorder ---------------------------------------------------------------------------------------------------

void recorder_open(Recorder *recorder, const Model *model, const Settings *settings, bool heads_apart) {
    size_t factor = vae_factor(model->vae);
    *recorder = (Recorder){.observer = {wants, take_down},
                           .heads_apart = heads_apart,
                           .height = settings->height / factor,
                           .width = settings->width / factor,
                           .halves_up = unet_config(model->unet)->downsample_padding > 0};
}

// Whether all was kept since the last time
static bool whole(Recorder *recorder, Error *error) {
    if (!recorder->out_of_memory) return true;
    recorder->out_of_memory = false;
    return error_set(error, "attention: no memory for the maps of all layers; take a smaller picture");
}

bool recorder_take(Recorder *recorder, AttentionMaps *maps, Error *error) {
    *maps = recorder->maps;
    recorder->maps = (AttentionMaps){0};
    if (whole(recorder, error)) return true;
    attention_maps_free(maps);
    return false;
}

bool recorder_take_text(Recorder *recorder, TextAttention *text, Error *error) {
    *text = recorder->text;
    recorder->text = (TextAttention){0};
    if (whole(recorder, error)) return true;
    text_attention_free(text);
    return false;
}

void recorder_close(Recorder *recorder) {
    attention_maps_free(&recorder->maps);
    text_attention_free(&recorder->text);
}
