// words_prompt.c - the prompt as its words and tokens
//
// What the text encoder gets is ids: a start, the tokens of the words, an end, padding up to its 77. What no longer fits
// is cut. Here all of that stands in reading order; pieces of one word stand together in one chip.

#include "panels/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- names ----------------------------------------------------------------------------------------------------------

enum { WORD_SHOWN = 40 };  // bytes

static size_t word_bytes(const PromptWords *words, size_t word) {
    return words->words[word].end - words->words[word].start;
}

// How many of the word's bytes are shown: whole characters
static size_t shown_bytes(const PromptWords *words, size_t word) {
    const char *from = words->tokens.text + words->words[word].start;
    size_t length = word_bytes(words, word);
    if (length <= WORD_SHOWN) return length;
    length = WORD_SHOWN;
    while (length > 0 && ((uint8_t)from[length] & 0xc0) == 0x80) length--;
    return length;
}

void word_text(const PromptWords *words, size_t word, char text[WORD_TEXT]) {
    size_t shown = shown_bytes(words, word);
    const char *cut = shown < word_bytes(words, word) ? "…" : "";
    snprintf(text, WORD_TEXT, "%.*s%s", (int)shown, words->tokens.text + words->words[word].start, cut);
}

void word_name(const PromptWords *words, size_t word, const char *before, char name[WORD_TEXT]) {
    size_t shown = shown_bytes(words, word), time = 1;
    const char *from = words->tokens.text + words->words[word].start;
    for (size_t i = 0; i < word; i++)
        time += shown_bytes(words, i) == shown && memcmp(words->tokens.text + words->words[i].start, from, shown) == 0;
    if (time == 1)
        snprintf(name, WORD_TEXT, "%s%.*s", before, (int)shown, from);
    else
        snprintf(name, WORD_TEXT, "%s%.*s %zu", before, (int)shown, from, time);
}

// ---- layout ---------------------------------------------------------------------------------------------------------

typedef enum { CHIP_WORD, CHIP_END, CHIP_LOST } ChipKind;

typedef struct Chip {
    ChipKind kind;
    size_t word;  // CHIP_WORD
    char text[WORD_TEXT];
    Rect rect;
} Chip;

enum {
    LOST_SHOWN = 8,
    CHIPS_MAX = PROMPT_WORDS_MAX + LOST_SHOWN + 4,
    CHIP_MARGIN = 8,
    CHIP_GAP = 4,
    CHIP_HEIGHT = 24,
    SEAM = 4
};

typedef struct Chips {
    Chip chips[CHIPS_MAX];
    size_t count;
    float x, y, width;  // where the next one goes, and where lines end
} Chips;

// Where piece i of a word ends; 0 where it is nothing to be seen: it ends within a character.
static size_t piece_end(const PromptWords *words, size_t word, size_t i) {
    size_t end = i == words->words[word].last ? words->words[word].end : words->tokens.tokens[i].end;
    return ((uint8_t)words->tokens.text[end] & 0xc0) == 0x80 ? 0 : end;
}

// Words that are cut with "…" are drawn whole.
static size_t seam_count(const PromptWords *words, size_t word) {
    size_t pieces = 0;
    for (size_t i = words->words[word].first; i <= words->words[word].last; i++)
        pieces += piece_end(words, word, i) > 0;
    return pieces > 1 && word_bytes(words, word) <= WORD_SHOWN ? pieces - 1 : 0;
}

static FontStyle chip_font(ChipKind kind) { return kind == CHIP_END ? FONT_SMALL : FONT_NORMAL; }

static Chip *add_chip(Ui *ui, Chips *chips, ChipKind kind, const char *text, size_t seams) {
    Chip *chip = &chips->chips[chips->count++];
    *chip = (Chip){.kind = kind};
    snprintf(chip->text, sizeof chip->text, "%s", text);
    float margin = kind == CHIP_WORD ? 2 * CHIP_MARGIN + (float)seams * SEAM : CHIP_GAP;
    float width = fminf(ceilf(text_width(ui, chip_font(kind), chip->text)) + margin, chips->width);
    if (chips->x > 0 && chips->x + width > chips->width) {
        chips->x = 0;
        chips->y += CHIP_HEIGHT + CHIP_GAP;
    }
    chip->rect = (Rect){chips->x, chips->y, width, CHIP_HEIGHT};
    chips->x += width + CHIP_GAP;
    return chip;
}

