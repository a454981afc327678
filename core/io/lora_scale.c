// lora_scale.c - see lora_scale.h
//
// Elsewhere: get_peft_kwargs and _create_lora_config of diffusers' utils/peft_utils.py; peft.LoraConfig, and LoraLayer's
// update_layer. Where kohya's alphas differ from one attention layer to another, diffusers 0.42.1 takes the most common
// one for all of them (it looks for the others under a name that no layer has); here each layer gets its own.

#include "io/lora_scale.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

static const double PEFT_DEFAULT = 8;  // of both r and lora_alpha

// ---- one setting ----------------------------------------------------------------------------------------------------

// "unet" and "r" is "unet.r"; NULL where it is absent or null.
static const json_t *setting(const LoraSettings *settings, const char *stage, const char *key) {
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", stage, stage[0] ? "." : "", key);
    const json_t *value = json_object_get(settings->json, name);
    return json_is_null(value) ? NULL : value;
}

static bool refuse(const LoraSettings *settings, const char *stage, const char *key, const char *why, Error *error) {
    return error_set(error, "%s: lora_adapter_metadata: %s%s%s %s; the file is damaged, get it again", settings->path,
                     stage, stage[0] ? "." : "", key, why);
}

// Whether the pattern, a regular expression, fits the layer or the end of it behind a '.'; -1 if it is none, or one that
// takes longer than a layer's name can be worth.
static int pattern_fits(const char *pattern, const char *layer) {
    char whole[512];
    int length = snprintf(whole, sizeof whole, "(?:.*\\.)?(?:%s)$", pattern), fits = -1, code;
    if (length < 0 || (size_t)length >= sizeof whole) return -1;
    PCRE2_SIZE where;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)whole, (PCRE2_SIZE)length, PCRE2_ANCHORED, &code, &where, NULL);
    pcre2_match_data *match = compiled ? pcre2_match_data_create_from_pattern(compiled, NULL) : NULL;
    pcre2_match_context *limits = match ? pcre2_match_context_create(NULL) : NULL;
    if (limits) {
        pcre2_set_match_limit(limits, 100000);
        int found = pcre2_match(compiled, (PCRE2_SPTR)layer, strlen(layer), 0, 0, match, limits);
        fits = found == PCRE2_ERROR_NOMATCH ? 0 : found < 0 ? -1 : 1;
    }
    pcre2_match_context_free(limits);
    pcre2_match_data_free(match);
    pcre2_code_free(compiled);
    return fits;
}

// transformers 4 had every layer of the text encoder in "text_model", transformers 5 has not; patterns may say either.
static int pattern_fits_either(const char *pattern, const char *stage, const char *layer) {
    int fits = pattern_fits(pattern, layer);
    if (fits != 0 || strcmp(stage, "text_encoder") != 0) return fits;
    char longer[256];
    snprintf(longer, sizeof longer, "text_model.%s", layer);
    return pattern_fits(pattern, longer);
}

// A setting that `patterns` may give another value for some layers: the first that fits decides.
static bool layer_setting(const LoraSettings *settings, const char *stage, const char *key, const char *patterns,
                          const char *layer, double *value, Error *error) {
    const json_t *number = setting(settings, stage, key), *exceptions = setting(settings, stage, patterns);
    if (exceptions && !json_is_object(exceptions)) return refuse(settings, stage, patterns, "is no object", error);
    const char *pattern;
    json_t *exception;
    json_object_foreach((json_t *)exceptions, pattern, exception) {
        int fits = pattern_fits_either(pattern, stage, layer);
        if (fits < 0) return refuse(settings, stage, patterns, "holds what is no regular expression", error);
        if (fits) {
            number = exception;
            break;
        }
    }
    if (number && !json_is_number(number)) return refuse(settings, stage, key, "is no number", error);
    *value = number ? json_number_value(number) : PEFT_DEFAULT;
    return true;
}

// ---- the file's settings --------------------------------------------------------------------------------------------

// What peft calls a LoRA can be more than one: DoRA has a magnitude for each output, and some ways to begin (PiSSA,
// OLoRA, CorDA, LoftQ) change the model's own weights before the training.
static bool check_kind(const LoraSettings *settings, const char *stage, Error *error) {
    const char *type = json_string_value(setting(settings, stage, "peft_type"));
    const char *beginning = json_string_value(setting(settings, stage, "init_lora_weights"));
    if (type && strcmp(type, "LORA") != 0) {
        return error_set(error, "%s: is a %.40s, and only LoRA is read here; get the change as a LoRA", settings->path,
                         type);
    }
    if (json_is_true(setting(settings, stage, "use_dora"))) {
        return error_set(error, "%s: is a DoRA, and only plain LoRA is read here; get the change as a LoRA",
                         settings->path);
    }
    bool harmless = !beginning || strcmp(beginning, "gaussian") == 0 || strcmp(beginning, "orthogonal") == 0 ||
                    strcmp(beginning, "eva") == 0;
    if (!harmless) {
        return error_set(error,
                         "%s: was begun with %.40s, which changes the model's own weights; convert it to a plain LoRA "
                         "with peft's path_initial_model_for_weight_conversion",
                         settings->path, beginning);
    }
    return true;
}

