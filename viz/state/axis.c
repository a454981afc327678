// axis.c - see axis.h

#include "state/axis.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

size_t axis_knobs(const Knobs *knobs, Knob list[KNOB_COUNT]) {
    static const Knob all[] = {KNOB_SCHEDULER, KNOB_GUIDANCE,        KNOB_STEPS,   KNOB_SEED,
                               KNOB_PROMPT,    KNOB_NEGATIVE_PROMPT, KNOB_STRENGTH};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] != KNOB_STRENGTH || knobs->init) list[count++] = all[i];
    }
    return count;
}

void axis_form_fill(AxisForm *form, Knob knob) {
    static const char *const schedulers[] = {"ddim", "euler", "dpmpp_2m"};
    *form = (AxisForm){.knob = knob};
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        for (size_t j = 0; j < sizeof schedulers / sizeof *schedulers; j++) {
            if (strcmp(scheduler_kind_at(i)->name, schedulers[j]) == 0) form->schedulers |= UINT32_C(1) << i;
        }
    }
    strcpy(form->text[KNOB_GUIDANCE], "1, 4, 7.5, 12");
    strcpy(form->text[KNOB_STEPS], "2, 5, 10, 20");
    strcpy(form->text[KNOB_SEED], "1, 2, 3, 4");
    strcpy(form->text[KNOB_STRENGTH], "0.3, 0.5, 0.7, 0.9");
    strcpy(form->text[KNOB_PROMPT], "a red cat | a blue cat | a blue dog");
    strcpy(form->text[KNOB_NEGATIVE_PROMPT], "| sunglasses");
}

// ---- what it says ---------------------------------------------------------------------------------------------------

// A value is written the way the knob writes it, so that "7.50" and "7.5" are one.
static bool add_value(Axis *axis, Knobs *knobs, const char *text, Error *error) {
    char value[KNOB_TEXT];
    const char *name = knob_name(axis->knob);
    if (!knob_set(knobs, axis->knob, text, error)) return false;
    knob_text(knobs, axis->knob, value, sizeof value);
    if (strlen(value) >= AXIS_TEXT)
        return error_set(error, "%s: a value has more than %d bytes; shorten it", name, AXIS_TEXT - 1);
    for (size_t i = 0; i < axis->count; i++) {
        if (strcmp(axis->values[i], value) == 0)
            return error_set(error, "%s: \"%s\" stands there twice; take one away", name, value);
    }
    if (axis->count == AXIS_MAX) return error_set(error, "%s: more than %d values; take some away", name, AXIS_MAX);
    strcpy(axis->values[axis->count++], value);
    return true;
}

static bool read_schedulers(Axis *axis, const AxisForm *form, Knobs *knobs, Error *error) {
    for (size_t i = 0; i < scheduler_kind_count(); i++) {
        if (form->schedulers >> i & 1 && !add_value(axis, knobs, scheduler_kind_at(i)->name, error)) return false;
    }
    return true;
}

static char *trimmed(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) text[--n] = 0;
    return text;
}

// A prompt may be empty ("| blurry": without and with); a number that isn't there is a comma too many.
static bool read_list(Axis *axis, const AxisForm *form, Knobs *knobs, Error *error) {
    char text[AXIS_FIELD], *rest = text, *one;
    bool words = axis->knob == KNOB_PROMPT || axis->knob == KNOB_NEGATIVE_PROMPT;
    snprintf(text, sizeof text, "%s", form->text[axis->knob]);
    while ((one = strsep(&rest, words ? "|" : ","))) {
        one = trimmed(one);
        if ((*one || words) && !add_value(axis, knobs, one, error)) return false;
    }
    return true;
}

bool axis_read(Axis *axis, const AxisForm *form, const Knobs *knobs, Error *error) {
    Knobs changed = *knobs;
    axis->knob = form->knob;
    axis->count = 0;
    bool ok = axis->knob == KNOB_SCHEDULER ? read_schedulers(axis, form, &changed, error)
                                           : read_list(axis, form, &changed, error);
    if (!ok) return false;
    return axis->count > 0 || error_set(error, "%s: no values; choose at least one", knob_name(axis->knob));
}
