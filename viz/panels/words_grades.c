// words_grades.c - a word's two maps, graded by somebody who knows where the word is
//
// For a prompt of the critters' world the painter draws the picture, so it is known which pixels are the hat. The drawing
// is noised to the step that is looked at, the U-Net is asked about it, and each map's largest pixels, as many as the
// mask has, are held against the mask:
//
//     IoU = pixels in both / pixels in either       chance = a / (2 - a), where a is the mask's share of the picture
//
// Read next: critters/grade/words_grade.h, critters/grade/iou.h.

#include "panels/words.h"

#include "critters/grade/words_grade.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- which words ----------------------------------------------------------------------------------------------------

// The graded word that is this word of the prompt; grades->count if it has no mask, or another prompt was graded.
static size_t graded_word(const WordGrades *grades, const PromptWords *words, size_t word) {
    if (word >= words->count || strcmp(grades->prompt, words->tokens.text) != 0) return grades->count;
    for (size_t i = 0; i < grades->count; i++) {
        if (grades->words[i].start < words->words[word].end && grades->words[i].end > words->words[word].start)
            return i;
    }
    return grades->count;
}

// And back; words->count if there is none.
static size_t prompt_word(const WordGrades *grades, const PromptWords *words, size_t graded) {
    for (size_t i = 0; i < words->count; i++) {
        if (graded_word(grades, words, i) == graded) return i;
    }
    return words->count;
}

static void grade_text(const WordGrades *grades, size_t i, char text[WORD_TEXT]) {
    const WordGrade *word = &grades->words[i];
    snprintf(text, WORD_TEXT, "%.*s", (int)(word->end - word->start), grades->prompt + word->start);
}

// ---- layout ---------------------------------------------------------------------------------------------------------

enum {
    HEAD = 32,
    CARD_GAP = 12,
    CARD_LEAST = 96,
    CARD_MOST = 480,
    CARD_WIDE = 176,
    TABLE_ROW = 32,
    TABLE_HEAD = 28,
    TABLE_LEAST = 256,
    TABLE_MOST = 480
};

static const char MEANING[] = "Outlined: where it was drawn";  // the longest of the three

typedef struct Layout {
    bool beside;  // the table stands beside the pictures, not below them
    float card, cards_height, table_width, table_height;
} Layout;

static Layout lay_out(Ui *ui, const WordGrades *grades, float width, float room) {
    Layout layout = {.beside = width >= 760};
    layout.table_width = layout.beside ? fminf(fmaxf(TABLE_LEAST, 0.3f * width), TABLE_MOST) : width;
    layout.table_height = TABLE_HEAD + TABLE_ROW * (float)(grades->count + 1);
    float across = layout.beside ? width - layout.table_width - 2 * CARD_GAP : width;
    layout.card = fminf((across - 2 * CARD_GAP) / 3, fmaxf(fminf(room - HEAD - 100, CARD_MOST), CARD_LEAST));
    MapCard card = {.meaning_like = MEANING};
    layout.cards_height = map_card_height(ui, layout.card, layout.card, &card);
    return layout;
}

float words_grades_height(Ui *ui, const Viewer *viewer, float width, float room) {
    if (!viewer->grades) return fmaxf(room, 200);
    Layout layout = lay_out(ui, viewer->grades, width, room);
    float height = layout.beside ? fmaxf(layout.cards_height, layout.table_height)
                                 : layout.cards_height + CARD_GAP + layout.table_height;
    return HEAD + WORDS_GAP + height;
}

// ---- the pictures ---------------------------------------------------------------------------------------------------

static void draw_cards(Ui *ui, Viewer *viewer, size_t word, Rect rect, float width) {
    const WordGrades *grades = viewer->grades;
    const WordGrade *grade = word < grades->count ? &grades->words[word] : NULL;
    const Picture *drawing = maps_drawing(&viewer->maps, grades, viewer->grades_number);
    char text[WORD_TEXT] = "", without[WORD_TEXT + 24], with[WORD_TEXT + 24];
    if (grade) grade_text(grades, word, text);
    bool wide = width >= CARD_WIDE;
    snprintf(without, sizeof without, wide ? "Without “%s”" : "Without it", text);
    snprintf(with, sizeof with, wide ? "Looking at “%s”" : "Looking at it", text);
    MapCard cards[3] = {
        {.name = "drawing",
         .tip = "Drawn by the painter, who made the pictures that the model has learnt from",
         .title = wide ? "The painter's drawing" : "Drawing",
         .meaning = grade ? MEANING : "It shows nothing of this word"},
        {.name = "graded deletion map",
         .tip = "How far the predicted noise moves without the word: |eps(with) - eps(without)|",
         .title = grade ? without : "Deletion",
         .meaning = "Where the answer changes"},
        {.name = "graded attention map",
         .tip = "The word's share of each place's look: softmax(q k^T / sqrt(d)), all layers and heads",
         .title = grade ? with : "Attention",
         .meaning = "Where the picture looks at it"},
    };
    for (size_t i = 0; i < 3; i++) {
        cards[i].below = drawing;
        cards[i].meaning_like = MEANING;
        if (grade) cards[i].outline = grade->mask, cards[i].side = SIDE;
        if (!grade && i > 0) cards[i].instead = "Point at a word that the drawing shows";
    }
    if (grade) {
        cards[1].map = maps_grade_deletion(&viewer->maps, grades, viewer->grades_number, word);
        cards[2].map = maps_grade_attention(&viewer->maps, grades, viewer->grades_number, word);
    }
    for (size_t i = 0; i < 3; i++)
        map_card(ui, viewer, (Rect){rect.x + (float)i * (width + CARD_GAP), rect.y, width, rect.h}, &cards[i]);
}

