// tokenizer_added.c - the tokens that are found in a prompt as they stand: which there are, by the files
//
// Two kinds of declaration. Some files list tokens with their ids: added_tokens_decoder in tokenizer_config.json, or
// added_tokens in tokenizer.json, or added_tokens.json. And tokenizer_config.json and special_tokens_map.json name the
// tokens for a purpose: "pad_token": "!". What is named and not listed is added too, and where two names share a token
// the later decides how it is looked for. That sounds like pedantry, but it has effects: SD 2.x names "!" for padding,
// so that every "!" in a prompt is taken out as padding, and "!!" gives two ids where SD 1.x has one.
//
// Elsewhere: PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__ in transformers 5.
// Read next: tokenizer.c.

#include "base/check.h"
#include "stages/tokenizer_load.h"
#include "stages/tokenizer_text.h"

#include <stdlib.h>
#include <string.h>

enum { ADDED_MAX = 10000 };

typedef struct Declared {
    double id;         // as the file says
    const char *text;  // NULL if it says none
    bool normalized, single_word;
} Declared;

// A declaration is a text, or an object with the text as "content".
static Declared declared_by(const json_t *json, double id, bool special) {
    const char *text = json_string_value(json_is_object(json) ? json_object_get(json, "content") : json);
    const json_t *normalized = json_object_get(json, "normalized");
    return (Declared){
        .id = id,
        .text = text && text[0] ? text : NULL,
        .normalized = normalized ? json_is_true(normalized) : !special,
        .single_word = json_is_true(json_object_get(json, "single_word")),
    };
}

// The added token that was declared with this text.
static AddedToken *find_added(const Tokenizer *tokenizer, const char *text) {
    for (size_t i = 0; i < tokenizer->added_count; i++) {
        if (strcmp(tokenizer->bpe.pieces[tokenizer->added[i].id], text) == 0) return &tokenizer->added[i];
    }
    return NULL;
}

// Adds a token, or changes how one is looked for. One that isn't in the vocabulary gets the next id.
static void add(Tokenizer *tokenizer, Declared declared) {
    AddedToken *token = find_added(tokenizer, declared.text);
    if (!token) {
        tokenizer->added = realloc(tokenizer->added, (tokenizer->added_count + 1) * sizeof *tokenizer->added);
        CHECK(tokenizer->added, "no memory for %zu added tokens", tokenizer->added_count + 1);
        token = &tokenizer->added[tokenizer->added_count++];
        int64_t id = bpe_find(&tokenizer->bpe, declared.text, strlen(declared.text));
        *token = (AddedToken){.id = id < 0 ? bpe_append(&tokenizer->bpe, declared.text) : (uint32_t)id};
    }
    TextBuffer text = {0};
    if (declared.normalized) {
        text_append_normalized(&text, declared.text, strlen(declared.text));
    } else {
        text_append(&text, declared.text, strlen(declared.text));
    }
    free(token->text);
    token->text = text.data;
    token->normalized = declared.normalized;
    token->single_word = declared.single_word;
}

// ---- Named for a purpose ------------------------------------------------------------------------------------------

// In the order in which transformers adds them.
enum { START, END, UNKNOWN, SEPARATOR, PADDING, CLASS, MASK, PURPOSES };
static const struct {
    const char *key, *usual;
} purposes[PURPOSES] = {
    {"bos_token", "<|startoftext|>"},
    {"eos_token", "<|endoftext|>"},
    {"unk_token", "<|endoftext|>"},
    {"sep_token", NULL},
    {"pad_token", "<|endoftext|>"},
    {"cls_token", NULL},
    {"mask_token", NULL},
};

// What a key says; special_tokens_map.json comes before tokenizer_config.json, but newer files don't need it.
static json_t *look_up(const TokenizerFiles *files, const char *key) {
    json_t *old = json_object_get(files->specials, key);
    if (old && !json_object_get(files->config, "added_tokens_decoder")) return old;
    return json_object_get(files->config, key);
}

static bool read_named(const Tokenizer *tokenizer, const TokenizerFiles *files, Declared named[PURPOSES],
                       Error *error) {
    for (int i = 0; i < PURPOSES; i++) {
        const json_t *value = look_up(files, purposes[i].key);
        named[i] = (Declared){.text = purposes[i].usual};
        if (value && !json_is_null(value)) {
            named[i] = declared_by(value, -1, true);
            if (!named[i].text) {
                return error_set(error, "%s: %s isn't a text; mend tokenizer_config.json or special_tokens_map.json",
                                 files->folder, purposes[i].key);
            }
        }
        if (i <= UNKNOWN && bpe_find(&tokenizer->bpe, named[i].text, strlen(named[i].text)) < 0) {
            return error_set(error, "%s: %s \"%s\" isn't in the vocabulary; is it CLIP's?", files->folder,
                             purposes[i].key, named[i].text);
        }
    }
    return true;
}

