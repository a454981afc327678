// sentence.c - what happens in this step, in a sentence or two, and its numbers
//
// Where: beside the stage. Read next: state/story.c, which finds the words.

#include "panels/panels.h"

#include "state/story.h"

#include <math.h>
#include <stdio.h>

enum { LINE = 20, PAD = 16 };

typedef struct Fact {
    const char *name;
    char value[64];
    const char *tip;
} Fact;

enum { FACTS_MAX = 16 };

// ---- numbers --------------------------------------------------------------------------------------------------------

static Fact *fact(Fact facts[FACTS_MAX], size_t *count, const char *name, const char *tip) {
    Fact *new = &facts[(*count)++];
    *new = (Fact){.name = name, .tip = tip};
    return new;
}

static size_t noise_facts(const StepFacts *of, Fact facts[FACTS_MAX], size_t count) {
    const size_t size = sizeof facts->value;
    if (!isnan(of->timestep))
        snprintf(fact(facts, &count, "timestep", "Which of the noise levels that it learnt the U-Net is told, 999 to 0")
                     ->value,
                 size, "%.6g", of->timestep);
    if (isnan(of->sigma)) return count;
    snprintf(fact(facts, &count, "sigma", "How strong the noise is, if the picture's strength is 1: sqrt((1 - a) / a)")
                 ->value,
             size, "%.4g", of->sigma);
    snprintf(
        fact(facts, &count, "alpha-bar", "alphas_cumprod, a: the picture's share of the variance, 1 / (1 + sigma^2)")
            ->value,
        size, "%.4f", of->alpha);
    snprintf(fact(facts, &count, "noise", "The noise's share of the variance: 1 - alpha-bar")->value, size, "%.1f %%",
             100 * (1 - of->alpha));
    return count;
}

static size_t answer_facts(const Branch *branch, size_t k, const StepFacts *of, Fact facts[FACTS_MAX], size_t count) {
    const size_t size = sizeof facts->value;
    const SchedulerKind *scheduler = branch_scheduler(branch, k);
    Fact *guidance =
        fact(facts, &count, "guidance", "guidance_scale: how far the answer is pushed towards the prompt's");
    if (isnan(of->guidance_rms))
        snprintf(guidance->value, size, "none");
    else
        snprintf(guidance->value, size, "%.4g", branch_knobs_at(branch, k)->guidance_scale);
    if (scheduler) snprintf(fact(facts, &count, "scheduler", scheduler->about)->value, size, "%s", scheduler->name);
    if (!isnan(of->moved))
        snprintf(fact(facts, &count, "guess moved by",
                      "Root mean square of what the predicted picture's latents changed by "
                      "since the step before")
                     ->value,
                 size, "%.3f per number", of->moved);
    snprintf(fact(facts, &count, "U-Net calls",
                  "Pictures that went through the U-Net in this step, and up to here; two a step with guidance")
                 ->value,
             size, "%zu, so far %zu", of->calls, of->calls_so_far);
    if (of->seconds > 0)
        snprintf(fact(facts, &count, "took", "Measured here, from the step's start to its end")->value, size, "%.3f s",
                 of->seconds);
    return count;
}

static size_t facts_to_show(const Viewer *viewer, const Branch *branch, Fact facts[FACTS_MAX]) {
    size_t count = 0, k = viewer->k;
    StepFacts of = facts_of(branch, k);
    if (branch->step_count)
        snprintf(fact(facts, &count, "step", "Counted from 0; the last is the finished picture")->value,
                 sizeof facts->value, "%zu of %zu", k, branch->step_count);
    count = noise_facts(&of, facts, count);
    if (of.calls) return answer_facts(branch, k, &of, facts, count);
    if (of.calls_so_far)
        snprintf(fact(facts, &count, "U-Net calls", "Pictures that went through the U-Net, from noise to here")->value,
                 sizeof facts->value, "%zu in all", of.calls_so_far);
    if (branch->step_seconds > 0)
        snprintf(fact(facts, &count, "took", "All steps that it did itself")->value, sizeof facts->value, "%.2f s",
                 branch->step_seconds);
    if (branch->decode_seconds > 0)
        snprintf(fact(facts, &count, "decoded in", "The VAE's decoder, latents to pixels")->value, sizeof facts->value,
                 "%.2f s", branch->decode_seconds);
    return count;
}