bool lora_settings_open(LoraSettings *settings, const SafetensorsFile *file, const char *path, Error *error) {
    *settings = (LoraSettings){.path = path};
    const char *text = safetensors_metadata(file, "lora_adapter_metadata");
    if (!text || !*text) return true;
    json_error_t why;
    settings->json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!settings->json) {
        return error_set(error, "%s: lora_adapter_metadata: line %d: %s; the file is damaged, get it again", path,
                         why.line, why.text);
    }
    if (!json_is_object((json_t *)settings->json)) {
        lora_settings_close(settings);
        return error_set(error, "%s: lora_adapter_metadata is no object; the file is damaged, get it again", path);
    }
    bool ok = check_kind(settings, "unet", error) && check_kind(settings, "text_encoder", error) &&
              check_kind(settings, "", error);
    if (!ok) lora_settings_close(settings);
    return ok;
}

void lora_settings_close(LoraSettings *settings) {
    json_decref(settings->json);
    settings->json = NULL;
}

// Whether the file's metadata says anything of this stage
static bool has_settings(const LoraSettings *settings, const char *stage) {
    const char *key;
    json_t *value;
    size_t length = strlen(stage);
    json_object_foreach((json_t *)settings->json, key, value) {
        (void)value;
        if (strncmp(key, stage, length) == 0 && (length == 0 || key[length] == '.')) return true;
    }
    return false;
}

// ---- alpha / rank ---------------------------------------------------------------------------------------------------

// One number of whatever type: trainers that cast a whole file cast its alphas, too, and others leave them whole.
static bool read_alpha(const SafetensorsEntry *entry, const char *path, double *alpha, Error *error) {
    uint16_t half;
    float single;
    int64_t whole;
    size_t count = 1;
    for (size_t i = 0; i < entry->rank; i++) count *= entry->axis[i] == 1;
    if (count != 1 || !entry->supported) {
        return error_set(error,
                         "%s: %.200s isn't one number of F32, F16, BF16 or I64; the file is damaged, get it again",
                         path, entry->name);
    }
    switch (entry->dtype) {
    case F32:
        memcpy(&single, entry->data, sizeof single);
        *alpha = single;
        break;
    case I64:
        memcpy(&whole, entry->data, sizeof whole);
        *alpha = (double)whole;
        break;
    default:
        memcpy(&half, entry->data, sizeof half);
        *alpha = entry->dtype == F16 ? f16_to_f32(half) : bf16_to_f32(half);
        break;
    }
    if (isfinite(*alpha)) return true;
    return error_set(error, "%s: %.200s is %g; the file is damaged, get it again", path, entry->name, *alpha);
}

// peft's rank-stabilised form (Kalajdzievski 2023, arXiv 2312.03732) divides by the rank's root.
static bool scale_by_settings(const LoraSettings *settings, const char *stage, const char *layer, size_t rank,
                              double *scale, Error *error) {
    double alpha, r;
    if (!layer_setting(settings, stage, "lora_alpha", "alpha_pattern", layer, &alpha, error) ||
        !layer_setting(settings, stage, "r", "rank_pattern", layer, &r, error)) {
        return false;
    }
    if (r != (double)rank) {
        return error_set(error,
                         "%s: %s has rank %zu and lora_adapter_metadata says %g; the file is damaged, get it again",
                         settings->path, layer, rank, r);
    }
    bool stabilised = json_is_true(setting(settings, stage, "use_rslora"));
    *scale = alpha / (stabilised ? sqrt((double)rank) : (double)rank);
    return true;
}

bool lora_scale(const LoraSettings *settings, const SafetensorsEntry *alpha, const LoraNames *names, const char *layer,
                size_t rank, float *scale, Error *error) {
    double exact = 1;
    if (alpha) {
        if (!read_alpha(alpha, settings->path, &exact, error)) return false;
        exact /= (double)rank;
    } else if (has_settings(settings, names->settings)) {
        if (!scale_by_settings(settings, names->settings, layer, rank, &exact, error)) return false;
    }
    *scale = (float)exact;
    return true;
}
