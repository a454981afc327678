// heads.c - words look at words: the text encoder's self-attention
//
// Before the U-Net sees anything of the prompt, its tokens have looked at each other, layer by layer: so "red" can know what
// is red. On the left which token looks at which, one line a head, the more opaque the more it looks; on the right all
// layers and heads at once, each a square with a row for every token that looks.
//
//     p = softmax(q k^T / sqrt(d)), and 0 where a token would look at a later one
//
// Where: the third tab of VIEW_WORDS. Elsewhere: BertViz's head view (Vig 2019, arXiv 1906.05714).
// Read next: heads_lines.c, heads_matrix.c; ops/attention.c.

#include "panels/words.h"

#include <math.h>
#include <stdio.h>

// ---- what is chosen -------------------------------------------------------------------------------------------------

static const char CAUSAL[] = "No token sees those after it (the causal mask), so lines only go across or up. What a "
                             "head doesn't need it often leaves "
                             "at the start.";

static void choose_layer(Ui *ui, Viewer *viewer, const TextAttention *text, Rect rect) {
    enum { LAYERS_MAX = 48 };
    char labels[LAYERS_MAX][24];
    const char *items[LAYERS_MAX];
    size_t count = text->count < LAYERS_MAX ? text->count : LAYERS_MAX;
    for (size_t i = 0; i < count; i++) {
        snprintf(labels[i], sizeof labels[i], "layer %zu of %zu", i + 1, text->count);
        items[i] = labels[i];
    }
    choice(ui, rect, "text layer", items, count, &viewer->text_layer, "Which of the text encoder's layers");
}

// A square in the head's colour, filled if its lines are shown
static void head_switch(Ui *ui, Viewer *viewer, size_t head, Rect rect) {
    char name[24], number[8];
    uint64_t bit = (uint64_t)1 << head;
    snprintf(name, sizeof name, "text head %zu", head + 1);
    snprintf(number, sizeof number, "%zu", head + 1);
    ui_thing(ui, name, rect, "Show or hide this head's lines", true);
    if (ui_click(ui, name, rect)) viewer->text_heads ^= bit;
    bool shown = !(viewer->text_heads & bit);
    Color color = ui->theme.series[head % 8], surface = shown ? color : ui->theme.panel;
    bool light = 299 * surface.r + 587 * surface.g + 114 * surface.b > 128000;
    Color ink = light ? (Color){0, 0, 0, 255} : (Color){255, 255, 255, 255};
    draw_round(ui, rect, 4, color);
    draw_round(ui, rect_inset(rect, 2), 2, surface);
    draw_label(ui, rect, FONT_SMALL, ink, ALIGN_CENTER, number);
    if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, rect_inset(rect, -2), ui->theme.accent, 2);
}

static size_t head_count(const TextAttention *text, size_t layer) {
    size_t heads = text->layers[layer].heads;
    return heads < 64 ? heads : 64;
}

enum { SWITCH = 24, SWITCH_GAP = 4, LAYER_WIDTH = 136, ALL_WIDTH = 84 };

// As many switches in a line as fit
static size_t switches_across(float width) {
    return (size_t)fmaxf(floorf((width - LAYER_WIDTH - ALL_WIDTH - 2 * WORDS_GAP + SWITCH_GAP) / (SWITCH + SWITCH_GAP)),
                         1);
}

static float controls_height(const TextAttention *text, size_t layer, float width) {
    size_t across = switches_across(width), lines = (head_count(text, layer) + across - 1) / across;
    return fmaxf((float)lines * (SWITCH + SWITCH_GAP), WORDS_ROW);
}

static void draw_controls(Ui *ui, Viewer *viewer, const TextAttention *text, Rect rect) {
    size_t across = switches_across(rect.w), heads = head_count(text, viewer->text_layer);
    Rect layer = rect_cut_left(&rect, LAYER_WIDTH), all = {0};
    layer.h = WORDS_ROW;
    choose_layer(ui, viewer, text, layer);
    rect_cut_left(&rect, WORDS_GAP);
    all = rect_cut_left(&rect, ALL_WIDTH);
    all.h = WORDS_ROW;
    if (button(ui, all, "All heads", "Show every head's lines")) viewer->text_heads = 0;
    rect_cut_left(&rect, WORDS_GAP);
    for (size_t h = 0; h < heads; h++) {
        float x = rect.x + (float)(h % across) * (SWITCH + SWITCH_GAP),
              y = rect.y + (float)(h / across) * (SWITCH + SWITCH_GAP);
        head_switch(ui, viewer, h, (Rect){x, y + 2, SWITCH, SWITCH});
    }
}

// ---- all of it ------------------------------------------------------------------------------------------------------

static void draw_look(Ui *ui, Viewer *viewer, Branch *branch, const TextLook *look, Rect area) {
    if (viewer->text_layer >= look->attention->count) viewer->text_layer = 0;
    draw_controls(ui, viewer, look->attention,
                  rect_cut_top(&area, controls_height(look->attention, viewer->text_layer, area.w)));
    rect_cut_top(&area, WORDS_GAP);
    float sentence = text_height(ui, FONT_SMALL, area.w, CAUSAL);
    draw_paragraph(ui, rect_cut_top(&area, sentence), FONT_SMALL, ui->theme.faint, CAUSAL);
    rect_cut_top(&area, WORDS_GAP);
    Rect lines = rect_cut_left(&area, fminf(0.6f * area.w, 720));
    rect_cut_left(&area, 16);
    heads_lines(ui, viewer, look, lines);
    heads_matrix(ui, viewer, branch, look, area);
}

// What is known of the attention at this step, or why nothing is
static void draw_known(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect area) {
    char why[200];
    size_t chapter = branch_chapter_at(branch, viewer->k);
    const TextAttention *text = viewer_text_attention(viewer, branch, viewer->k);
    const StepAttention *step = text ? NULL : viewer_attention(viewer, branch, viewer->k);
    TextLook look = {words, text, chapter, words->tokens.used};
    if (text)
        draw_look(ui, viewer, branch, &look, area);
    else if (step && step->message[0])
        words_instead(ui, area, step->message);
    else
        words_instead(ui, area, viewer_answers(branch, viewer->k, why, sizeof why) ? "asking the text encoder …" : why);
}

void panel_heads(Ui *ui, Viewer *viewer, Rect area) {
    area = rect_inset(area, 4);
    ui_panel(ui, "heads", area, "Which token of the prompt looks at which, in the text encoder",
             lesson("lessons/10-text"));
    draw_round(ui, area, 6, ui->theme.panel);
    area = rect_inset(area, WORDS_MARGIN);
    words_tabs(ui, viewer, rect_cut_top(&area, 32));
    rect_cut_top(&area, WORDS_GAP + 4);

    Branch *branch = viewer_shown(viewer);
    const PromptWords *words = branch ? branch_words(branch, viewer->k) : NULL;
    if (!branch)
        words_instead(ui, area, "No run yet: press Run");
    else if (!words)
        words_instead(ui, area, branch->message[0] ? branch->message : "The model's tokenizer is still being opened");
    else
        draw_known(ui, viewer, branch, words, area);
}
