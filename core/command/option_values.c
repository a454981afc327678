// option_values.c - see option_values.h

#include "command/option_values.h"

#include "base/text.h"
#include "io/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool value_whole(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *value, Error *error) {
    bool digits = *text && strspn(text, "0123456789") == strlen(text);
    errno = 0;
    uint64_t number = digits ? strtoull(text, NULL, 10) : 0;
    if (!digits || errno == ERANGE || number < min || number > max) {
        return error_set(error, "--%s %s: not a whole number from %llu to %llu; see sculpt --help", name, text,
                         (unsigned long long)min, (unsigned long long)max);
    }
    *value = number;
    return true;
}

bool value_size(const char *name, const char *text, size_t min, size_t max, size_t *value, Error *error) {
    uint64_t number = 0;
    if (!value_whole(name, text, min, max, &number, error)) return false;
    *value = (size_t)number;
    return true;
}

bool value_number(const char *name, const char *text, float min, float max, float *value, Error *error) {
    float number;
    if (!text_number(text, &number) || number < min || number > max) {
        return error_set(error, "--%s %s: not a number from %g to %g; see sculpt --help", name, text, min, max);
    }
    *value = number;
    return true;
}

bool value_interval(const char *name, char *text, float *low, float *high, Error *error) {
    char *comma = strchr(text, ',');
    if (!comma) return error_set(error, "--%s %s: two sigmas are wanted, LO,HI; 0.28,5.42 is a beginning", name, text);
    *comma = '\0';
    if (!value_number(name, text, 0, 1e6f, low, error) || !value_number(name, comma + 1, 0, 1e6f, high, error))
        return false;
    if (*low < *high) return true;
    return error_set(error,
                     "--%s %s,%s: the first is not less than the second, so no step would be guided; to have none "
                     "guided say --guidance 1",
                     name, text, comma + 1);
}

bool value_rng(const char *text, Error *error) {
    if (strcmp(text, "torch") == 0) return true;
    if (strcmp(text, "cuda") == 0) {
        return error_set(error, "--rng cuda: this generator comes with the GPU; use --rng torch, which is the default");
    }
    return error_set(error, "--rng %s: no such generator; use --rng torch, which is the default", text);
}

bool value_weights(const char *text, DType *type, Error *error) {
    *type = strcmp(text, "f16") == 0 ? F16 : F32;
    if (*type == F16 || strcmp(text, "f32") == 0) return true;
    return error_set(error, "--weights %s: weights are kept as f16 or f32; use one of those", text);
}

bool value_precision(const char *text, DType *type, Error *error) {
    *type = strcmp(text, "bf16") == 0 ? BF16 : F32;
    if (*type == BF16 || strcmp(text, "f32") == 0) return true;
    if (strcmp(text, "f16") == 0) {
        return error_set(error, "--precision f16: this is computed with on GPUs, and no kernel here does; use bf16, or "
                                "--weights f16 to save memory");
    }
    return error_set(error, "--precision %s: it is computed in f32 or bf16; use one of those", text);
}

bool value_exact_data(const char *name, const char *text, Options *o, Error *error) {
    enum { MOST = 100000 };
    bool number = *text && strspn(text, "+-.0123456789") == strlen(text) && strspn(text, ".") != strlen(text);
    if (number) return value_size(name, text, 1, MOST, &o->exact_count, error);
    o->exact_folder = text;
    return *text || error_set(error, "--%s: names no folder, and no number of drawings; see sculpt --help", name);
}

bool value_window(const char *name, char *text, Options *o, Error *error) {
    enum { MOST = 255 };
    char *comma = strchr(text, ',');
    if (comma) {
        *comma = '\0';
        if (!value_size(name, comma + 1, 0, LARGEST_SIDE, &o->reach, error)) return false;
    }
    if (!value_size(name, text, 1, MOST, &o->window, error)) return false;
    return o->window % 2 == 1 || error_set(error, "--%s %s: a window has a middle; take an odd number", name, text);
}

bool value_latent(const char *name, char *text, size_t *height, size_t *width, Error *error) {
    enum { MOST = LARGEST_SIDE / 8 };
    char *x = strchr(text, 'x');
    if (!x) {
        return error_set(error, "--%s %s: a height and a width with an x between are wanted; try 64x64", name, text);
    }
    *x = '\0';
    return value_size(name, text, 1, MOST, height, error) && value_size(name, x + 1, 1, MOST, width, error);
}

bool value_file_name(const char *name, const char *text, const char *ending, Error *error) {
    if (text_ends_in(text, strlen(text), ending)) return true;
    return error_set(error, "--%s %s: what is written there is a %s file; let the name end so", name, text, ending);
}

bool value_attention(const char *text, TraceAttention *attention, Error *error) {
    *attention = text ? TRACE_ATTENTION_HEADS : TRACE_ATTENTION;
    if (!text || strcmp(text, "heads") == 0) return true;
    return error_set(error,
                     "--trace-attention=%s: maps are kept as their mean over heads, or each head's apart; leave "
                     "it out, or say =heads",
                     text);
}

// A path may have colons, too: only a number behind the last one is a weight, and
// "a.safetensors:" with anything else behind it means a file only if that is one's name again.
bool value_lora(const char *name, char *text, LoraFile *lora, Error *error) {
    static const char ENDING[] = ".safetensors";
    char *colon = strrchr(text, ':');
    *lora = (LoraFile){.path = text, .weight = 1};
    if (!*text || colon == text) return error_set(error, "--%s %s: names no file; see sculpt --help", name, text);
    if (!colon) return true;
    bool number = colon[1] && strspn(colon + 1, "+-.0123456789eE") == strlen(colon + 1);
    bool meant = text_ends_in(text, (size_t)(colon - text), ENDING) && !text_ends_in(text, strlen(text), ENDING);
    if (!number && !meant) return true;
    *colon = '\0';
    return value_number(name, colon + 1, -1000, 1000, &lora->weight, error);
}
