// compare_form.c - see compare_form.h

#include "panels/compare_form.h"

#include <stdio.h>
#include <string.h>

enum { ROW = 28, GAP = 8, LABEL = 56, CHOICE = 148, NARROW = 560 };

// ---- values ---------------------------------------------------------------------------------------------------------

// Schedulers as chips, as many in a row as fit. Returns their height.
static float chips(Ui *ui, Rect area, AxisForm *form, const char *axis) {
    float x = area.x, y = area.y;
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        const SchedulerKind *kind = scheduler_kind_at(i);
        float width = chip_width(ui, kind->name);
        if (x > area.x && x + width > area.x + area.w) {
            x = area.x;
            y += ROW;
        }
        bool on = form->schedulers >> i & 1;
        char tip[240];
        snprintf(tip, sizeof tip, "%s: %.160s (%s)", kind->class_name, kind->about, axis);
        if (chip(ui, (Rect){x, y + 2, width, ROW - 4}, kind->name, &on, tip)) form->schedulers ^= UINT32_C(1) << i;
        x += width + 4;
    }
    return y + ROW - area.y;
}

// True when Enter was pressed
static bool field(Ui *ui, Rect rect, AxisForm *form, const char *axis) {
    bool words = form->knob == KNOB_PROMPT || form->knob == KNOB_NEGATIVE_PROMPT;
    char name[64];
    snprintf(name, sizeof name, "%s values", axis);
    return text_field(ui, rect, name, form->text[form->knob], AXIS_FIELD, words ? "one | another" : "1, 2, 3",
                      words ? "What to compare, with | between; nothing is a value, too"
                            : "What to compare, with commas between") == FIELD_ENTERED;
}

// ---- an axis --------------------------------------------------------------------------------------------------------

// Any knob but the other axis's
static void choose_knob(Ui *ui, Rect rect, const Viewer *viewer, AxisForm *form, Knob other, const char *axis) {
    Knob all[KNOB_COUNT], knobs[KNOB_COUNT];
    const char *names[KNOB_COUNT];
    size_t all_count = axis_knobs(&viewer->knobs, all), count = 0, chosen = 0;
    for (size_t i = 0; i < all_count; i++) {
        if (all[i] == other) continue;
        if (all[i] == form->knob) chosen = count;
        names[count] = knob_name(all[i]);
        knobs[count++] = all[i];
    }
    form->knob = knobs[chosen];  // a strength without a picture isn't there any more
    char name[64];
    snprintf(name, sizeof name, "%s knob", axis);
    if (choice(ui, rect, name, names, count, &chosen, "The knob that changes from cell to cell in this direction"))
        form->knob = knobs[chosen];
}

static float axis_form(Ui *ui, Viewer *viewer, Rect area, bool down, bool *entered) {
    const GridPlan *plan = grid_plan(viewer);
    const Error *error = down ? &plan->row_error : &plan->column_error;
    GridForm *forms = &viewer->grid_form;
    AxisForm *form = down ? &forms->rows : &forms->columns, *other = down ? &forms->columns : &forms->rows;
    const char *axis = down ? "Down" : "Across";
    float top = area.y;
    Rect head = rect_cut_top(&area, ROW), values = head;
    bool narrow = area.w < NARROW;
    Rect label = rect_cut_left(&values, LABEL), knob = rect_cut_left(&values, CHOICE);
    rect_cut_left(&values, GAP);
    if (narrow) {
        rect_cut_top(&area, 4);
        values = rect_cut_top(&area, ROW);
    }
    draw_label(ui, label, FONT_BOLD, ui->theme.text, ALIGN_LEFT, axis);
    choose_knob(ui, knob, viewer, form, other->knob, axis);
    float bottom = values.y + ROW;
    if (form->knob == KNOB_SCHEDULER)
        bottom = values.y + chips(ui, values, form, axis);
    else
        *entered |= field(ui, values, form, axis);
    if (error->message[0]) {
        Rect words = {values.x, bottom + 2, values.w, 400};
        bottom += draw_paragraph(ui, words, FONT_SMALL, ui->theme.warning, error->message) + 4;
    }
    return bottom - top;
}

float compare_form(Ui *ui, Viewer *viewer, Rect area, bool *entered) {
    float top = area.y;
    rect_cut_top(&area, axis_form(ui, viewer, area, true, entered) + GAP);
    rect_cut_top(&area, axis_form(ui, viewer, area, false, entered) + GAP);
    return area.y - top;
}
