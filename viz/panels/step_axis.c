// step_axis.c - see step_axis.h

#include "panels/step_axis.h"

enum { MARGIN = 8, SCROLL_BAR = 16 };

float step_names_width(Rect area) {
    return area.w < 800 ? STEP_NAMES_NARROW : area.w < 1100 ? STEP_NAMES : STEP_NAMES_WIDE;
}

size_t step_count_known(const Viewer *viewer, const Branch *branch) {
    if (!branch) return viewer->knobs.num_inference_steps;
    return branch->step_count ? branch->step_count : branch_knobs(branch)->num_inference_steps;
}

static int root_of(const Viewer *viewer, const Branch *branch) {
    for (const Branch *parent; (parent = viewer_branch_by_id(viewer, branch->parent));) branch = parent;
    return branch->id;
}

StepAxis step_axis(const Viewer *viewer, const Branch *branch, Rect area) {
    size_t steps = step_count_known(viewer, branch);
    for (size_t i = 0; branch && i < viewer->branch_count; i++) {
        const Branch *other = viewer->branches[i];
        if (other->in_grid || root_of(viewer, other) != root_of(viewer, branch)) continue;
        size_t others = step_count_known(viewer, other);
        if (others > steps) steps = others;
    }
    StepAxis axis = {.left = area.x + MARGIN + step_names_width(area), .slots = steps + 1};
    float width = area.x + area.w - MARGIN - SCROLL_BAR - axis.left;
    axis.slot = (width > 1 ? width : 1) / (float)axis.slots;
    return axis;
}

float step_edge(StepAxis axis, size_t k) { return axis.left + axis.slot * (float)k; }
float step_middle(StepAxis axis, size_t k) { return axis.left + axis.slot * ((float)k + 0.5f); }

size_t step_at(StepAxis axis, float x) {
    float k = (x - axis.left) / axis.slot;
    if (!(k > 0)) return 0;
    return k >= (float)axis.slots ? axis.slots - 1 : (size_t)k;
}
