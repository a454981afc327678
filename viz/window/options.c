// options.c - see options.h. One row of OPTIONS for each option, one line of option_apply to say what it sets.

#include "window/options.h"

#include "base/text.h"
#include "io/file.h"
#include "window/files.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Options without a short form are told apart by numbers that are no letters.
enum { TRACE = 256, DARK, LIGHT, SCALE, SIZE, HEADLESS, SCRIPT, FRAME, FRAME_TIMES, PRETEND_SECONDS, VERSION };

static const struct option OPTIONS[] = {
    {"model", required_argument, NULL, 'm'},
    {"trace", required_argument, NULL, TRACE},
    {"dark", no_argument, NULL, DARK},
    {"light", no_argument, NULL, LIGHT},
    {"scale", required_argument, NULL, SCALE},
    {"size", required_argument, NULL, SIZE},
    {"headless", no_argument, NULL, HEADLESS},
    {"script", required_argument, NULL, SCRIPT},
    {"frame", required_argument, NULL, FRAME},
    {"frame-times", required_argument, NULL, FRAME_TIMES},
    {"pretend-seconds", required_argument, NULL, PRETEND_SECONDS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, VERSION},
    {0},
};
static const char SHORT_OPTIONS[] = ":m:h";

static bool read_number(const char *name, const char *text, float min, float max, float *value, Error *error) {
    if (text_number(text, value) && *value >= min && *value <= max) return true;
    return error_set(error, "--%s %s: not a number from %g to %g; see sculpt-view --help", name, text, min, max);
}

bool read_window_size(const char *text, size_t *width, size_t *height) {
    unsigned w, h;
    int end = 0;
    bool digits = strspn(text, "0123456789x") == strlen(text) && strlen(text) < 12;
    if (!digits || sscanf(text, "%ux%u%n", &w, &h, &end) != 2 || text[end]) return false;
    if (w < SMALLEST_WIDTH || h < SMALLEST_HEIGHT || w > LARGEST_WINDOW || h > LARGEST_WINDOW) return false;
    *width = w;
    *height = h;
    return true;
}

static bool option_apply(WindowOptions *o, int id, char *value, Error *error) {
    float seconds;
    switch (id) {
    case 'm': o->model = value; return true;
    case TRACE: o->trace = value; return true;
    case DARK: o->dark = true; return true;
    case LIGHT: o->dark = false; return true;
    case SCALE: return read_number("scale", value, SMALLEST_SCALE, LARGEST_SCALE, &o->scale, error);
    case SIZE:
        if (read_window_size(value, &o->width, &o->height)) return true;
        return error_set(error, "--size %s: no size of a window, which is from %dx%d to %dx%d; try 1280x800", value,
                         SMALLEST_WIDTH, SMALLEST_HEIGHT, LARGEST_WINDOW, LARGEST_WINDOW);
    case HEADLESS: o->headless = true; return true;
    case SCRIPT: o->script = value; return true;
    case FRAME: o->frame = value; return true;
    case FRAME_TIMES: o->frame_times = value; return true;
    case PRETEND_SECONDS:
        if (!read_number("pretend-seconds", value, 0, 1e6f, &seconds, error)) return false;
        o->pretend_seconds = as_written(seconds);
        return true;
    case 'h': o->help = true; return true;
    default: o->version = true; return true;
    }
}

static bool unknown_option(const char *word, Error *error) {
    const char *nearest = NULL;
    size_t least = 4;  // farther than this and it is another word
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (const struct option *row = OPTIONS; row->name; row++) {
        size_t distance = edit_distance(name + strspn(name, "-"), row->name);
        if (distance < least && distance < strlen(row->name)) {
            least = distance;
            nearest = row->name;
        }
    }
    if (nearest) return error_set(error, "%s: no such option; did you mean --%s?", name, nearest);
    return error_set(error, "%s: no such option; sculpt-view --help lists those there are", name);
}