// ---- Listed with ids ----------------------------------------------------------------------------------------------

// Fills listed [ADDED_MAX] from the first file that has a list and returns how many it has.
static size_t read_listed(const TokenizerFiles *files, const Declared named[PURPOSES], Declared *listed) {
    size_t count = 0, i;
    const char *key;
    json_t *value, *decoder = json_object_get(files->config, "added_tokens_decoder");
    if (decoder) {
        json_object_foreach(decoder, key, value) {
            if (count == ADDED_MAX) break;
            listed[count++] = declared_by(value, strtod(key, NULL), json_is_true(json_object_get(value, "special")));
        }
    } else if (files->whole) {
        json_array_foreach(json_object_get(files->whole, "added_tokens"), i, value) {
            if (count == ADDED_MAX) break;
            const json_t *id = json_object_get(value, "id");
            listed[count++] = declared_by(value, json_is_real(id) ? json_real_value(id) : -1,
                                          json_is_true(json_object_get(value, "special")));
        }
    } else {
        json_object_foreach(files->added, key, value) {
            if (count == ADDED_MAX) break;
            bool special = false;
            for (i = 0; i < PURPOSES; i++) special = special || (named[i].text && strcmp(named[i].text, key) == 0);
            double id = json_is_real(value) ? json_real_value(value) : -1;
            listed[count++] = (Declared){.id = id, .text = key[0] ? key : NULL, .normalized = !special};
        }
    }
    return count;
}

static int by_id(const void *a, const void *b) {
    double difference = ((const Declared *)a)->id - ((const Declared *)b)->id;
    return (difference > 0) - (difference < 0);
}

static bool add_listed(Tokenizer *tokenizer, const TokenizerFiles *files, const Declared named[PURPOSES],
                       Declared *listed, Error *error) {
    size_t count = read_listed(files, named, listed);
    if (count == ADDED_MAX)
        return error_set(error, "%s: %d added tokens or more; remove some", files->folder, ADDED_MAX);
    qsort(listed, count, sizeof *listed, by_id);
    for (size_t i = 0; i < count; i++) {
        const char *text = listed[i].text;
        if (!text)
            return error_set(error, "%s: added token %.0f has no text; mend the file", files->folder, listed[i].id);
        int64_t known = bpe_find(&tokenizer->bpe, text, strlen(text));
        size_t id = known < 0 ? tokenizer->bpe.size : (size_t)known;
        const AddedToken *same = find_added(tokenizer, text);
        if (listed[i].id != (double)(same ? same->id : id)) {
            return error_set(error, "%s: added token \"%s\" is said to have id %.0f but would get %zu; mend the files",
                             files->folder, text, listed[i].id, id);
        }
        add(tokenizer, listed[i]);
    }
    return true;
}

// ---- All of them ---------------------------------------------------------------------------------------------------

// The list under additional_special_tokens, which newer files call extra_special_tokens.
static bool add_extra(Tokenizer *tokenizer, const TokenizerFiles *files, const char *key, Error *error) {
    size_t i;
    json_t *value;
    json_array_foreach(look_up(files, key), i, value) {
        Declared extra = declared_by(value, -1, true);
        if (!extra.text || i == ADDED_MAX) {
            return error_set(error, "%s: %s: entry %zu isn't a text or is one too many; mend the file", files->folder,
                             key, i);
        }
        if (!find_added(tokenizer, extra.text)) add(tokenizer, extra);
    }
    return true;
}

bool tokenizer_load_added(Tokenizer *tokenizer, const TokenizerFiles *files, Error *error) {
    Declared *listed = malloc(ADDED_MAX * sizeof *listed), named[PURPOSES];
    CHECK(listed, "no memory for %d added tokens", ADDED_MAX);
    bool ok = read_named(tokenizer, files, named, error) && add_listed(tokenizer, files, named, listed, error);
    free(listed);
    if (!ok) return false;

    size_t listed_count = tokenizer->added_count;
    for (int i = 0; i < PURPOSES; i++) {
        if (!named[i].text) continue;
        const AddedToken *token = find_added(tokenizer, named[i].text);
        if (!token || token >= tokenizer->added + listed_count) add(tokenizer, named[i]);
    }
    if (!add_extra(tokenizer, files, "additional_special_tokens", error)) return false;
    if (!add_extra(tokenizer, files, "extra_special_tokens", error)) return false;

    tokenizer->start_id = find_added(tokenizer, named[START].text)->id;
    tokenizer->end_id = find_added(tokenizer, named[END].text)->id;
    tokenizer->pad_id = find_added(tokenizer, named[PADDING].text)->id;
    bpe_set_bytes(&tokenizer->bpe, find_added(tokenizer, named[UNKNOWN].text)->id);
    return true;
}
