// tokenizer_text.c - see tokenizer_text.h
//
// Unicode can write "é" as one character or as "e" and an accent, has 25 kinds of white space, and letters come large
// and small. The model was trained on captions where such differences were ironed out, so prompts get the same iron.
//
// Read next: bpe.c, which spells the words that come out of this.

#include "stages/tokenizer_text.h"

#include "base/check.h"
#include "stages/tokenizer_unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static void reserve(TextBuffer *buffer, size_t more) {
    if (buffer->capacity - buffer->size > more) return;
    buffer->capacity = 2 * buffer->capacity + more + 1;
    buffer->data = realloc(buffer->data, buffer->capacity);
    CHECK(buffer->data, "no memory for %zu bytes of text", buffer->capacity);
}

void text_append(TextBuffer *buffer, const char *text, size_t n) {
    reserve(buffer, n);
    memcpy(buffer->data + buffer->size, text, n);
    buffer->size += n;
    buffer->data[buffer->size] = '\0';
}

static void append_character(TextBuffer *buffer, int32_t character) {
    utf8proc_uint8_t bytes[4];
    text_append(buffer, (const char *)bytes, (size_t)utf8proc_encode_char(character, bytes));
}

size_t text_valid_bytes(const char *text, size_t n) {
    size_t at = 0;
    while (at < n) {
        int32_t character;
        utf8proc_ssize_t bytes = utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &character);
        if (bytes < 1) break;
        at += (size_t)bytes;
    }
    return at;
}

// Sorts every run of combining marks by combining class, keeping the order within a class: an accent above and one
// below may be typed in either order. (utf8proc_map does this too, but its time grows with the square of the run.)
static void order_marks(int32_t *characters, size_t n) {
    int32_t *sorted = malloc((n + 1) * sizeof *sorted);
    CHECK(sorted, "no memory for %zu characters", n);
    for (size_t first = 0, last; first < n; first = last + 1) {
        size_t place[257] = {0};  // [class + 1] how many marks there are of the class; then [class] where the next goes
        for (last = first; last < n; last++) {
            utf8proc_propval_t class = utf8proc_get_property(characters[last])->combining_class;
            if (class == 0) break;
            place[class + 1]++;
        }
        if (last - first < 2) continue;
        for (int class = 0; class < 256; class ++) place[class + 1] += place[class];
        for (size_t i = first; i < last; i++) {
            sorted[place[utf8proc_get_property(characters[i])->combining_class]++] = characters[i];
        }
        memcpy(characters + first, sorted, (last - first) * sizeof *sorted);
    }
    free(sorted);
}

// NFC (Unicode Standard Annex 15) of n bytes of UTF-8: take every character apart, order the marks, put together what
// can be. The caller frees the characters; *count says how many.
static int32_t *compose(const char *text, size_t n, size_t *count) {
    enum { MOST_PARTS = 4 };  // of any character
    int32_t *characters = malloc((n + 1) * MOST_PARTS * sizeof *characters);
    CHECK(characters, "no memory for %zu characters", n * MOST_PARTS);
    *count = 0;
    for (size_t at = 0; at < n;) {
        int32_t character;
        at += (size_t)utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &character);
        int boundary = 0;
        utf8proc_ssize_t parts = utf8proc_decompose_char(character, characters + *count, MOST_PARTS,
                                                         UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
        CHECK(parts >= 0 && parts <= MOST_PARTS, "U+%04X has %zd parts", (unsigned)character, (ssize_t)parts);
        *count += (size_t)parts;
    }
    order_marks(characters, *count);
    utf8proc_ssize_t composed =
        utf8proc_normalize_utf32(characters, (utf8proc_ssize_t)*count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    CHECK(composed >= 0, "NFC of %zu bytes: %s", n, utf8proc_errmsg(composed));
    *count = (size_t)composed;
    return characters;
}

// Appends n bytes that hold no inert character: composed, spaces joined, lowercase. after_space: was the last character
// before them white space; and is the last of them.
static bool append_section(TextBuffer *buffer, const char *text, size_t n, bool after_space) {
    size_t count;
    int32_t *characters = compose(text, n, &count);
    for (size_t i = 0; i < count; i++) {
        bool space = unicode_is_space(characters[i]);
        if (space && !after_space) {
            append_character(buffer, ' ');
        } else if (characters[i] == 0x130) {
            text_append(buffer, "i\xcc\x87", 3);  // the Turkish capital I with dot: the one letter that becomes two
        } else if (!space) {
            append_character(buffer, unicode_lowercase(characters[i]));
        }
        after_space = space;
    }
    free(characters);
    return after_space;
}

void text_append_normalized(TextBuffer *buffer, const char *text, size_t n) {
    text_append(buffer, "", 0);
    bool after_space = false;
    size_t start = 0, at = 0;
    while (at < n) {
        int32_t character;
        size_t bytes = (size_t)utf8proc_iterate((const uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &character);
        if (unicode_is_inert(character)) {
            append_section(buffer, text + start, at - start, after_space);
            append_character(buffer, unicode_lowercase(character));
            start = at + bytes;
            after_space = false;
        }
        at += bytes;
    }
    append_section(buffer, text + start, n - start, after_space);
}

bool text_first_is_word(const char *text, size_t n) {
    int32_t character;
    utf8proc_iterate((const uint8_t *)text, (utf8proc_ssize_t)n, &character);
    return unicode_is_word(character);
}

bool text_last_is_word(const char *text, size_t n) {
    size_t at = n - 1;
    while (at > 0 && ((uint8_t)text[at] & 0xc0) == 0x80) at--;  // back over continuation bytes
    return text_first_is_word(text + at, n - at);
}
