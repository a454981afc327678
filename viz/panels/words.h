// words.h - what the files of the words' view share with each other and with nobody else
//
// Where: words.c stands above words_prompt.c, words_maps.c and words_grades.c; heads.c above heads_lines.c and
// heads_matrix.c; words_picture.c below all of them.

#pragma once

#include "panels/panels.h"

enum { WORDS_MARGIN = 12, WORDS_GAP = 8, WORDS_ROW = 28, WORDS_SCROLL_BAR = 12 };  // points

// "Where words act", "Against the painter", "Words look at words"
void words_tabs(Ui *ui, Viewer *viewer, Rect rect);
// In the middle of where something would stand if there were anything
void words_instead(Ui *ui, Rect rect, const char *sentence);

// ---- words_prompt.c -------------------------------------------------------------------------------------------------

enum { WORD_TEXT = 64 };

// Writes a word as it stands in the prompt, cut with "…" where it is too long.
void word_text(const PromptWords *words, size_t word, char text[WORD_TEXT]);
// What the word's chip is called, with `before` "word: ": the word, and where it stands there again, the how-manieth time.
void word_name(const PromptWords *words, size_t word, const char *before, char name[WORD_TEXT]);
// Something that stands for a word: to be pointed at by mouse or keyboard, and pinned by a press. True: it was pressed.
bool word_point(Ui *ui, Viewer *viewer, const char *name, Rect rect, size_t word);

// The prompt as chips, a word each, at the top of an area; returns how much of it that takes.
float words_prompt(Ui *ui, Viewer *viewer, const PromptWords *words, Rect area);

// ---- words_picture.c ------------------------------------------------------------------------------------------------

typedef struct MapCard {
    const char *name, *tip;       // of the map, for the mouse
    const char *title, *meaning;  // above it
    const char *note;             // beside the title; NULL: nothing
    const char *meaning_like;     // takes as many lines as this, so that cards side by side are alike
    const Picture *below;         // what the map lies over; NULL: nothing is known of it
    const MapPicture *map;        // NULL: there is none
    const char *instead;          // what is said in its place
    const uint8_t *outline;       // [side, side] of 0 and 1, whose rim is drawn; NULL: none
    size_t side;
} MapCard;

// Title, picture and scale; map_card_height: for a picture that is so high.
void map_card(Ui *ui, Viewer *viewer, Rect rect, const MapCard *card);
float map_card_height(Ui *ui, float width, float picture, const MapCard *card);
void draw_outline(Ui *ui, Rect rect, const uint8_t *mask, size_t side);

// ---- words_maps.c, words_grades.c -----------------------------------------------------------------------------------

// Below the prompt. room: what height there is before it must be scrolled. _height: how much they take of it, or beyond.
float words_maps_height(Ui *ui, const Viewer *viewer, const PromptWords *words, float width, float room);
void words_maps(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect, float room);
float words_grades_height(Ui *ui, const Viewer *viewer, float width, float room);
void words_grades(Ui *ui, Viewer *viewer, Branch *branch, const PromptWords *words, Rect rect, float room);

// ---- heads_lines.c, heads_matrix.c ----------------------------------------------------------------------------------

typedef struct TextLook {
    const PromptWords *words;
    const TextAttention *attention;
    size_t chapter;  // whose prompt it is
    size_t count;    // tokens, both ends included, padding left out
} TextLook;

void heads_lines(Ui *ui, Viewer *viewer, const TextLook *look, Rect rect);
void heads_matrix(Ui *ui, Viewer *viewer, Branch *branch, const TextLook *look, Rect rect);
