// text.c - words: the fonts, and texts as textures
//
// Setting a text is slow (its glyphs are shaped and blended), so every run of words is set once and kept, with its
// width by itself, since most questions are about widths: where a label is cut, where a paragraph breaks.

#include "ui/inside.h"

#include "base/least.h"
#include "base/text.h"

#include <SDL2/SDL_ttf.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

enum { RUN_BYTES = 240 };        // a text is set in runs of at most so many bytes
enum { RUNS_BYTES = 48 << 20 };  // that kept runs may take

// ---- fonts ----------------------------------------------------------------------------------------------------------

struct Fonts {
    TTF_Font *faces[FONT_COUNT];
    TextureCache *runs;
};

static const struct {
    const char *file;
    float points;
} FACES[FONT_COUNT] = {
    [FONT_SMALL] = {"DejaVuSans.ttf", 11},     [FONT_NORMAL] = {"DejaVuSans.ttf", 13},
    [FONT_BOLD] = {"DejaVuSans-Bold.ttf", 13}, [FONT_LARGE] = {"DejaVuSans.ttf", 18},
    [FONT_MONO] = {"DejaVuSansMono.ttf", 12},
};

static bool face_open(struct Fonts *fonts, FontStyle style, float scale, Error *error) {
    const char *folder = getenv("SCULPT_FONTS");
    if (!folder || !*folder) folder = "/usr/share/fonts/truetype/dejavu";
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, FACES[style].file);
    fonts->faces[style] = TTF_OpenFont(path, (int)floorf(FACES[style].points * scale + 0.5f));
    if (fonts->faces[style]) {
        TTF_SetFontHinting(fonts->faces[style], TTF_HINTING_LIGHT);
        return true;
    }
    if (access(path, R_OK) == 0) return error_set(error, "fonts: %s can't be read: %s", path, TTF_GetError());
    return error_set(error, "fonts: %s is not in %s; install fonts-dejavu-core, or name a folder in SCULPT_FONTS",
                     FACES[style].file, folder);
}

bool fonts_open(Ui *ui, Error *error) {
    if (TTF_Init() != 0) return error_set(error, "fonts: SDL_ttf doesn't start: %s", TTF_GetError());
    ui->fonts = calloc(1, sizeof *ui->fonts);
    if (!ui->fonts) {
        TTF_Quit();
        return error_set(error, "fonts: out of memory");
    }
    ui->fonts->runs = texture_cache_new(RUNS_BYTES);
    bool fine = ui->fonts->runs || error_set(error, "fonts: out of memory");
    for (FontStyle style = 0; fine && style < FONT_COUNT; style++) fine = face_open(ui->fonts, style, ui->scale, error);
    if (!fine) fonts_close(ui);
    return fine;
}

void fonts_close(Ui *ui) {
    if (!ui->fonts) return;
    for (FontStyle style = 0; style < FONT_COUNT; style++)
        if (ui->fonts->faces[style]) TTF_CloseFont(ui->fonts->faces[style]);
    texture_cache_free(ui->fonts->runs);
    free(ui->fonts);
    ui->fonts = NULL;
    TTF_Quit();
}

float line_height(const Ui *ui, FontStyle style) { return (float)TTF_FontHeight(ui->fonts->faces[style]) / ui->scale; }

// ---- runs -----------------------------------------------------------------------------------------------------------

// A run as it is looked up: what it looks like, and its bytes. `drawn` is false where only the width is kept.
typedef struct Run {
    struct {
        FontStyle style;
        Color color;
        int drawn;
    } look;
    char text[RUN_BYTES];
} Run;

// What is shown for n bytes: what isn't UTF-8, and control characters, as "\xff".
static void visible_text(char out[4 * RUN_BYTES + 1], const char *text, size_t n) {
    char *to = out;
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t character;
        utf8proc_ssize_t bytes =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(n - at), &character);
        if (bytes > 0 && character >= ' ' && (character < 0x7f || character > 0x9f)) {
            memcpy(to, text + at, (size_t)bytes);
            to += bytes;
            at += (size_t)bytes;
        } else {
            to += sprintf(to, "\\x%02x", (unsigned char)text[at]);
            at++;
        }
    }
    *to = '\0';
}

// The run's width is known, or its texture drawn, from then on. NULL: it can't be set.
static const CachedTexture *run_of(Ui *ui, const char *text, size_t n, FontStyle style, Color color, bool drawn) {
    Run run;
    memset(&run, 0, sizeof run.look);
    run.look.style = style;
    run.look.drawn = drawn;
    if (drawn) run.look.color = color;
    memcpy(run.text, text, n);
    size_t key_size = offsetof(Run, text) + n;
    const CachedTexture *known = texture_cache_find(ui->fonts->runs, &run, key_size);
    if (known) return known;

    char visible[4 * RUN_BYTES + 1];
    visible_text(visible, text, n);
    CachedTexture made = {0};
    if (!drawn) {
        if (TTF_SizeUTF8(ui->fonts->faces[style], visible, &made.width, &made.height) != 0) return NULL;
    } else {
        SDL_Surface *surface = TTF_RenderUTF8_Blended(ui->fonts->faces[style], visible, color);
        if (!surface) return NULL;
        made = (CachedTexture){SDL_CreateTextureFromSurface(ui->renderer, surface), surface->w, surface->h};
        SDL_FreeSurface(surface);
        if (!made.texture) return NULL;
    }
    return texture_cache_add(ui->fonts->runs, &run, key_size, made);
}

