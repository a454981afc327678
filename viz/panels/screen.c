// screen.c - where the panels stand, and the keys that work everywhere
//
//     +--------------------------------------------------------------+
//     | top                                                          |
//     +---------+---------------------------------------+------------+
//     | knobs   | the view: step, words, compare, swap  | sentence,  |
//     |         |                                       | cost       |
//     +---------+---------------------------------------+------------+
//     | schedule                                                     |
//     | timeline                                                     |
//     +--------------------------------------------------------------+
//     | notice                                                       |
//
// Where: called once a frame by window/. Read next: step.c, timeline.c.

#include "panels/panels.h"

// ---- layout ---------------------------------------------------------------------------------------------------------

enum { TOP = 44, NOTICE = 24, KNOBS = 264, ASIDE = 288, SENTENCE = 132, TIMELINE = 148, SCHEDULE = 96 };
enum { WIDE = 1000, HIGH = 640 };  // in smaller windows the sides and the timeline get less

static void draw_view(Ui *ui, Viewer *viewer, Rect area) {
    switch (viewer->view) {
    case VIEW_WATCH: {
        Rect aside = rect_cut_right(&area, ui->width < WIDE ? 0.3f * area.w : ASIDE);
        panel_step(ui, viewer, area);
        panel_sentence(ui, viewer, viewer->show_cost ? rect_cut_top(&aside, SENTENCE) : aside);
        if (viewer->show_cost) panel_cost(ui, viewer, aside);
        break;
    }
    case VIEW_WORDS:
        if (viewer->words_view == WORDS_HEADS)
            panel_heads(ui, viewer, area);
        else
            panel_words(ui, viewer, area);
        break;
    case VIEW_COMPARE: panel_compare(ui, viewer, area); break;
    case VIEW_SWAP: panel_swap(ui, viewer, area); break;
    case VIEW_COUNT: break;
    }
}

// ---- keys -----------------------------------------------------------------------------------------------------------

// Steps: arrows, Home and End, unless a widget that uses them has the keyboard.
static void step_keys(Ui *ui, Viewer *viewer) {
    Branch *branch = viewer_shown(viewer);
    if (!branch) return;
    if (ui_key(ui, SDLK_LEFT, KMOD_NONE) && viewer->k > 0)
        viewer_seek(viewer, viewer->k - 1), viewer_play(viewer, false);
    if (ui_key(ui, SDLK_RIGHT, KMOD_NONE)) viewer_seek(viewer, viewer->k + 1), viewer_play(viewer, false);
    if (ui_key(ui, SDLK_HOME, KMOD_NONE)) viewer_seek(viewer, 0);
    if (ui_key(ui, SDLK_END, KMOD_NONE)) viewer_seek(viewer, branch->step_count);
    if (ui_key(ui, SDLK_SPACE, KMOD_NONE)) viewer_play(viewer, !viewer->playing);
    if (ui_key(ui, SDLK_UP, KMOD_NONE)) viewer_show_beside(viewer, -1);
    if (ui_key(ui, SDLK_DOWN, KMOD_NONE)) viewer_show_beside(viewer, 1);
}

static void letter_keys(Ui *ui, Viewer *viewer) {
    static const SDL_Keycode views[VIEW_COUNT] = {SDLK_1, SDLK_2, SDLK_3, SDLK_4};
    for (View view = 0; view < VIEW_COUNT; view++) {
        if (ui_key(ui, views[view], KMOD_NONE)) viewer->view = view;
    }
    if (ui_key(ui, SDLK_r, KMOD_NONE)) viewer_run(viewer);
    if (ui_key(ui, SDLK_b, KMOD_NONE)) viewer_branch(viewer);
    if (ui_key(ui, SDLK_n, KMOD_NONE)) viewer->show_noise = !viewer->show_noise;
    if (ui_key(ui, SDLK_c, KMOD_NONE)) viewer->show_channels = !viewer->show_channels;
    if (ui_key(ui, SDLK_p, KMOD_NONE)) viewer->show_schedule = !viewer->show_schedule;
    if (ui_key(ui, SDLK_m, KMOD_NONE)) viewer->show_cost = !viewer->show_cost;
    if (ui_key(ui, SDLK_e, KMOD_NONE)) viewer_export(viewer, EXPORT_PICTURE, NULL);
    if (ui_key(ui, SDLK_d, KMOD_NONE)) ui->theme = theme_make(!ui->theme.dark);
    if (ui_key(ui, SDLK_QUESTION, KMOD_NONE) || ui_key(ui, SDLK_SLASH, KMOD_SHIFT)) ui->explaining = !ui->explaining;
}

static void keys(Ui *ui, Viewer *viewer) {
    if (ui_key(ui, SDLK_RETURN, KMOD_CTRL)) viewer_run(viewer);
    if (ui_key(ui, SDLK_b, KMOD_CTRL)) viewer_branch(viewer);
    if (ui_key(ui, SDLK_q, KMOD_CTRL)) viewer->wants_to_close = true;
    if (ui_typing(ui)) return;
    letter_keys(ui, viewer);
    step_keys(ui, viewer);
    if (!ui_key(ui, SDLK_ESCAPE, KMOD_NONE)) return;
    if (ui->explaining)
        ui->explaining = false;
    else if (viewer->zoomed != PICTURE_KINDS)
        viewer->zoomed = PICTURE_KINDS;
    else
        viewer_cancel(viewer);
}

// ---- a frame --------------------------------------------------------------------------------------------------------

void screen_draw(Ui *ui, Viewer *viewer) {
    Rect all = {0, 0, ui->width, ui->height};
    draw_fill(ui, all, ui->theme.window);
    Rect top = rect_cut_top(&all, TOP), notice = rect_cut_bottom(&all, NOTICE);
    Rect timeline = rect_cut_bottom(&all, ui->height < HIGH ? TIMELINE * 0.7f : TIMELINE);
    if (viewer->show_schedule) panel_schedule(ui, viewer, rect_cut_bottom(&all, SCHEDULE));
    Rect knobs = rect_cut_left(&all, ui->width < WIDE ? ui->width * 0.28f : KNOBS);
    panel_top(ui, viewer, top);
    panel_knobs(ui, viewer, knobs);
    draw_view(ui, viewer, all);
    panel_timeline(ui, viewer, timeline);
    panel_notice(ui, viewer, notice);
    keys(ui, viewer);
}
