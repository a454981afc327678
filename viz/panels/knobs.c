// knobs.c - what can be set, and the three buttons that make it count
//
// A knob that differs from what step k of the shown branch was drawn with is marked: that is what a branch would change.
// Read next: state/walks.c, where it goes on from there.

#include "panels/panels.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 12, LABEL = 16, FIELD = 26, SLIDER = 36, SPACE = 8, SCHEDULERS_MAX = 32 };

// A place for a knob of this height: the next one in the column, with a mark at its left if it was turned.
static Rect place(Ui *ui, const Viewer *viewer, Rect *column, Knob knob, float height) {
    const Branch *branch = viewer_shown(viewer);
    Rect rect = rect_cut_top(column, height);
    rect_cut_top(column, SPACE);
    bool turned = branch && !knob_equal(branch_knobs_at(branch, viewer->k), &viewer->knobs, knob);
    if (turned) draw_fill(ui, (Rect){rect.x - 8, rect.y, 3, rect.h}, ui->theme.accent);
    return rect;
}

static Rect labelled(Ui *ui, Rect rect, const char *label) {
    draw_label(ui, rect_cut_top(&rect, LABEL), FONT_SMALL, ui->theme.faint, ALIGN_LEFT, label);
    return rect;
}

// ---- words ----------------------------------------------------------------------------------------------------------

static void prompt_fields(Ui *ui, Viewer *viewer, Rect *column) {
    Knobs *knobs = &viewer->knobs;
    Rect prompt = labelled(ui, place(ui, viewer, column, KNOB_PROMPT, LABEL + FIELD), "Prompt");
    if (text_field(ui, prompt, "Prompt", knobs->prompt, sizeof knobs->prompt, "a red cat wearing a crown, at night",
                   "What the picture should show. Enter draws it from the beginning") == FIELD_ENTERED)
        viewer_run(viewer);
    Rect negative = labelled(ui, place(ui, viewer, column, KNOB_NEGATIVE_PROMPT, LABEL + FIELD), "Negative prompt");
    if (text_field(ui, negative, "Negative prompt", knobs->negative_prompt, sizeof knobs->negative_prompt, "nothing",
                   "What guidance goes away from: noise = negative + scale (prompt - negative)") == FIELD_ENTERED)
        viewer_run(viewer);
}

// ---- the walk -------------------------------------------------------------------------------------------------------

static void walk_knobs(Ui *ui, Viewer *viewer, Rect *column) {
    Knobs *knobs = &viewer->knobs;
    float steps = (float)knobs->num_inference_steps;
    SliderRange step_range = {1, 100, 1, "%.0f"}, guidance_range = {1, 20, 0.5f, "%.1f"};
    if (slider(ui, place(ui, viewer, column, KNOB_STEPS, SLIDER), "Steps", &steps, step_range,
               "num_inference_steps: how often the U-Net is asked. More are slower, and after some 20 hardly better"))
        knobs->num_inference_steps = (size_t)lrintf(steps);
    slider(ui, place(ui, viewer, column, KNOB_GUIDANCE, SLIDER), "Guidance scale", &knobs->guidance_scale,
           guidance_range,
           "How far to go beyond what the prompt changes: noise = uncond + scale (text - uncond). 1: not at all");

    const char *names[SCHEDULERS_MAX];
    size_t count = scheduler_kind_count(), chosen = 0;
    if (count > SCHEDULERS_MAX) count = SCHEDULERS_MAX;
    for (size_t i = 0; i < count; i++) {
        names[i] = scheduler_kind_at(i)->name;
        if (strcmp(names[i], knobs->scheduler) == 0) chosen = i;
    }
    Rect scheduler = labelled(ui, place(ui, viewer, column, KNOB_SCHEDULER, LABEL + FIELD), "Scheduler");
    if (choice(ui, scheduler, "Scheduler", names, count, &chosen, scheduler_kind_at(chosen)->about))
        knob_set(knobs, KNOB_SCHEDULER, names[chosen], NULL);
}

