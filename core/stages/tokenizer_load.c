// tokenizer_load.c - a tokenizer's folder: which files say what
//
//     vocab.json               piece -> id, all of them                     } or both inside
//     merges.txt               the merges, one a line, in order             } tokenizer.json
//     tokenizer_config.json    model_max_length, the names of the special tokens, added_tokens_decoder
//     special_tokens_map.json  the special tokens again, from older versions of transformers; where both speak, it wins
//     added_tokens.json        tokens added after training, from older versions
//
// What overrides what follows transformers 5 (PreTrainedTokenizerBase._from_pretrained, TokenizersBackend.__init__).
// Normalisation and the word pattern aren't read from tokenizer.json: CLIPTokenizer sets its own, as tokenizer.c does.
//
// Read next: tokenizer_added.c for the added tokens; then tokenizer.c.

#include "stages/tokenizer_load.h"

#include "base/check.h"
#include "io/file.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

typedef struct Loader {
    Tokenizer *tokenizer;
    const char *folder;
    Error *error;
} Loader;

// The JSON object in folder/name. NULL without an error if the file is absent and may be.
static json_t *read_json(const char *folder, const char *name, bool required, Error *error) {
    char *path = path_join(folder, name);
    json_t *json = NULL;
    if (required || path_exists(path)) {
        size_t size;
        char *text = file_read(path, &size, error);
        json_error_t reason;
        // As reals, since model_max_length may be 10^30; ids are exact in a double.
        if (text) json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &reason);
        if (text && !json) {
            error_set(error, "%s: line %d: %s; get the file again", path, reason.line, reason.text);
        } else if (json && !json_is_object(json)) {
            error_set(error, "%s: not a JSON object; get the file again", path);
            json_decref(json);
            json = NULL;
        }
        free(text);
    }
    free(path);
    return json;
}

// ---- Vocabulary and merges ----------------------------------------------------------------------------------------

// {"piece": id}: every id from 0 to one less than their number, each once.
static char **read_pieces(json_t *vocabulary, const Loader *loader) {
    size_t size = json_object_size(vocabulary);
    char **pieces = calloc(size + 1, sizeof *pieces);
    CHECK(pieces, "no memory for %zu pieces", size);
    bool ok = true;
    const char *piece;
    json_t *value;
    json_object_foreach(vocabulary, piece, value) {
        double id = json_is_real(value) ? json_real_value(value) : -1;
        if (!(id >= 0 && id < (double)size && id == floor(id))) {
            ok = error_set(
                loader->error,
                "%s: vocabulary: \"%s\" has no id, or one with holes before it: %zu pieces must have the ids 0 "
                "to %zu; get the files again",
                loader->folder, piece, size, size - 1);
        } else if (pieces[(size_t)id]) {
            ok = error_set(loader->error, "%s: vocabulary: \"%s\" and \"%s\" both have id %.0f; get the files again",
                           loader->folder, pieces[(size_t)id], piece, id);
        } else {
            pieces[(size_t)id] = strdup(piece);
            CHECK(pieces[(size_t)id], "no memory for piece %.0f", id);
        }
        if (!ok) break;
    }
    if (ok) return pieces;
    for (size_t id = 0; id < size; id++) free(pieces[id]);
    free(pieces);
    return NULL;
}

static bool add_merge(Loader *loader, const char *left, size_t left_n, const char *right, size_t right_n, size_t rank) {
    int missing;
    if (bpe_add_merge(&loader->tokenizer->bpe, left, left_n, right, right_n, (uint32_t)rank, &missing)) return true;
    static const char *const names[] = {"the first", "the second", "what they make"};
    return error_set(loader->error, "%s: merge %zu, \"%.*s %.*s\": %s isn't in the vocabulary; get the files again",
                     loader->folder, rank + 1, (int)left_n, left, (int)right_n, right, names[missing]);
}

// "left right"
static bool add_merge_line(Loader *loader, const char *line, size_t n, size_t rank) {
    const char *space = memchr(line, ' ', n);
    if (!space || memchr(space + 1, ' ', n - (size_t)(space + 1 - line))) {
        return error_set(loader->error,
                         "%s: merge %zu, \"%.*s\": not two pieces with a space between; get the files again",
                         loader->folder, rank + 1, (int)n, line);
    }
    size_t left_n = (size_t)(space - line);
    return add_merge(loader, line, left_n, space + 1, n - left_n - 1, rank);
}

// tokenizer.json has a list, of "left right" or of ["left", "right"].
static bool add_merge_list(Loader *loader, const json_t *merges) {
    size_t rank;
    json_t *merge;
    json_array_foreach(merges, rank, merge) {
        const json_t *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
        if (json_is_string(merge)) {
            if (!add_merge_line(loader, json_string_value(merge), json_string_length(merge), rank)) return false;
        } else if (json_is_string(left) && json_is_string(right) && json_array_size(merge) == 2) {
            if (!add_merge(loader, json_string_value(left), json_string_length(left), json_string_value(right),
                           json_string_length(right), rank)) {
                return false;
            }
        } else {
            return error_set(loader->error, "%s/tokenizer.json: merge %zu isn't two pieces; get the file again",
                             loader->folder, rank + 1);
        }
    }
    return true;
}

