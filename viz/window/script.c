// script.c - see script.h
//
//     # comments, and "several words" in quotes
//     press NAME | press X Y        double NAME | double X Y      hover NAME | hover X Y
//     drag X1 Y1 X2 Y2              drag NAME X1 Y1 X2 Y2         (of a thing: fractions of it, from 0 to 1)
//     wheel NOTCHES                 up is positive
//     key ctrl+shift+alt+NAME       SDL's names: key ctrl+Return, key Left. Letters press a key and type nothing
//     type "TEXT"                   types, and presses no key
//     tab N                         N times Tab; -N: with Shift
//     drop FILE                     on the window
//     size WxH      scale X      theme dark|light
//     time SECONDS                  frames of 1/30 s
//     wait [SECONDS]                until the engine has nothing to do, so many seconds at most (120)
//     frame OUT.png                 what is seen when the engine has nothing to do
//     expect FACT VALUE             print FACT          (facts.c)
//     list                          names and places (x y w h) of all that is on the screen
//
// Things are called as in the tooltips and in `?`. The clock stands still but for `time` and 0.05 s with every press,
// release, key and letter, so that the same script shows the same frames on a slow machine.

#include "window/script.h"

#include "base/clock.h"
#include "base/text.h"
#include "io/png.h"
#include "window/facts.h"
#include "window/hand.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// ---- frames ---------------------------------------------------------------------------------------------------------

void script_frame(Script *script, double seconds) {
    Window *window = script->window;
    script->time += seconds;
    window->input.time = script->time;
    SDL_PumpEvents();
    SDL_FlushEvents(SDL_FIRSTEVENT, SDL_LASTEVENT);  // the hand is the script's alone
    SDL_AtomicSet(&window->woken, 0);
    viewer_update(window->viewer, script->time);
    window_draw(window);
    window_present(window);
}

bool script_write_frame(Script *script, const char *path, Error *error) {
    Window *window = script->window;
    viewer_update(window->viewer, script->time);
    window_draw(window);
    Image image;
    if (!window_picture(window, &image, error)) return false;
    window_present(window);
    bool ok = png_write(path, &image, NULL, 0, error);
    image_free(&image);
    return ok;
}

static const float SETTLING_MOST = 120;  // seconds

// Until the engine has nothing left to do. A frame may ask it for more (a picture that is seen now), so one is drawn
// before the engine is asked again. The script's clock stands still.
static bool settle(Script *script, float most, Error *error) {
    double start = seconds_now();
    for (script_frame(script, 0); viewer_busy(script->window->viewer); script_frame(script, 0)) {
        if (seconds_now() - start > most)
            return error_set(error, "the engine is still at work after %g seconds; wait longer", (double)most);
        SDL_Event event;
        SDL_WaitEventTimeout(&event, 100);
    }
    return true;
}

// ---- things and numbers ---------------------------------------------------------------------------------------------

static bool read_number(const char *text, float *number, Error *error) {
    return text_number(text, number) || error_set(error, "%s: is no number; write one like 0.5", text);
}

static bool read_numbers(char **words, int count, float *numbers, Error *error) {
    for (int i = 0; i < count; i++) {
        if (!read_number(words[i], &numbers[i], error)) return false;
    }
    return true;
}

// The three names on the screen that are most like this one
static void near_names(const Ui *ui, const char *name, char *names, size_t size) {
    enum { NEAREST = 3 };
    const char *nearest[NEAREST] = {NULL};
    size_t distances[NEAREST] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < ui->thing_count; i++) {
        const char *other = ui->things[i].name;
        size_t distance = strcasestr(other, name) ? 0 : edit_distance(name, other);
        int place = NEAREST;
        while (place > 0 && distance < distances[place - 1]) place--;
        if (place == NEAREST) continue;
        memmove(nearest + place + 1, nearest + place, (size_t)(NEAREST - 1 - place) * sizeof *nearest);
        memmove(distances + place + 1, distances + place, (size_t)(NEAREST - 1 - place) * sizeof *distances);
        nearest[place] = other;
        distances[place] = distance;
    }
    *names = '\0';
    for (int i = 0; i < NEAREST && nearest[i]; i++) list_append(names, size, nearest[i]);
}