// ---- the table ------------------------------------------------------------------------------------------------------

static const char IOU_TIP[] =
    "Intersection over union with the painter's mask: 0 is apart, 1 the same pixels. Each map's largest "
    "pixels count, as many as the mask has. The line is chance, a / (2 - a).";

static Color deletion_color(const Ui *ui) { return ui->theme.series[0]; }
static Color attention_color(const Ui *ui) { return ui->theme.series[1]; }

static float draw_key(Ui *ui, float x, Rect rect, Color color, const char *text) {
    float y = roundf(rect.y + rect.h / 2), width = text_width(ui, FONT_SMALL, text) + 16;
    draw_fill(ui, (Rect){x, y - 4, 8, 8}, color);
    draw_label(ui, (Rect){x + 12, rect.y, width, rect.h}, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, text);
    return x + width + WORDS_GAP;
}

static void draw_bar(Ui *ui, Rect rect, float iou, Color color) {
    char number[8];
    Rect label = rect_cut_right(&rect, 32);
    float y = roundf(rect.y + rect.h / 2);
    snprintf(number, sizeof number, "%.2f", (double)iou);
    draw_fill(ui, (Rect){rect.x, y - 4, rect.w, 8}, ui->theme.raised);
    draw_fill(ui, (Rect){rect.x, y - 4, rect.w * iou, 8}, color);
    draw_label(ui, label, FONT_SMALL, ui->theme.text, ALIGN_RIGHT, number);
}

static void draw_row(Ui *ui, Rect rect, const char *text, bool pointed, float deletion, float attention, float chance) {
    Rect inner = rect;
    inner.x += WORDS_GAP;
    inner.w -= 2 * WORDS_GAP;
    if (pointed) draw_round(ui, rect, 4, color_mix(ui->theme.panel, ui->theme.accent, 0.15f));
    Rect name = rect_cut_left(&inner, fminf(96, 0.35f * rect.w));
    draw_label(ui, name, FONT_NORMAL, pointed ? ui->theme.accent : ui->theme.text, ALIGN_LEFT, text);
    rect_cut_left(&inner, 4);
    Rect upper = {inner.x, inner.y + 2, inner.w, inner.h / 2 - 2},
         lower = {inner.x, inner.y + inner.h / 2, inner.w, inner.h / 2 - 2};
    draw_bar(ui, upper, deletion, deletion_color(ui));
    draw_bar(ui, lower, attention, attention_color(ui));
    float x = roundf(inner.x + (inner.w - 32) * chance);
    draw_line(ui, x, upper.y, x, lower.y + lower.h, 2, ui->theme.text);
}

static void draw_mean(Ui *ui, const WordGrades *grades, Rect rect) {
    float deletion = 0, attention = 0, chance = 0, n = (float)grades->count;
    for (size_t i = 0; i < grades->count; i++) {
        deletion += grades->words[i].deletion_iou / n;
        attention += grades->words[i].attention_iou / n;
        chance += grades->words[i].chance_iou / n;
    }
    draw_line(ui, rect.x, rect.y, rect.x + rect.w, rect.y, 1, ui->theme.edge);
    draw_row(ui, rect, "all, mean", false, deletion, attention, chance);
}