static bool load_whole(Loader *loader, const json_t *whole) {
    const json_t *model = json_object_get(whole, "model"), *merges = json_object_get(model, "merges");
    json_t *vocabulary = json_object_get(model, "vocab");
    const char *type = json_string_value(json_object_get(model, "type"));
    const char *suffix = json_string_value(json_object_get(model, "end_of_word_suffix"));
    if (!json_is_object(vocabulary) || !json_is_array(merges) || (type && strcmp(type, "BPE") != 0) || !suffix ||
        strcmp(suffix, "</w>") != 0) {
        return error_set(loader->error,
                         "%s/tokenizer.json: not a CLIP tokenizer (a BPE model with vocab, merges and "
                         "end_of_word_suffix \"</w>\"); give the folder of one",
                         loader->folder);
    }
    char **pieces = read_pieces(vocabulary, loader);
    if (!pieces) return false;
    bpe_open(&loader->tokenizer->bpe, pieces, json_object_size(vocabulary), json_array_size(merges));
    return add_merge_list(loader, merges);
}

static bool load_pair(Loader *loader) {
    json_t *vocabulary = read_json(loader->folder, "vocab.json", true, loader->error);
    char **pieces = vocabulary ? read_pieces(vocabulary, loader) : NULL;
    size_t piece_count = json_object_size(vocabulary), size = 0, rank = 0;
    json_decref(vocabulary);
    if (!pieces) return false;

    char *path = path_join(loader->folder, "merges.txt");
    char *text = file_read(path, &size, loader->error);
    free(path);
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    bpe_open(&loader->tokenizer->bpe, pieces, piece_count, lines);

    bool ok = text != NULL;
    for (size_t at = 0, next; ok && at < size; at = next) {
        const char *line = text + at, *newline = memchr(line, '\n', size - at);
        size_t n = newline ? (size_t)(newline - line) : size - at;
        next = at + n + 1;
        if (n > 0 && line[n - 1] == '\r') n--;
        if (n == 0 || (n >= 8 && memcmp(line, "#version", 8) == 0)) continue;
        ok = add_merge_line(loader, line, n, rank++);
    }
    free(text);
    return ok;
}

// ---- The folder ---------------------------------------------------------------------------------------------------

// model_max_length; transformers writes 10^30 for "none known".
static bool read_length(Loader *loader, const json_t *config) {
    const json_t *value = json_object_get(config, "model_max_length");
    double length = json_is_real(value) ? json_real_value(value) : 1e30;
    loader->tokenizer->length = 77;
    if (length >= 1e20) return true;
    if (!(length >= 2 && length <= 65536 && length == floor(length))) {
        return error_set(loader->error,
                         "%s/tokenizer_config.json: model_max_length is %g; it must be a whole number from 2 "
                         "to 65536",
                         loader->folder, length);
    }
    loader->tokenizer->length = (size_t)length;
    return true;
}

static bool has_vocabulary(const char *folder) {
    char *path = path_join(folder, "vocab.json");
    bool exists = path_exists(path);
    free(path);
    return exists;
}

// Both files may name it; the first that does is believed (tokenizer_added.c).
static void set_pad_token(TokenizerFiles *files, const char *pad_token) {
    if (!files->config) files->config = json_object();
    json_object_set_new(files->config, "pad_token", json_string(pad_token));
    if (files->specials) json_object_del(files->specials, "pad_token");
}

Tokenizer *tokenizer_open(const char *folder, Error *error) { return tokenizer_open_padded(folder, NULL, error); }

Tokenizer *tokenizer_open_padded(const char *folder, const char *pad_token, Error *error) {
    Error first = {0};  // decides, whatever the caller's holds already
    Tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    CHECK(tokenizer, "no memory for a tokenizer");
    Loader loader = {.tokenizer = tokenizer, .folder = folder, .error = &first};
    TokenizerFiles files = {
        .folder = folder,
        .whole = read_json(folder, "tokenizer.json", false, &first),
        .config = read_json(folder, "tokenizer_config.json", false, &first),
        .specials = read_json(folder, "special_tokens_map.json", false, &first),
        .added = read_json(folder, "added_tokens.json", false, &first),
    };
    bool ok = first.message[0] == '\0';
    if (ok && pad_token) set_pad_token(&files, pad_token);
    if (ok && !files.whole && !has_vocabulary(folder)) {
        ok = error_set(&first, "%s: no tokenizer.json and no vocab.json; give the folder of a CLIP tokenizer", folder);
    }
    ok = ok && (files.whole ? load_whole(&loader, files.whole) : load_pair(&loader));
    ok = ok && tokenizer_load_added(tokenizer, &files, &first) && read_length(&loader, files.config);
    json_decref(files.whole);
    json_decref(files.config);
    json_decref(files.specials);
    json_decref(files.added);
    if (ok) {
        tokenizer->word_pattern = word_pattern_compile();
        return tokenizer;
    }
    tokenizer_close(tokenizer);
    error_set(error, "%s", first.message);
    return NULL;
}

void tokenizer_close(Tokenizer *tokenizer) {
    if (!tokenizer) return;
    for (size_t i = 0; i < tokenizer->added_count; i++) free(tokenizer->added[i].text);
    free(tokenizer->added);
    pcre2_code_free(tokenizer->word_pattern);
    bpe_close(&tokenizer->bpe);
    free(tokenizer);
}
