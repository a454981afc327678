// words.c - where each word of the prompt acts in the picture
//
// Two maps of the word that is pointed at: where the predicted noise changes without it, which the word has caused, and
// where the picture looks at it, which only goes along with it. Both are of the step that the timeline stands at.
// Where: VIEW_WORDS. Read next: words_prompt.c, words_maps.c, words_grades.c; heads.c for the third tab.

#include "panels/words.h"

#include <math.h>

void words_tabs(Ui *ui, Viewer *viewer, Rect rect) {
    static const char *const NAMES[] = {"Where words act", "Against the painter", "Words look at words"};
    static const char *const TIPS[] = {
        "For a word: where the predicted noise changes without it, and where the picture looks at it",
        "The painter draws the prompt, so it is known which pixels are the hat: how well do the maps find them?",
        "The text encoder: which token looks at which, before the U-Net sees any of them",
    };
    rect.w = fminf(rect.w, 480);
    size_t chosen = viewer->words_view;
    if (tabs(ui, rect, NAMES, TIPS, WORDS_VIEW_COUNT, &chosen)) viewer->words_view = (WordsView)chosen;
}

void words_instead(Ui *ui, Rect rect, const char *sentence) {
    float width = fminf(rect.w, 420), height = text_height(ui, FONT_NORMAL, width, sentence);
    if (text_width(ui, FONT_NORMAL, sentence) < width) {
        draw_label(ui, rect, FONT_NORMAL, ui->theme.faint, ALIGN_CENTER, sentence);
        return;
    }
    Rect middle = {rect.x + (rect.w - width) / 2, rect.y + fmaxf((rect.h - height) / 2, 0), width, height};
    draw_paragraph(ui, middle, FONT_NORMAL, ui->theme.faint, sentence);
}

// The prompt, and below it what is known of its words, in a column that scrolls where the window is small.
static void draw_column(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect area) {
    bool graded = viewer->words_view == WORDS_GRADES;
    rect_cut_top(&area, words_prompt(ui, viewer, words, area) + WORDS_GAP);
    float width = area.w - WORDS_SCROLL_BAR, room = area.h;
    float height =
        graded ? words_grades_height(ui, viewer, width, room) : words_maps_height(ui, viewer, words, width, room);
    Rect column = scroll_begin(ui, area, "words' column", height, &viewer->words_scroll);
    column.w = width;
    if (graded)
        words_grades(ui, viewer, branch, words, column, room);
    else
        words_maps(ui, viewer, branch, words, column, room);
    scroll_end(ui);
}

void panel_words(Ui *ui, Viewer *viewer, Rect area) {
    area = rect_inset(area, 4);
    if (viewer->words_view == WORDS_GRADES)
        ui_panel(ui, "words", area, "How well a word's maps find what the painter drew for it",
                 lesson("lessons/12-words"));
    else
        ui_panel(ui, "words", area, "Where each word acts in the picture, at the step that the timeline stands at",
                 lesson("lessons/12-words"));
    draw_round(ui, area, 6, ui->theme.panel);
    area = rect_inset(area, WORDS_MARGIN);
    words_tabs(ui, viewer, rect_cut_top(&area, 32));
    rect_cut_top(&area, WORDS_GAP + 4);

    Branch *branch = viewer_shown(viewer);
    const PromptWords *words = branch ? branch_words(branch, viewer->k) : NULL;
    if (!branch)
        words_instead(ui, area, "No run yet: press Run");
    else if (branch->message[0] && !words)
        words_instead(ui, area, branch->message);
    else if (!words)
        words_instead(ui, area, "The model's tokenizer is still being opened");
    else
        draw_column(ui, viewer, branch, words, area);
}