// getopt_long would take the beginning of a name for the name; here it is an error, so that later options break nobody.
static bool read_options(WindowOptions *options, int argc, char **argv, Error *error) {
    opterr = 0;
    int id, row;
    while (row = -1, (id = getopt_long(argc, argv, SHORT_OPTIONS, OPTIONS, &row)) != -1) {
        const char *word = argv[optind - 1];
        char letter[3] = {'-', (char)optopt, '\0'};
        if (id == ':') return error_set(error, "%s: a value is missing; see sculpt-view --help", word);
        if (id == '?' && (optopt >= TRACE || optopt == 'h'))
            return error_set(error, "%s: takes no value; leave it out", word);
        if (id == '?') return unknown_option(optopt ? letter : word, error);
        if (optarg == word) word = argv[optind - 2];
        if (row >= 0 && strncmp(word, "--", 2) == 0 && strcspn(word + 2, "=") != strlen(OPTIONS[row].name))
            return unknown_option(word, error);
        if (!option_apply(options, id, optarg, error)) return false;
    }
    return true;
}

static bool read_word(WindowOptions *options, char *word, Error *error) {
    static const char ENDING[] = ".safetensors";
    size_t length = strlen(word), tail = strlen(ENDING);
    if (length <= tail || strcmp(word + length - tail, ENDING) != 0) {
        options->prompt = word;
        return true;
    }
    if (!path_exists(word))
        return error_set(error, "%s: there is no such file; look for its name, or say a prompt", word);
    bool trace = file_kind(word) == FILE_TRACE;
    if (trace ? options->trace != NULL : options->model != NULL)
        return error_set(error, "%s: is a second %s; leave one out", word, trace ? "trace" : "model");
    *(trace ? &options->trace : &options->model) = word;
    return true;
}

bool window_options_read(WindowOptions *options, int argc, char **argv, Error *error) {
    *options = (WindowOptions){.width = 1280, .height = 800};
    if (!read_options(options, argc, argv, error)) return false;
    if (options->help || options->version) return true;
    if (argc - optind > 1) {
        return error_set(error, "\"%s\": a second prompt behind \"%s\"; put one of several words in quotes",
                         argv[optind + 1], argv[optind]);
    }
    if (optind < argc && !read_word(options, argv[optind], error)) return false;
    if (options->trace && options->prompt) {
        return error_set(error, "\"%s\": a prompt and a trace can't both be opened; leave one out", options->prompt);
    }
    const char *alone = options->script ? "script" : options->frame ? "frame" : NULL;
    if (alone && !options->headless) return error_set(error, "--%s: works without a window; add --headless", alone);
    return true;
}

void window_help_print(void) {
    printf(
        "sculpt-view                      watch a stored run\n"
        "sculpt-view TRACE.safetensors    watch another, written by sculpt --trace\n"
        "sculpt-view \"PROMPT\"             draw, and watch\n"
        "\n"
        "  -m, --model PATH          a diffusers folder or a single .safetensors file    [data/models/critters]\n"
        "      --trace FILE          a trace\n"
        "      --dark  --light       colours                                             [light]\n"
        "      --size WxH            of the window, in points                            [1280x800]\n"
        "      --scale X             pixels a point, %g to %g: larger for tired eyes       [as the screen is]\n"
        "\n"
        "Without a window, for tests and pictures:\n"
        "      --headless            draw into memory only\n"
        "      --script FILE         do what a script says, a line each; - reads standard input (viz/window/script.c)\n"
        "      --frame OUT.png       write what is seen at the end\n"
        "      --pretend-seconds X   show X for every measured time, so that frames are alike everywhere\n"
        "\n"
        "      --frame-times FILE    note how many milliseconds each frame took\n"
        "  -h, --help  --version\n"
        "\n"
        "Keys: Space plays, arrows step, 1 to 4 choose a view, r runs, b branches, ? explains what is on the screen.\n"
        "A picture, trace or model can be dropped on the window.\n",
        (double)SMALLEST_SCALE, (double)LARGEST_SCALE);
}
