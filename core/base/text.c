// text.c - see text.h

#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A character's first byte says how many follow: 0xxxxxxx none, 110xxxxx one, 1110xxxx two, 11110xxx three. Those that
// follow are 10xxxxxx (RFC 3629).
static bool follows(char byte) { return ((unsigned char)byte & 0xc0) == 0x80; }

size_t text_whole(const char *text, size_t n) {
    size_t first = n;
    do {
        if (first == 0) return n;
        first--;
    } while (follows(text[first]) && n - first < 4);
    unsigned char byte = (unsigned char)text[first];
    size_t length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return n - first < length ? first : n;
}

size_t text_characters(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += !follows(*text);
    return count;
}

bool text_ends_in(const char *text, size_t n, const char *ending) {
    size_t tail = strlen(ending);
    return n > tail && memcmp(text + n - tail, ending, tail) == 0;
}

void list_append(char *list, size_t size, const char *name) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, used ? ", %s" : "%s", name);
}

double as_written(float x) {
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)x);
    return strtod(text, NULL);
}

size_t edit_distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1], n = strlen(b);
    if (n > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]), shorter = row[j] + 1, longer = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = changed < shorter ? (changed < longer ? changed : longer) : (shorter < longer ? shorter : longer);
        }
    }
    return row[n];
}

bool text_number(const char *text, float *number) {
    char *end;
    *number = strtof(text, &end);
    return *text && *end == '\0' && strspn(text, "+-.0123456789eE") == strlen(text) && isfinite(*number);
}

NumberText number_text(double number) {
    static const char *const UNITS[] = {"", "k", "M", "G", "T", "P"};
    size_t unit = 0;
    for (; number >= 999.5 && unit < 5; unit++) number /= 1000;
    NumberText text;
    snprintf(text.text, sizeof text.text, "%.3g %s", number, UNITS[unit]);
    return text;
}