static void add_lost(Ui *ui, Chips *chips, const char *lost) {
    size_t shown = 0, more = 0;
    for (const char *at = lost + strspn(lost, " "); *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        char text[WORD_TEXT];
        snprintf(text, sizeof text, "%.*s", (int)fminf((float)length, WORD_SHOWN), at);
        if (shown < LOST_SHOWN) {
            add_chip(ui, chips, CHIP_LOST, text, 0);
            shown++;
        } else {
            more++;
        }
        at += length;
    }
    char text[WORD_TEXT];
    snprintf(text, sizeof text, "… and %zu more", more);
    if (more > 0) add_chip(ui, chips, CHIP_END, text, 0);
}

static void lay_out(Ui *ui, const PromptWords *words, float width, Chips *chips) {
    *chips = (Chips){.width = width};
    add_chip(ui, chips, CHIP_END, "start", 0);
    for (size_t i = 0; i < words->count; i++) {
        char text[WORD_TEXT];
        word_text(words, i, text);
        add_chip(ui, chips, CHIP_WORD, text, seam_count(words, i))->word = i;
    }
    const TokenIds *tokens = &words->tokens;
    char padding[WORD_TEXT];
    size_t padded = tokens->length - tokens->used;
    add_chip(ui, chips, CHIP_END, "end", 0);
    snprintf(padding, sizeof padding, "… %zu padding", padded);
    if (padded > 0) add_chip(ui, chips, CHIP_END, padding, 0);
    add_lost(ui, chips, tokens->lost);
}

static void lost_sentence(const PromptWords *words, char *sentence, size_t size) {
    const TokenIds *tokens = &words->tokens;
    snprintf(sentence, size,
             "The text encoder reads %zu tokens, this prompt has %zu: what is struck through was cut, the U-Net never "
             "hears of it.",
             tokens->length, tokens->count + 2);
}

static float height_of(Ui *ui, const PromptWords *words, const Chips *chips) {
    float height = chips->y + CHIP_HEIGHT;
    char sentence[200];
    lost_sentence(words, sentence, sizeof sentence);
    if (words->tokens.lost[0]) height += CHIP_GAP + text_height(ui, FONT_SMALL, chips->width, sentence);
    return height;
}

// ---- what a chip says -----------------------------------------------------------------------------------------------

// "3 tokens: sun 8271, glass 2904, es 6523"
static void chip_tip(const PromptWords *words, size_t word, char *tip, size_t size) {
    const PromptWord *w = &words->words[word];
    size_t count = w->last - w->first + 1, at = 0;
    at += (size_t)snprintf(tip, size, count == 1 ? "One token:" : "%zu tokens:", count);
    for (size_t i = w->first; i <= w->last && at < size; i++) {
        const Token *token = &words->tokens.tokens[i];
        at += (size_t)snprintf(tip + at, size - at, "%s %.*s %u", i > w->first ? "," : "",
                               (int)(token->end - token->start), words->tokens.text + token->start, token->id);
    }
    if (at < size) snprintf(tip + at, size - at, ".\nPress to keep it while the mouse moves on.");
}

static const char *end_tip(const Chip *chip) {
    if (strcmp(chip->text, "start") == 0)
        return "The token that begins every prompt. Places that look for nothing look here.";
    if (strcmp(chip->text, "end") == 0) return "The token that ends it: the only one that has seen the whole prompt";
    return "The text encoder reads a fixed number of tokens; the rest is filled. The picture looks at these, too.";
}

// ---- drawing --------------------------------------------------------------------------------------------------------

bool word_point(Ui *ui, Viewer *viewer, const char *name, Rect rect, size_t word) {
    bool by_mouse = ui->mouse_moved && ui_hovers(ui, rect), by_key = ui->focus_moved && ui_focused(ui, name);
    if ((by_mouse || by_key) && !viewer->word_pinned) viewer_point_at_word(viewer, word);
    if (!ui_click(ui, name, rect)) return false;
    viewer_pin_word(viewer, word);
    return true;
}