static void draw_table(Ui *ui, Viewer *viewer, const PromptWords *words, size_t shown, Rect rect) {
    const WordGrades *grades = viewer->grades;
    Rect head = rect_cut_top(&rect, TABLE_HEAD);
    ui_thing(ui, "intersection over union", head, IOU_TIP, false);
    float x = draw_key(ui, head.x + WORDS_GAP, head, deletion_color(ui), "deletion IoU");
    x = draw_key(ui, x, head, attention_color(ui), "attention IoU");
    draw_line(ui, x + 4, head.y + 8, x + 4, head.y + head.h - 8, 2, ui->theme.text);
    draw_label(ui, (Rect){x + 12, head.y, 60, head.h}, FONT_SMALL, ui->theme.faint, ALIGN_LEFT, "chance");
    for (size_t i = 0; i < grades->count; i++) {
        char text[WORD_TEXT], name[WORD_TEXT + 16];
        Rect row = rect_cut_top(&rect, TABLE_ROW);
        size_t word = prompt_word(grades, words, i);
        const WordGrade *grade = &grades->words[i];
        grade_text(grades, i, text);
        snprintf(name, sizeof name, "grade: %s", text);
        if (word < words->count) {
            word_name(words, word, "grade: ", name);
            ui_thing(ui, name, row, IOU_TIP, true);
            word_point(ui, viewer, name, row, word);
        }
        draw_row(ui, row, text, i == shown, grade->deletion_iou, grade->attention_iou, grade->chance_iou);
        if (ui_focused(ui, name) && ui->focus_by_key) draw_frame(ui, row, ui->theme.accent, 2);
    }
    if (grades->count > 0) draw_mean(ui, grades, rect_cut_top(&rect, TABLE_ROW));
}

// ---- all of it ------------------------------------------------------------------------------------------------------

static size_t step_now(const Viewer *viewer, const Branch *branch) {
    return viewer->k < branch->step_count || viewer->k == 0 ? viewer->k : branch->step_count - 1;
}

static void draw_button(Ui *ui, Viewer *viewer, Rect rect, const char *label) {
    static const char NAME[] = "Grade against the painter";
    if (viewer->grades_asked)
        button_disabled(ui, rect, NAME, "The U-Net is being asked");
    else if (button_labelled(ui, rect, NAME, label, "One U-Net call for the prompt, and one without each of its words"))
        viewer_ask_grades(viewer);
}

// Before there are any grades, or when they failed.
static void draw_invitation(Ui *ui, Viewer *viewer, Rect rect) {
    static const char INVITATION[] = "Nobody knows for certain which pixels of a drawn picture are “sunglasses”. Of "
                                     "one that the painter draws it is known. "
                                     "So the painter draws this prompt, the drawing is noised to the step that the "
                                     "timeline stands at, and both maps of "
                                     "each word are held against the painter's mask.";
    Rect text = rect;
    text.w = fminf(text.w, 520);
    text.y += draw_paragraph(ui, text, FONT_NORMAL, ui->theme.text, INVITATION) + 12;
    draw_button(ui, viewer, (Rect){text.x, text.y, fminf(220, text.w), WORDS_ROW}, "Grade against the painter");
    text.y += WORDS_ROW + 12;
    if (viewer->grades_asked)
        draw_paragraph(ui, text, FONT_NORMAL, ui->theme.faint, "asking the U-Net …");
    else if (viewer->grades_message[0])
        draw_paragraph(ui, text, FONT_NORMAL, ui->theme.warning, viewer->grades_message);
}

static void draw_head(Ui *ui, Viewer *viewer, const Branch *branch, const PromptWords *words, Rect rect) {
    const WordGrades *grades = viewer->grades;
    size_t k = step_now(viewer, branch);
    bool other_prompt = strcmp(grades->prompt, words->tokens.text) != 0, other_step = k != viewer->grades_k;
    char text[256], label[40];
    snprintf(label, sizeof label, "Grade step %zu", k);
    draw_button(ui, viewer, rect_cut_right(&rect, fminf(128, rect.w / 2)), label);
    rect_cut_right(&rect, WORDS_GAP);
    if (viewer->grades_asked)
        snprintf(text, sizeof text, "asking the U-Net …");
    else if (other_prompt)
        snprintf(text, sizeof text, "Another prompt's grades: “%.200s”", grades->prompt);
    else
        snprintf(text, sizeof text, "At step %zu, timestep %g%s", viewer->grades_k, (double)grades->timestep,
                 other_step ? ": the timeline has moved on since" : "");
    draw_label(ui, rect, FONT_NORMAL, other_prompt || other_step ? ui->theme.warning : ui->theme.text, ALIGN_LEFT,
               text);
}

void words_grades(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect, float room) {
    const WordGrades *grades = viewer->grades;
    if (!grades) {
        draw_invitation(ui, viewer, rect);
        return;
    }
    Layout layout = lay_out(ui, grades, rect.w, room);
    size_t shown = graded_word(grades, words, viewer->word);
    if (viewer->word >= words->count && grades->count > 0) shown = 0;
    Rect head = rect_cut_top(&rect, HEAD);
    head.h = WORDS_ROW;
    draw_head(ui, viewer, branch, words, head);
    rect_cut_top(&rect, WORDS_GAP);
    Rect cards = rect;
    cards.h = layout.cards_height;
    draw_cards(ui, viewer, shown, cards, layout.card);
    if (layout.beside)
        rect = (Rect){rect.x + 3 * layout.card + 4 * CARD_GAP, rect.y, layout.table_width, rect.h};
    else
        rect_cut_top(&rect, layout.cards_height + CARD_GAP);
    draw_table(ui, viewer, words, shown, rect);
}
