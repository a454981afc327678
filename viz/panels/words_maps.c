// words_maps.c - a word's two maps: what it causes, and where it is looked at
//
//     deletion map  = |eps(with the word) - eps(without it)|    at each place, over the latents' channels
//     attention map = softmax(q k^T / sqrt(d))                  of each place's look, what the word's tokens got
//
// The first costs a U-Net call a word and step. The second is a by-product of the call that is made anyway.
// Read next: run/deletion.h, run/attention.h.

#include "panels/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PICTURE_LEAST = 132,
    PICTURE_BESIDE = 200,
    PICTURE_MOST = 960,
    THUMB = 64,
    THUMB_LABEL = 16,
    FOOT_WIDTH = 300
};  // points

static const char DELETION_TIP[] =
    "How far the predicted noise moves when the prompt goes without the word:\n"
    "|eps(with) - eps(without)|, over the 4 channels of the latents. One more U-Net call tells.";
static const char ATTENTION_TIP[] = "Cross-attention: each place of the picture shares its look out among the tokens, "
                                    "softmax(q k^T / sqrt(d)); this is "
                                    "the share of the word's tokens.";

// ---- what is shown --------------------------------------------------------------------------------------------------

// What the step predicts; of the finished picture, itself.
static const Picture *picture_below(Viewer *viewer, Branch *branch) {
    PictureKind kind = viewer->k < branch->step_count ? PICTURE_CLEAN : PICTURE_START;
    const Picture *picture = viewer_picture(viewer, branch, viewer->k, kind, true);
    return picture ? picture : viewer_picture(viewer, branch, viewer->k, PICTURE_START, true);
}

static const char ASKING[] = "asking the U-Net …";

// Fills in the map, or what is said in its place; `why`: room for that.
static void find_deletion(Viewer *viewer, Branch *branch, size_t word, MapCard *card, char *why, size_t size) {
    const DeletionMap *deletion = viewer_deletion(viewer, branch, viewer->k, word);
    if (deletion && deletion->map)
        card->map = maps_deletion(&viewer->maps, branch, deletion, 0);
    else if (deletion && deletion->message[0])
        card->instead = deletion->message;
    else
        card->instead = viewer_answers(branch, viewer->k, why, size) ? ASKING : why;
}

static void find_attention(Viewer *viewer, Branch *branch, size_t word, MapCard *card, char *why, size_t size) {
    const StepAttention *attention = viewer_attention(viewer, branch, viewer->k);
    if (attention && attention->maps.count > 0) {
        card->map =
            maps_attention(&viewer->maps, branch, attention, word, viewer->attention_layer, viewer->attention_head);
        if (!card->map) card->instead = "This layer has no such head";
    } else if (attention && attention->message[0]) {
        card->instead = attention->message;
    } else {
        card->instead = viewer_answers(branch, viewer->k, why, size) ? ASKING : why;
    }
}

static const char MEANING[] = "Here the predicted noise changes without it: a cause";

static MapCard deletion_card(const char *title) {
    return (MapCard){
        .name = "deletion map", .tip = DELETION_TIP, .title = title, .meaning = MEANING, .meaning_like = MEANING};
}

static MapCard attention_card(const char *title) {
    return (MapCard){.name = "attention map",
                     .tip = ATTENTION_TIP,
                     .title = title,
                     .meaning = "Here the picture looks at it: a correlation",
                     .meaning_like = MEANING};
}

// ---- layers and heads -----------------------------------------------------------------------------------------------

enum { LAYERS_MAX = 63, LABEL = 48 };

// "down_blocks.0.attentions.1" at 16 x 16 -> "down 0.1   16 x 16"
static void layer_label(const LayerMaps *layer, char label[LABEL]) {
    char side[8];
    unsigned block, number;
    if (sscanf(layer->place, "%7[a-z]_blocks.%u.attentions.%u", side, &block, &number) == 3)
        snprintf(label, LABEL, "%s %u.%u   %zu x %zu", side, block, number, layer->width, layer->height);
    else if (strncmp(layer->place, "mid_block.", 10) == 0)
        snprintf(label, LABEL, "mid   %zu x %zu", layer->width, layer->height);
    else
        snprintf(label, LABEL, "%.24s   %zu x %zu", layer->place, layer->width, layer->height);
}

static size_t head_count(const AttentionMaps *maps, size_t layer) {
    size_t most = 0;
    for (size_t i = 0; i < maps->count; i++) {
        if ((layer == ATTENTION_ALL || layer == i) && maps->layers[i].heads > most) most = maps->layers[i].heads;
    }
    return most;
}