static void seed_knob(Ui *ui, Viewer *viewer, Rect *column) {
    char text[32];
    Rect rect = labelled(ui, place(ui, viewer, column, KNOB_SEED, LABEL + FIELD), "Seed");
    Rect dice = rect_cut_right(&rect, 56);
    rect_cut_right(&rect, 6);
    snprintf(text, sizeof text, "%" PRIu64, viewer->knobs.seed);
    FieldResult typed = text_field(ui, rect, "Seed", text, sizeof text, "0",
                                   "Which noise: the same as torch.manual_seed(seed) on the CPU");
    Error error = {0};
    if (typed != FIELD_SAME && !knob_set(&viewer->knobs, KNOB_SEED, text[0] ? text : "0", &error))
        viewer_complain(viewer, &error);
    if (typed == FIELD_ENTERED) viewer_run(viewer);
    if (button_labelled(ui, dice, "Dice", "Roll", "Another seed: another block of stone, another statue"))
        viewer_roll_seed(viewer);
}

// ---- size, beginning, model -----------------------------------------------------------------------------------------

// Multiples of the model's own size, which is what it was trained on.
static void size_knob(Ui *ui, Viewer *viewer, Rect *column) {
    static const char *const names[] = {"its own",       "half as wide",  "half as high",
                                        "twice as wide", "twice as high", "twice both"};
    static const float wide[] = {1, 0.5f, 1, 2, 1, 2}, high[] = {1, 1, 0.5f, 1, 2, 2};
    enum { COUNT = sizeof names / sizeof *names };
    char labels[COUNT][64];
    const char *items[COUNT];
    Rect rect = labelled(ui, place(ui, viewer, column, KNOB_SIZE, LABEL + FIELD), "Size");
    if (!viewer->model) {
        draw_label(ui, rect, FONT_NORMAL, ui->theme.faint, ALIGN_LEFT, "the model's own");
        return;
    }
    Settings own = settings_default(viewer->model);
    size_t chosen = 0, factor = vae_factor(viewer->model->vae);
    for (size_t i = 0; i < COUNT; i++) {
        size_t width = (size_t)(wide[i] * (float)own.width) / factor * factor,
               height = (size_t)(high[i] * (float)own.height) / factor * factor;
        snprintf(labels[i], sizeof labels[i], "%zux%zu, %s", width, height, names[i]);
        items[i] = labels[i];
        if (width == viewer->knobs.width && height == viewer->knobs.height) chosen = i;
    }
    if (!choice(ui, rect, "Size", items, COUNT, &chosen,
                "In pixels. Content changes with it: a model is at home at the size it was trained on"))
        return;
    viewer->knobs.width = (size_t)(wide[chosen] * (float)own.width) / factor * factor;
    viewer->knobs.height = (size_t)(high[chosen] * (float)own.height) / factor * factor;
}

static void beginning_knob(Ui *ui, Viewer *viewer, Rect *column) {
    Knobs *knobs = &viewer->knobs;
    Rect rect = labelled(ui, place(ui, viewer, column, KNOB_STRENGTH, LABEL + FIELD), "Begin with a picture");
    if (knobs->init) {
        Rect none = rect_cut_right(&rect, 56);
        rect_cut_right(&rect, 6);
        if (button_labelled(ui, none, "No picture", "None", "Begin with noise alone again"))
            viewer_use_init(viewer, "");
    }
    if (text_field(ui, rect, "Initial image", knobs->init_path, sizeof knobs->init_path, "drop a PNG here, or name one",
                   "Image to image: the run begins with this picture under noise. Enter opens it") == FIELD_ENTERED)
        viewer_use_init(viewer, knobs->init_path);
    if (!knobs->init) return;
    slider(ui, place(ui, viewer, column, KNOB_STRENGTH, SLIDER), "Strength", &knobs->strength,
           (SliderRange){0.05f, 1, 0.05f, "%.2f"},
           "How much of the picture is done anew: int(steps x strength) steps are run");
}

