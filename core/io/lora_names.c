// lora_names.c - see lora_names.h
//
// Elsewhere: diffusers' loaders/lora_conversion_utils.py and utils/state_dict_utils.py, which go from the file's names to
// the model's by replacing parts of them.

#include "io/lora_names.h"

#include "base/check.h"
#include "io/ldm_unet_names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 200 };

__attribute__((format(printf, 3, 4))) static void write_name(char *out, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out, size, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && (size_t)length < size, "%s... is too long", out);
}

// If name ends in tail, where that begins; else NULL.
static const char *find_tail(const char *name, const char *tail) {
    size_t n = strlen(name), m = strlen(tail);
    return n >= m && strcmp(name + n - m, tail) == 0 ? name + n - m : NULL;
}

static void underscore(char *name) {
    for (; *name; name++) {
        if (*name == '.') *name = '_';
    }
}

// ---- one layer, spelt in other ways ---------------------------------------------------------------------------------
//
// Each writes its spelling of a layer, or says that it has none for it.

static bool as_it_is(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    (void)layers_per_block;
    write_name(out, NAME_SIZE, "%s", layer);
    return true;
}

// kohya's: down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q
static bool underscored(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    as_it_is(out, layer, layers_per_block);
    underscore(out);
    return true;
}

// diffusers up to 0.20 trained attention only, as new layers of the attention's processor, and called the text encoder's
// by the U-Net's names: attn1.processor.to_q_lora, self_attn.to_q_lora
static bool old_attention_within(char out[NAME_SIZE], const char *layer, const char *within) {
    static const char *const NAMES[][2] = {
        {".to_q", "to_q_lora"},   {".to_k", "to_k_lora"},   {".to_v", "to_v_lora"},   {".to_out.0", "to_out_lora"},
        {".q_proj", "to_q_lora"}, {".k_proj", "to_k_lora"}, {".v_proj", "to_v_lora"}, {".out_proj", "to_out_lora"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *tail = find_tail(layer, NAMES[i][0]);
        if (!tail) continue;
        write_name(out, NAME_SIZE, "%.*s.%s%s", (int)(tail - layer), layer, within, NAMES[i][1]);
        return true;
    }
    return false;
}

static bool old_attention(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    (void)layers_per_block;
    return old_attention_within(out, layer, "");
}

static bool old_processor(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    (void)layers_per_block;
    return old_attention_within(out, layer, "processor.");
}

// kohya's on a U-Net in LDM's names: input_blocks_1_1_transformer_blocks_0_attn1_to_q. Elsewhere:
// _maybe_map_sgm_blocks_to_diffusers.
static bool ldm_underscored(char out[NAME_SIZE], const char *layer, size_t layers_per_block, int upsampler) {
    char name[NAME_SIZE];
    LdmUNetName ldm;
    write_name(name, sizeof name, "%s.", layer);  // as if its weight were asked for
    if (!ldm_unet_layer(&ldm, name, layers_per_block, upsampler)) return false;
    write_name(out, NAME_SIZE, "%.*s", (int)strlen(ldm.text) - 1, ldm.text);
    underscore(out);
    return true;
}

static bool ldm_with_transformer(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    return ldm_underscored(out, layer, layers_per_block, 2);
}

// Where a level has none, its upsampling stands in the transformer's place.
static bool ldm_without_transformer(char out[NAME_SIZE], const char *layer, size_t layers_per_block) {
    return strstr(layer, ".upsamplers.") && ldm_underscored(out, layer, layers_per_block, 1);
}

// ---- all spellings --------------------------------------------------------------------------------------------------

typedef struct Tails {  // of the two keys, behind the layer
    const char *down, *up;
} Tails;

static const Tails PEFT = {".lora_A.weight", ".lora_B.weight"};
static const Tails DIFFUSERS = {".lora.down.weight", ".lora.up.weight"};
static const Tails TRANSFORMERS = {".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"};
static const Tails OLD = {".down.weight", ".up.weight"};
static const Tails KOHYA = {".lora_down.weight", ".lora_up.weight"};

typedef struct Spelling {
    const char *stage, *prefix;
    bool (*layer)(char out[NAME_SIZE], const char *layer, size_t layers_per_block);
    const Tails *tails;
} Spelling;

// What was trained on the U-Net alone may have no prefix. "lora_te1_" is what diffusers' convert_state_dict_to_kohya
// makes of the one text encoder; its other meaning, the first of SDXL's two, comes with a "lora_te2_".
static const Spelling SPELLINGS[] = {
    {"unet", "unet.", as_it_is, &PEFT},
    {"unet", "unet.", as_it_is, &DIFFUSERS},
    {"unet", "unet.", old_processor, &OLD},
    {"unet", "unet.", old_attention, &OLD},
    {"unet", "", as_it_is, &PEFT},
    {"unet", "", as_it_is, &DIFFUSERS},
    {"unet", "", old_processor, &OLD},
    {"unet", "", old_attention, &OLD},
    {"unet", "lora_unet_", underscored, &KOHYA},
    {"unet", "lora_unet_", ldm_with_transformer, &KOHYA},
    {"unet", "lora_unet_", ldm_without_transformer, &KOHYA},
    {"text_encoder", "text_encoder.", as_it_is, &PEFT},
    {"text_encoder", "text_encoder.", as_it_is, &TRANSFORMERS},
    {"text_encoder", "text_encoder.", as_it_is, &DIFFUSERS},
    {"text_encoder", "text_encoder.", old_attention, &OLD},
    {"text_encoder", "text_encoder.text_model.", as_it_is, &PEFT},
    {"text_encoder", "text_encoder.text_model.", as_it_is, &TRANSFORMERS},
    {"text_encoder", "text_encoder.text_model.", as_it_is, &DIFFUSERS},
    {"text_encoder", "text_encoder.text_model.", old_attention, &OLD},
    {"text_encoder", "lora_te_text_model_", underscored, &KOHYA},
    {"text_encoder", "lora_te_", underscored, &KOHYA},
    {"text_encoder", "lora_te1_text_model_", underscored, &KOHYA},
    {"text_encoder", "lora_te1_", underscored, &KOHYA},
};

size_t lora_spellings(void) { return sizeof SPELLINGS / sizeof SPELLINGS[0]; }

bool lora_names(size_t spelling, const char *stage, const char *layer, size_t layers_per_block, LoraNames *names) {
    const Spelling *s = &SPELLINGS[spelling];
    char spelt[NAME_SIZE];
    if (strcmp(stage, s->stage) != 0 || !s->layer(spelt, layer, layers_per_block)) return false;
    write_name(names->down, sizeof names->down, "%s%s%s", s->prefix, spelt, s->tails->down);
    write_name(names->up, sizeof names->up, "%s%s%s", s->prefix, spelt, s->tails->up);
    write_name(names->alpha, sizeof names->alpha, "%s%s.alpha", s->prefix, spelt);
    names->settings = s->prefix[0] ? s->stage : "";
    return true;
}