static void choose_layer(Ui *ui, Viewer *viewer, const AttentionMaps *maps, Rect rect) {
    char labels[LAYERS_MAX][LABEL];
    const char *items[LAYERS_MAX + 1] = {"all layers"};
    size_t count = maps->count < LAYERS_MAX ? maps->count : LAYERS_MAX;
    size_t chosen = viewer->attention_layer < count ? viewer->attention_layer + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        layer_label(&maps->layers[i], labels[i]);
        items[i + 1] = labels[i];
    }
    if (choice(ui, rect, "attention layer", items, count + 1, &chosen,
               "Which of the U-Net's cross-attention layers; or all, their mean"))
        viewer->attention_layer = chosen > 0 ? chosen - 1 : ATTENTION_ALL;
}

static void choose_head(Ui *ui, Viewer *viewer, const AttentionMaps *maps, Rect rect) {
    char labels[LAYERS_MAX][LABEL];
    const char *items[LAYERS_MAX + 1] = {"all heads"};
    size_t heads = head_count(maps, viewer->attention_layer), count = heads < LAYERS_MAX ? heads : LAYERS_MAX;
    if (viewer->attention_head >= count) viewer->attention_head = ATTENTION_ALL;
    size_t chosen = viewer->attention_head < count ? viewer->attention_head + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(labels[i], LABEL, "head %zu", i + 1);
        items[i + 1] = labels[i];
    }
    if (choice(ui, rect, "attention head", items, count + 1, &chosen,
               "Each head asks a question of its own; all: their mean"))
        viewer->attention_head = chosen > 0 ? chosen - 1 : ATTENTION_ALL;
}

static void draw_choices(Ui *ui, Viewer *viewer, Branch *branch, Rect rect) {
    static const AttentionMaps NONE = {0};
    const StepAttention *attention = viewer_attention(viewer, branch, viewer->k);
    const AttentionMaps *maps = attention ? &attention->maps : &NONE;
    if (maps->count == 0) return;
    bool narrow = rect.w < FOOT_WIDTH;
    Rect layer = narrow ? rect_cut_top(&rect, WORDS_ROW) : rect_cut_left(&rect, (rect.w - WORDS_GAP) * 0.6f);
    if (narrow)
        rect_cut_top(&rect, 4);
    else
        rect_cut_left(&rect, WORDS_GAP);
    rect.h = WORDS_ROW;
    choose_layer(ui, viewer, maps, layer);
    choose_head(ui, viewer, maps, rect);
}

static void draw_buttons(Ui *ui, Viewer *viewer, Rect rect) {
    bool narrow = rect.w < FOOT_WIDTH;
    Rect all = narrow ? rect_cut_top(&rect, WORDS_ROW) : rect_cut_left(&rect, 112);
    if (narrow) rect_cut_top(&rect, 4);
    toggle(ui, all, "All words", &viewer->words_all,
           "Every word's deletion map: a U-Net call each, one after the other");
    rect.h = WORDS_ROW;
    rect.w = fminf(rect.w, 200);
    if (!button(ui, rect, "Grade against the painter",
                "The painter draws the prompt, so that its pixels are known: how well do the maps find them?"))
        return;
    viewer->words_view = WORDS_GRADES;
    viewer_ask_grades(viewer);
}

// ---- all words ------------------------------------------------------------------------------------------------------

static size_t thumbs_across(float width) { return (size_t)fmaxf((width + WORDS_GAP) / (THUMB + WORDS_GAP), 1); }

static float all_height(const PromptWords *words, float width) {
    size_t across = thumbs_across(width), rows = (words->count + across - 1) / across;
    return 24 + (float)rows * (THUMB + THUMB_LABEL + WORDS_GAP);
}

// The largest number of all that are known: one scale for all.
static float largest_change(Viewer *viewer, Branch *branch, const PromptWords *words) {
    float largest = 0;
    for (size_t i = 0; i < words->count; i++) {
        const DeletionMap *deletion = viewer_deletion(viewer, branch, viewer->k, i);
        if (deletion && deletion->map)
            largest = fmaxf(largest, maps_deletion(&viewer->maps, branch, deletion, 0)->high);
    }
    return largest;
}

static void draw_thumb(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, size_t word, float high,
                       Rect rect) {
    char name[WORD_TEXT], text[WORD_TEXT];
    const DeletionMap *deletion = viewer_deletion(viewer, branch, viewer->k, word);
    word_name(words, word, "map: ", name);
    word_text(words, word, text);
    ui_thing(ui, name, rect, "What the word changes, on the same scale as the others", true);
    word_point(ui, viewer, name, rect, word);
    bool pointed = viewer->word == word;
    Rect label = rect_cut_bottom(&rect, THUMB_LABEL);
    if (deletion && deletion->map)
        draw_picture(ui, rect, &maps_deletion(&viewer->maps, branch, deletion, high)->picture, PIXELS_SMOOTH);
    else
        draw_fill(ui, rect, ui->theme.sunken);
    if (deletion && !deletion->map)
        draw_label(ui, rect, FONT_SMALL, ui->theme.faint, ALIGN_CENTER, deletion->message[0] ? "failed" : "…");
    if (pointed) draw_frame(ui, rect_inset(rect, -2), ui->theme.accent, 2);
    draw_label(ui, label, FONT_SMALL, pointed ? ui->theme.accent : ui->theme.faint, ALIGN_CENTER, text);
}