// The next run of n bytes of text.
static size_t run_length(const char *text, size_t n) {
    if (n <= RUN_BYTES) return n;
    size_t whole = text_whole(text, RUN_BYTES);
    return whole ? whole : RUN_BYTES;
}

static int width_pixels(Ui *ui, FontStyle style, const char *text, size_t n) {
    int width = 0;
    for (size_t length; n > 0; text += length, n -= length) {
        length = run_length(text, n);
        const CachedTexture *run = run_of(ui, text, length, style, (Color){0}, false);
        if (run) width += run->width;
    }
    return width;
}

float text_width_of(Ui *ui, FontStyle style, const char *text, size_t n) {
    return (float)width_pixels(ui, style, text, n) / ui->scale;
}

float text_width(Ui *ui, FontStyle style, const char *text) { return text_width_of(ui, style, text, strlen(text)); }

static void draw_bytes(Ui *ui, float x, float y, FontStyle style, Color color, const char *text, size_t n) {
    SDL_Rect at = {to_pixels(ui, x), to_pixels(ui, y), 0, TTF_FontHeight(ui->fonts->faces[style])};
    for (size_t length; n > 0; text += length, n -= length) {
        length = run_length(text, n);
        at.w = width_pixels(ui, style, text, length);
        if (draw_reaches(ui, at)) {
            const CachedTexture *run = run_of(ui, text, length, style, color, true);
            if (run) SDL_RenderCopy(ui->renderer, run->texture, NULL, &(SDL_Rect){at.x, at.y, run->width, run->height});
        }
        at.x += at.w;
    }
}

// ---- lines and paragraphs -------------------------------------------------------------------------------------------

float draw_text(Ui *ui, float x, float y, FontStyle style, Color color, const char *text) {
    draw_bytes(ui, x, y, style, color, text, strlen(text));
    return text_width(ui, style, text);
}

float draw_textf(Ui *ui, float x, float y, FontStyle style, Color color, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text[text_whole(text, strlen(text))] = '\0';
    return draw_text(ui, x, y, style, color, text);
}

// How many of the n bytes, whole characters, fit into a width.
static size_t bytes_that_fit(Ui *ui, FontStyle style, const char *text, size_t n, float width) {
    size_t fits = 0, most = n;
    while (fits < most) {
        size_t tried = (fits + most + 1) / 2;
        if (text_width_of(ui, style, text, text_whole(text, tried)) <= width)
            fits = tried;
        else
            most = tried - 1;
    }
    return text_whole(text, fits);
}

void draw_label(Ui *ui, Rect rect, FontStyle style, Color color, Align align, const char *text) {
    float width = text_width(ui, style, text), y = rect.y + (rect.h - line_height(ui, style)) / 2;
    size_t length = strlen(text);
    float slack = rect.w - width;
    if (slack < 0) {
        float dots = text_width(ui, style, "…");
        length = bytes_that_fit(ui, style, text, length, rect.w - dots);
        while (length > 0 && text[length - 1] == ' ') length--;
        width = text_width_of(ui, style, text, length);
        slack = fmaxf(rect.w - width - dots, 0);
    }
    float x = rect.x + (align == ALIGN_LEFT ? 0 : align == ALIGN_CENTER ? slack / 2 : slack);
    draw_bytes(ui, x, y, style, color, text, length);
    if (text[length]) draw_text(ui, x + width, y, style, color, "…");
}

// The length of the first line: as many words as fit, or as many characters of a first word that doesn't.
static size_t line_length(Ui *ui, FontStyle style, float width, const char *text) {
    size_t fits = 0;
    for (size_t at = 0;;) {
        size_t end = at + strcspn(text + at, " \n");
        if (text_width_of(ui, style, text, end) > width) break;
        fits = end;
        if (text[end] != ' ') return fits;
        at = end + strspn(text + end, " ");
    }
    if (fits > 0) return fits;
    size_t word = strcspn(text, " \n");
    fits = bytes_that_fit(ui, style, text, word, width);
    for (size_t first = 1; fits == 0; first++) fits = text_whole(text, least(first, word));  // at least a character
    return fits;
}

// Sets the text in lines from (x, y), or only counts them.
static float set_paragraph(Ui *ui, Rect rect, FontStyle style, Color color, const char *text, bool drawn) {
    float y = rect.y, height = line_height(ui, style);
    while (*text) {
        size_t length = line_length(ui, style, rect.w, text);
        if (drawn) draw_bytes(ui, rect.x, y, style, color, text, length);
        y += height;
        text += length;
        if (*text == '\n')
            text++;
        else
            text += strspn(text, " ");
    }
    return y - rect.y;
}

float draw_paragraph(Ui *ui, Rect rect, FontStyle style, Color color, const char *text) {
    return set_paragraph(ui, rect, style, color, text, true);
}

float text_height(Ui *ui, FontStyle style, float width, const char *text) {
    return set_paragraph(ui, (Rect){0, 0, width, 0}, style, (Color){0}, text, false);
}