static void model_knob(Ui *ui, Viewer *viewer, Rect *column) {
    Rect rect = labelled(ui, place(ui, viewer, column, KNOB_MODEL, LABEL + FIELD), "Model");
    if (text_field(ui, rect, "Model", viewer->knobs.model, sizeof viewer->knobs.model,
                   "a folder or a .safetensors file",
                   "Any Stable Diffusion 1.x or 2.x: a diffusers folder, or one file. Enter opens it") == FIELD_ENTERED)
        viewer_use_model(viewer, viewer->knobs.model);
    const char *state = viewer->model_message[0] ? viewer->model_message : viewer->model ? "" : "opening ...";
    if (!state[0]) return;
    float height = text_height(ui, FONT_SMALL, column->w, state);
    draw_paragraph(ui, rect_cut_top(column, height), FONT_SMALL,
                   viewer->model_message[0] ? ui->theme.warning : ui->theme.faint, state);
}

// ---- the buttons ----------------------------------------------------------------------------------------------------

static bool anything_runs(const Viewer *viewer) {
    for (size_t i = 0; i < viewer->branch_count; i++) {
        if (viewer->branches[i]->state == BRANCH_RUNNING || viewer->branches[i]->state == BRANCH_WAITING) return true;
    }
    return false;
}

static void buttons(Ui *ui, Viewer *viewer, Rect area) {
    char why[200], label[64], tip[320];
    bool can = viewer_can_branch(viewer, why, sizeof why);
    Rect first = rect_cut_top(&area, 32);
    Rect stop = rect_cut_right(&first, 64);
    rect_cut_right(&first, 6);
    if (button_primary(ui, first, "Run", "Draws a picture with these knobs, from the beginning (r, Ctrl+Enter)"))
        viewer_run(viewer);
    if (!anything_runs(viewer))
        button_disabled(ui, stop, "Stop", "Nothing is running");
    else if (button(ui, stop, "Stop", "Stops at once what is running (Escape)"))
        viewer_cancel(viewer);
    rect_cut_top(&area, 6);
    snprintf(label, sizeof label, "Branch at step %zu", viewer->k);
    snprintf(tip, sizeof tip,
             "%s. Goes on from this step with the knobs as they are now; the steps before it are kept (b)", why);
    if (!can)
        button_disabled(ui, rect_cut_top(&area, 32), "Branch", why);
    else if (button_labelled(ui, rect_cut_top(&area, 32), "Branch", label, tip))
        viewer_branch(viewer);
}

// ---- all of it ------------------------------------------------------------------------------------------------------

void panel_knobs(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "Knobs", area,
             "What a run is made with. Turned in the middle of a run, they can change its future: Branch. Turned knobs "
             "have a mark.",
             lesson("lessons/00-the-loop"));
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x + area.w - 1, area.y, 1, area.h}, ui->theme.edge);
    area = rect_inset(area, MARGIN);
    Rect bottom = rect_cut_bottom(&area, 76);
    float height = 2 * (LABEL + FIELD + SPACE) + 2 * (SLIDER + SPACE) + 5 * (LABEL + FIELD + SPACE) +
                   (viewer->knobs.init ? SLIDER + SPACE : 0) + 48;
    area.x -= 8, area.w += 8;  // room for the marks
    Rect column = scroll_begin(ui, area, "knobs", height, &viewer->knobs_scroll);
    column.x += 8, column.w -= 8;
    prompt_fields(ui, viewer, &column);
    walk_knobs(ui, viewer, &column);
    seed_knob(ui, viewer, &column);
    size_knob(ui, viewer, &column);
    beginning_knob(ui, viewer, &column);
    model_knob(ui, viewer, &column);
    scroll_end(ui);
    buttons(ui, viewer, bottom);
}