static void draw_all(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect) {
    float high = largest_change(viewer, branch, words);
    char title[96];
    snprintf(title, sizeof title, "What each word changes, all on one scale: 0 to %.3g", (double)high);
    draw_label(ui, rect_cut_top(&rect, 24), FONT_SMALL, ui->theme.faint, ALIGN_LEFT,
               high > 0 ? title : "What each word changes");
    size_t across = thumbs_across(rect.w);
    for (size_t i = 0; i < words->count; i++) {
        Rect thumb = {rect.x + (float)(i % across) * (THUMB + WORDS_GAP),
                      rect.y + (float)(i / across) * (THUMB + THUMB_LABEL + WORDS_GAP), THUMB, THUMB + THUMB_LABEL};
        draw_thumb(ui, viewer, branch, words, i, high, thumb);
    }
}

// ---- the two cards --------------------------------------------------------------------------------------------------

enum { CARD_GAP = 16 };

static float card_width(float width) { return (width - CARD_GAP) / 2; }
static float foot_height(float width) { return card_width(width) < FOOT_WIDTH ? 2 * WORDS_ROW + 4 : WORDS_ROW; }

// As high as there is room for, and as the cards are wide; smaller with all words below, but still to be seen.
static float cards_height(Ui *ui, const Viewer *viewer, const PromptWords *words, float width, float room) {
    MapCard card = deletion_card("");
    float around = map_card_height(ui, card_width(width), 0, &card);
    float most = fminf(card_width(width), PICTURE_MOST), picture = room - around - foot_height(width) - WORDS_GAP;
    if (viewer->words_all)
        picture = fmaxf(picture - all_height(words, width) - WORDS_GAP, fminf(picture, PICTURE_BESIDE));
    return around + fmaxf(fminf(picture, most), PICTURE_LEAST);
}

float words_maps_height(Ui *ui, const Viewer *viewer, const PromptWords *words, float width, float room) {
    float height = cards_height(ui, viewer, words, width, room) + WORDS_GAP + foot_height(width);
    return viewer->words_all ? height + WORDS_GAP + all_height(words, width) : height;
}

static void draw_cards(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect) {
    char text[WORD_TEXT] = "", with[WORD_TEXT + 24], without[WORD_TEXT + 24], why[2][200];
    char note[32];
    bool any = viewer->word < words->count;
    size_t k = viewer->k < branch->step_count || viewer->k == 0 ? viewer->k : branch->step_count - 1;
    snprintf(note, sizeof note, "step %zu", k);
    if (any) word_text(words, viewer->word, text);
    snprintf(without, sizeof without, any ? "Without “%s”" : "Without a word", text);
    snprintf(with, sizeof with, any ? "Looking at “%s”" : "Looking at a word", text);
    MapCard deletion = deletion_card(without), attention = attention_card(with);
    deletion.below = attention.below = picture_below(viewer, branch);
    deletion.note = attention.note = branch->step_count > 0 ? note : NULL;
    if (any) {
        find_deletion(viewer, branch, viewer->word, &deletion, why[0], sizeof why[0]);
        find_attention(viewer, branch, viewer->word, &attention, why[1], sizeof why[1]);
    } else {
        deletion.instead =
            words->count > 0 ? "Point at a word of the prompt" : "The prompt is empty: it has no word to point at";
        attention.instead = deletion.instead;
    }
    map_card(ui, viewer, rect_cut_left(&rect, card_width(rect.w)), &deletion);
    rect_cut_left(&rect, CARD_GAP);
    map_card(ui, viewer, rect, &attention);
}

void words_maps(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect, float room) {
    draw_cards(ui, viewer, branch, words, rect_cut_top(&rect, cards_height(ui, viewer, words, rect.w, room)));
    rect_cut_top(&rect, WORDS_GAP);
    Rect foot = rect_cut_top(&rect, foot_height(rect.w));
    draw_buttons(ui, viewer, rect_cut_left(&foot, card_width(rect.w)));
    rect_cut_left(&foot, CARD_GAP);
    draw_choices(ui, viewer, branch, foot);
    rect_cut_top(&rect, WORDS_GAP);
    if (viewer->words_all && words->count > 0) draw_all(ui, viewer, branch, words, rect);
}