// What isn't there yet may be once the engine has nothing to do.
static bool find_thing(Script *script, const char *name, Rect *rect, Error *error) {
    const Ui *ui = script->window->ui;
    if (!ui_find(ui, name) && !settle(script, SETTLING_MOST, error)) return false;
    const UiThing *thing = ui_find(ui, name);
    if (!thing) {
        char names[3 * (sizeof thing->name + 2)];
        near_names(ui, name, names, sizeof names);
        return error_set(error, "%s: nothing on the screen is called that; the nearest names are %s", name,
                         *names ? names : "none");
    }
    *rect = thing->rect;
    float x = rect->x + rect->w / 2, y = rect->y + rect->h / 2;
    if (rect_has((Rect){0, 0, ui->width, ui->height}, x, y)) return true;
    return error_set(error, "%s: lies outside of the window; make it larger, or scroll there", name);
}

// One word, a thing's name: its middle. Two words: a place.
static bool read_place(Script *script, char **words, int count, float place[2], Error *error) {
    if (count == 2) return read_numbers(words, 2, place, error);
    Rect rect;
    if (!find_thing(script, words[0], &rect, error)) return false;
    place[0] = rect.x + rect.w / 2;
    place[1] = rect.y + rect.h / 2;
    return true;
}

// ---- commands -------------------------------------------------------------------------------------------------------

static bool do_press(Script *script, char **words, int count, Error *error) {
    float place[2];
    if (!read_place(script, words, count, place, error)) return false;
    hand_press(script, place[0], place[1], 1);
    return true;
}

static bool do_double(Script *script, char **words, int count, Error *error) {
    float place[2];
    if (!read_place(script, words, count, place, error)) return false;
    hand_press(script, place[0], place[1], 2);
    return true;
}

static bool do_hover(Script *script, char **words, int count, Error *error) {
    float place[2];
    if (!read_place(script, words, count, place, error)) return false;
    hand_move(script, place[0], place[1]);
    return true;
}

static bool do_drag(Script *script, char **words, int count, Error *error) {
    float p[4];
    if (!read_numbers(words + (count - 4), 4, p, error)) return false;
    if (count == 5) {
        Rect rect;
        if (!find_thing(script, words[0], &rect, error)) return false;
        for (int i = 0; i < 4; i += 2) {
            p[i] = rect.x + p[i] * rect.w;
            p[i + 1] = rect.y + p[i + 1] * rect.h;
        }
    }
    hand_drag(script, p[0], p[1], p[2], p[3]);
    return true;
}

static bool do_wheel(Script *script, char **words, int count, Error *error) {
    (void)count;
    float notches;
    if (!read_number(words[0], &notches, error)) return false;
    hand_turn_wheel(script, notches);
    return true;
}

static bool do_key(Script *script, char **words, int count, Error *error) {
    (void)count;
    static const struct {
        const char *prefix;
        SDL_Keymod modifier;
    } MODIFIERS[] = {{"ctrl+", KMOD_LCTRL}, {"shift+", KMOD_LSHIFT}, {"alt+", KMOD_LALT}};
    const char *name = words[0];
    int modifiers = KMOD_NONE;
    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(MODIFIERS[i].prefix);
        if (strncasecmp(name, MODIFIERS[i].prefix, length) != 0) continue;
        name += length;
        modifiers |= MODIFIERS[i].modifier;
    }
    SDL_Keycode key = SDL_GetKeyFromName(name);
    if (key == SDLK_UNKNOWN) {
        return error_set(error,
                         "%s: no key is called that; write it as SDL does, behind ctrl+, shift+, alt+ in this order: "
                         "ctrl+shift+Return, Left, PageDown, a",
                         words[0]);
    }
    hand_press_key(script, key, (SDL_Keymod)modifiers);
    return true;
}