static bool is_punctuation(const char *text) {
    for (; *text; text++) {
        if ((uint8_t)*text >= 0x80 || (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z')) return false;
    }
    return true;
}

// The word's pieces, a thin line where a token ends and the next begins
static void draw_pieces(Ui *ui, const PromptWords *words, const Chip *chip, Color color) {
    float x = chip->rect.x + CHIP_MARGIN, y = chip->rect.y;
    size_t at = words->words[chip->word].start;
    for (size_t i = words->words[chip->word].first; i <= words->words[chip->word].last; i++) {
        char piece[WORD_TEXT];
        size_t end = piece_end(words, chip->word, i);
        if (end == 0) continue;
        snprintf(piece, sizeof piece, "%.*s", (int)(end - at), words->tokens.text + at);
        float width = text_width(ui, FONT_NORMAL, piece);
        draw_label(ui, (Rect){x, y, width, CHIP_HEIGHT}, FONT_NORMAL, color, ALIGN_LEFT, piece);
        x += width + SEAM;
        at = end;
        float middle = roundf(x - SEAM / 2.0f);
        if (i < words->words[chip->word].last)
            draw_line(ui, middle, y + 6, middle, y + CHIP_HEIGHT - 6, 1, color_fade(color, 0.4f));
    }
}

static void draw_word(Ui *ui, Viewer *viewer, const PromptWords *words, const Chip *chip) {
    const Theme *theme = &ui->theme;
    char name[WORD_TEXT], tip[sizeof((UiThing){0}.tip)];
    word_name(words, chip->word, "word: ", name);
    chip_tip(words, chip->word, tip, sizeof tip);
    bool none = viewer->word >= words->count, pointed = viewer->word == chip->word,
         pinned = pointed && viewer->word_pinned;
    ui_thing(ui, name, chip->rect, tip, none ? chip->word == 0 : pointed);  // Tab stops once, arrows go on from there
    word_point(ui, viewer, name, chip->rect, chip->word);

    Color surface = pinned ? theme->accent : color_mix(theme->raised, theme->accent, pointed ? 0.12f : 0);
    Color color = pinned ? theme->on_accent : is_punctuation(chip->text) ? theme->faint : theme->text;
    draw_round(ui, chip->rect, 4, pointed ? theme->accent : theme->edge);
    draw_round(ui, rect_inset(chip->rect, 1), 3, surface);
    if (seam_count(words, chip->word) > 0) {
        draw_pieces(ui, words, chip, color);
    } else {
        Rect label = {chip->rect.x + CHIP_MARGIN, chip->rect.y, chip->rect.w - 2 * CHIP_MARGIN + 1, chip->rect.h};
        draw_label(ui, label, FONT_NORMAL, color, ALIGN_LEFT, chip->text);
    }
    if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, rect_inset(chip->rect, -2), theme->accent, 2);
}

static void draw_chip(Ui *ui, Viewer *viewer, const PromptWords *words, const Chip *chip) {
    Rect rect = chip->rect;
    char name[WORD_TEXT];
    switch (chip->kind) {
    case CHIP_WORD: draw_word(ui, viewer, words, chip); break;
    case CHIP_END:
        draw_label(ui, rect, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, chip->text);
        snprintf(name, sizeof name, "tokens: %.40s", chip->text);
        ui_thing(ui, name, rect, end_tip(chip), false);
        break;
    case CHIP_LOST: {
        draw_label(ui, rect, FONT_NORMAL, ui->theme.warning, ALIGN_CENTER, chip->text);
        float y = roundf(rect.y + rect.h / 2);
        draw_line(ui, rect.x, y, rect.x + rect.w, y, 1, ui->theme.warning);
        break;
    }
    }
}

// Left and Right, while one of the chips has the keyboard
static void walk_by_keys(Ui *ui, Viewer *viewer, const PromptWords *words) {
    for (size_t i = 0; i < words->count; i++) {
        char name[WORD_TEXT];
        word_name(words, i, "word: ", name);
        if (!ui_focused(ui, name)) continue;
        bool back = ui_key(ui, SDLK_LEFT, KMOD_NONE), on = ui_key(ui, SDLK_RIGHT, KMOD_NONE);
        size_t to = back && i > 0 ? i - 1 : on && i + 1 < words->count ? i + 1 : i;
        if (to == i) return;
        word_name(words, to, "word: ", name);
        ui_focus(ui, name);
        ui->focus_by_key = true;
        viewer_point_at_word(viewer, to);
        return;
    }
}

// At most two fifths of the room there is; more is scrolled.
float words_prompt(Ui *ui, Viewer *viewer, const PromptWords *words, Rect area) {
    Chips chips;
    lay_out(ui, words, area.w - WORDS_SCROLL_BAR, &chips);
    float height = height_of(ui, words, &chips), most = fmaxf(0.4f * area.h, 2 * CHIP_HEIGHT);
    Rect seen = {area.x, area.y, area.w, fminf(height, most)};
    Rect inside = scroll_begin(ui, seen, "prompt's words", height, &viewer->prompt_scroll);
    if (ui->focus[0]) walk_by_keys(ui, viewer, words);
    for (size_t i = 0; i < chips.count; i++) {
        Chip *chip = &chips.chips[i];
        chip->rect.x += inside.x;
        chip->rect.y += inside.y;
        draw_chip(ui, viewer, words, chip);
    }
    if (words->tokens.lost[0]) {
        char sentence[200];
        Rect below = {inside.x, inside.y + chips.y + CHIP_HEIGHT + CHIP_GAP, chips.width, 0};
        lost_sentence(words, sentence, sizeof sentence);
        draw_paragraph(ui, below, FONT_SMALL, ui->theme.warning, sentence);
    }
    scroll_end(ui);
    return seen.h;
}