static void draw_fact(Ui *ui, const Fact *fact, Rect line) {
    char name[80];
    snprintf(name, sizeof name, "fact %s", fact->name);
    ui_thing(ui, name, line, fact->tip, false);
    float left = fminf(104, fmaxf(line.w * 0.45f, 60));
    draw_label(ui, rect_cut_left(&line, left), FONT_SMALL, ui->theme.faint, ALIGN_LEFT, fact->name);
    draw_label(ui, line, FONT_SMALL, ui->theme.text, ALIGN_LEFT, fact->value);
}

// ---- what to do next ------------------------------------------------------------------------------------------------

// When the stored run has been played and nobody has done anything yet
static bool invites(const Viewer *viewer, const Branch *branch) {
    return viewer->welcome && !viewer->playing && branch->state == BRANCH_DONE;
}

static const char DRAG[] = "↓  Drag me: the strip below.";
static const char CHANGE[] = "←  Now change a word of the prompt, and press Run.";

// Draws it (or only measures) and returns its height. Whoever has dragged already isn't asked to.
static float invite(Ui *ui, const Viewer *viewer, const Branch *branch, Rect at, bool draws) {
    bool dragged = viewer->k < branch->step_count;
    float width = at.w - 24, drag = dragged ? 0 : text_height(ui, FONT_LARGE, width, DRAG) + 8;
    Rect card = {at.x, at.y, at.w, drag + text_height(ui, FONT_LARGE, width, CHANGE) + 24};
    if (!draws) return card.h;
    ui_thing(ui, "invitation", card, "", false);
    draw_round(ui, card, 6, ui->theme.accent);
    Rect words = rect_inset(card, 12);
    if (!dragged) draw_paragraph(ui, words, FONT_LARGE, ui->theme.on_accent, DRAG);
    words.y += drag;
    draw_paragraph(ui, words, FONT_LARGE, ui->theme.on_accent, CHANGE);
    return card.h;
}

// ---- the panel ------------------------------------------------------------------------------------------------------

// Draws from `at` down, or only measures; returns the height.
static float tell(Ui *ui, const Viewer *viewer, const Branch *branch, Rect at, bool draws) {
    StepStory story = story_of(branch, viewer->k);
    Fact facts[FACTS_MAX];
    size_t count = facts_to_show(viewer, branch, facts);
    FontStyle style = at.w >= 220 ? FONT_LARGE : FONT_NORMAL;
    float y = at.y;
    if (story.turn[0]) {
        Rect words = {at.x, y, at.w, 0};
        if (draws) draw_paragraph(ui, words, FONT_BOLD, ui->theme.accent, story.turn);
        y += text_height(ui, FONT_BOLD, at.w, story.turn) + 8;
    }
    if (draws) draw_paragraph(ui, (Rect){at.x, y, at.w, 0}, style, ui->theme.text, story.sentence);
    y += text_height(ui, style, at.w, story.sentence) + 12;
    bool failed = branch->state == BRANCH_FAILED && viewer->k + 1 >= branch_steps_done(branch);
    if (failed && branch_steps_done(branch) > 0) {
        if (draws) draw_paragraph(ui, (Rect){at.x, y, at.w, 0}, FONT_NORMAL, ui->theme.warning, branch->message);
        y += text_height(ui, FONT_NORMAL, at.w, branch->message) + 12;
    }
    if (invites(viewer, branch)) y += invite(ui, viewer, branch, (Rect){at.x, y, at.w, 0}, draws) + 12;
    for (size_t i = 0; i < count; i++, y += LINE) {
        if (draws) draw_fact(ui, &facts[i], (Rect){at.x, y, at.w, LINE});
    }
    return y - at.y;
}

void panel_sentence(Ui *ui, Viewer *viewer, Rect area) {
    ui_panel(ui, "sentence", area, "What happens in this step, and the numbers behind it.", lesson("lessons/01-noise"));
    draw_fill(ui, area, ui->theme.panel);
    draw_fill(ui, (Rect){area.x, area.y, 1, area.h}, ui->theme.edge);
    const Branch *branch = viewer_shown(viewer);
    Rect inside = {area.x + PAD, area.y + 12, area.w - 2 * PAD + 8, area.h - 16};
    if (!branch) {
        draw_paragraph(ui, inside, FONT_NORMAL, ui->theme.faint,
                       "A run begins with noise. At each step the U-Net says what in it is noise, and a part of that "
                       "is taken away.");
        return;
    }
    Rect measured = {inside.x, inside.y, inside.w - 16, inside.h};
    float height = tell(ui, viewer, branch, measured, false);
    Rect content = scroll_begin(ui, inside, "story", height, &viewer->sentence_scroll);
    content.w = measured.w;
    tell(ui, viewer, branch, content, true);
    scroll_end(ui);
}