static bool do_type(Script *script, char **words, int count, Error *error) {
    (void)count, (void)error;
    hand_type(script, words[0]);
    return true;
}

static bool do_tab(Script *script, char **words, int count, Error *error) {
    (void)count;
    enum { MOST = 10000 };
    float times;
    if (!read_number(words[0], &times, error)) return false;
    for (int i = 0; i < times && i < MOST; i++) hand_press_key(script, SDLK_TAB, KMOD_NONE);
    for (int i = 0; i < -times && i < MOST; i++) hand_press_key(script, SDLK_TAB, KMOD_LSHIFT);
    return true;
}

static bool do_drop(Script *script, char **words, int count, Error *error) {
    (void)count, (void)error;
    hand_drop(script, words[0]);
    return true;
}

static bool do_size(Script *script, char **words, int count, Error *error) {
    (void)count;
    size_t width, height;
    if (!read_window_size(words[0], &width, &height)) {
        return error_set(error, "%s: no size of a window, which is from %dx%d to %dx%d; try 1280x800", words[0],
                         SMALLEST_WIDTH, SMALLEST_HEIGHT, LARGEST_WINDOW, LARGEST_WINDOW);
    }
    window_resize(script->window, width, height);
    script_frame(script, 0);
    return true;
}

static bool do_scale(Script *script, char **words, int count, Error *error) {
    (void)count;
    float scale;
    if (!read_number(words[0], &scale, error)) return false;
    if (scale < SMALLEST_SCALE || scale > LARGEST_SCALE) {
        return error_set(error, "%s: is no scale; write a number from %g to %g", words[0], (double)SMALLEST_SCALE,
                         (double)LARGEST_SCALE);
    }
    // The window keeps its size in points, as on a screen with smaller dots.
    size_t width = (size_t)script->window->ui->width, height = (size_t)script->window->ui->height;
    if (!window_set_scale(script->window, scale, error)) return false;
    window_resize(script->window, width, height);
    script_frame(script, 0);
    return true;
}

static bool do_theme(Script *script, char **words, int count, Error *error) {
    (void)count;
    bool dark = strcmp(words[0], "dark") == 0;
    if (!dark && strcmp(words[0], "light") != 0)
        return error_set(error, "%s: no such theme; write dark or light", words[0]);
    script->window->ui->theme = theme_make(dark);
    script_frame(script, 0);
    return true;
}

static bool do_time(Script *script, char **words, int count, Error *error) {
    (void)count;
    static const float LONGEST = 3600;
    float seconds;
    if (!read_number(words[0], &seconds, error)) return false;
    if (seconds < 0 || seconds > LONGEST)
        return error_set(error, "%s: is no time to let pass; write seconds, up to %g", words[0], (double)LONGEST);
    double end = script->time + as_written(seconds);
    while (script->time + 1.0 / 30 < end) script_frame(script, 1.0 / 30);
    script_frame(script, end - script->time);
    return true;
}

static bool do_wait(Script *script, char **words, int count, Error *error) {
    float most = SETTLING_MOST;
    if (count > 0 && !read_number(words[0], &most, error)) return false;
    if (!settle(script, most, error)) return false;
    script_frame(script, 0.05);
    return true;
}

// What is written must not depend on how far the engine happens to be.
static bool do_frame(Script *script, char **words, int count, Error *error) {
    (void)count;
    return settle(script, SETTLING_MOST, error) && script_write_frame(script, words[0], error);
}

static bool do_expect(Script *script, char **words, int count, Error *error) {
    (void)count;
    char value[FACT_TEXT];
    if (!fact_read(script->window, words[0], value, error)) return false;
    if (fact_holds(words[0], value, words[1])) return true;
    return error_set(error, "%s: is \"%s\", not \"%s\"; one of the two is wrong", words[0], value, words[1]);
}

static bool do_print(Script *script, char **words, int count, Error *error) {
    (void)count;
    char value[FACT_TEXT];
    if (!fact_read(script->window, words[0], value, error)) return false;
    printf("%s\n", value);
    fflush(stdout);
    return true;
}

static bool do_list(Script *script, char **words, int count, Error *error) {
    (void)words, (void)count, (void)error;
    const Ui *ui = script->window->ui;
    for (size_t i = 0; i < ui->thing_count; i++) {
        Rect r = ui->things[i].rect;
        printf("%s\t%g %g %g %g\n", ui->things[i].name, r.x, r.y, r.w, r.h);
    }
    fflush(stdout);
    return true;
}

// ---- lines ----------------------------------------------------------------------------------------------------------

enum { WORDS_MAX = 8 };

static const struct {
    const char *name;
    int least, most;  // words behind it
    bool (*run)(Script *script, char **words, int count, Error *error);
} COMMANDS[] = {
    {"press", 1, 2, do_press}, {"double", 1, 2, do_double}, {"hover", 1, 2, do_hover}, {"drag", 4, 5, do_drag},
    {"wheel", 1, 1, do_wheel}, {"key", 1, 1, do_key},       {"type", 1, 1, do_type},   {"tab", 1, 1, do_tab},
    {"drop", 1, 1, do_drop},   {"size", 1, 1, do_size},     {"scale", 1, 1, do_scale}, {"theme", 1, 1, do_theme},
    {"time", 1, 1, do_time},   {"wait", 0, 1, do_wait},     {"frame", 1, 1, do_frame}, {"expect", 2, 2, do_expect},
    {"print", 1, 1, do_print}, {"list", 0, 0, do_list},
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

// Cuts a line into words, in place; "" keeps several together, # begins a comment.
static bool split_words(char *line, char *words[WORDS_MAX], int *count, Error *error) {
    *count = 0;
    for (;;) {
        line += strspn(line, " \t\r\n");
        if (!*line || *line == '#') return true;
        if (*count == WORDS_MAX)
            return error_set(error, "%s: is one word too many; put words of one text in quotes", line);
        bool quoted = *line == '"';
        words[(*count)++] = line += quoted;
        line += strcspn(line, quoted ? "\"" : " \t\r\n");
        if (quoted && !*line) return error_set(error, "\"%s: the closing \" is missing; add it", words[*count - 1]);
        if (*line) *line++ = '\0';
    }
}

static bool run_words(Script *script, char **words, int count, Error *error) {
    const char *nearest = COMMANDS[0].name;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (edit_distance(words[0], COMMANDS[i].name) < edit_distance(words[0], nearest)) nearest = COMMANDS[i].name;
        if (strcmp(words[0], COMMANDS[i].name) != 0) continue;
        if (count - 1 >= COMMANDS[i].least && count - 1 <= COMMANDS[i].most)
            return COMMANDS[i].run(script, words + 1, count - 1, error);
        return error_set(error, "%s: wants %d to %d words behind it, not %d; put words of one text in quotes", words[0],
                         COMMANDS[i].least, COMMANDS[i].most, count - 1);
    }
    return error_set(error, "%s: no such command; did you mean %s?", words[0], nearest);
}

bool script_line(Script *script, const char *line, Error *error) {
    char *copy = strdup(line), *words[WORDS_MAX];
    int count;
    if (!copy) return error_set(error, "a script: no memory for a line; close other programs");
    bool ok = split_words(copy, words, &count, error) && (count == 0 || run_words(script, words, count, error));
    free(copy);
    return ok;
}

bool script_run(Script *script, FILE *stream, const char *name, Error *error) {
    char *line = NULL;
    size_t size = 0, number = 1;
    Error inner = {0};
    while (getline(&line, &size, stream) >= 0 && script_line(script, line, &inner)) number++;
    if (!*inner.message && ferror(stream)) error_set(&inner, "can't be read: %s; name a text file", strerror(errno));
    free(line);
    return !*inner.message || error_set(error, "%s:%zu: %s", name, number, inner.message);
}
