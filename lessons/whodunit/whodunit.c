// whodunit.c - `make whodunit`: a picture, its trace, one planted fault. Who did it, and where?
//
//     whodunit FOLDER PROGRESS        pictures go to FOLDER, PROGRESS is the file of solved cases
//
// It reads a command a line, from a person or from a file.
// Read next: README.md beside it, for how to play; cases.h, look.h.

#include "look.h"
#include "score.h"

#include "demo/demo.h"
#include "demo/paint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRONG_COSTS = 3 };  // looks, for a wrong accusation

typedef struct Game {
    const char *folder, *progress;
    Model *model;
    Score score;

    size_t number;     // of the open case
    const Case *open;  // NULL: none is
    Settings order;
    Image init;
    Trace *trace;
    Honest *honest;
    char case_folder[256];
    bool looked[EXHIBIT_MAX], looked_up_to[EXHIBIT_MAX];
    int looks;
    bool closed;  // solved, or confessed
} Game;

static Desk desk(const Game *g) { return (Desk){g->honest, g->trace, &g->order, g->case_folder}; }
static size_t steps(const Game *g) { return g->trace->step_count; }

// Breaks lines between words.
static void say_wrapped(const char *text) {
    enum { WIDTH = 100 };
    while (strlen(text) > WIDTH) {
        int length = WIDTH;
        while (text[length] != ' ') length--;
        printf("%.*s\n", length, text);
        text += length + 1;
    }
    printf("%s\n", text);
}

// ---- a case is opened -----------------------------------------------------------------------------------------------

static void close_case(Game *g) {
    honest_close(g->honest);
    trace_free(g->trace);
    image_free(&g->init);
    g->honest = NULL;
    g->trace = NULL;
    g->open = NULL;
}

static Settings order_of(Game *g, const Case *c) {
    Settings order = demo_settings(g->model);
    order.prompt = c->prompt;
    if (c->negative_prompt) order.negative_prompt = c->negative_prompt;
    order.scheduler = c->scheduler;
    order.seed = c->seed;
    order.num_inference_steps = c->steps;
    order.guidance_scale = c->guidance_scale;
    if (c->init) {
        g->init = paint(c->init, c->seed);
        order.init = &g->init;
        order.strength = c->strength;
    }
    return order;
}

// The trace says what was ordered, not what was done.
static void write_trace(Game *g) {
    Error error = {0};
    char path[512];
    size_t count;
    Run *ordered = demo_run(g->model, &g->order);
    const Metadata *metadata = run_metadata(ordered, &count);
    snprintf(path, sizeof path, "%s/trace.safetensors", g->case_folder);
    demo_needs(trace_set_metadata(g->trace, metadata, count, &error) && trace_write(g->trace, path, &error), &error);
    run_free(ordered);
    printf("  %s   its trace: make view TRACE=... shows it\n", path);
}

// The drawing to begin with, if there is one, each step's guess, and the picture
static void write_picture(Game *g) {
    char path[512];
    snprintf(path, sizeof path, "%s/picture.png", g->case_folder);
    size_t column = 0;
    Sheet sheet = sheet_new((g->order.init ? 1 : 0) + steps(g) + 1, 1, 128);
    if (g->order.init) sheet_place(&sheet, column++, 0, g->order.init);
    for (size_t k = 0; k < steps(g); k++) {
        Image guess = honest_decode(g->honest, g->trace->steps[k].pred_original_sample);
        sheet_place(&sheet, column++, 0, &guess);
        image_free(&guess);
    }
    Desk looked_at = desk(g);
    Image picture = picture_of_image(&looked_at);
    sheet_place(&sheet, column, 0, &picture);
    image_free(&picture);
    sheet_write(&sheet, path);
    printf("  %s   %seach step's guess, and the picture\n", path, g->order.init ? "the drawing, " : "");
}

static void say_suspects(const Game *g) {
    printf("Suspects:\n");
    for (size_t i = 0; i < SUSPECT_MAX && g->open->suspects[i]; i++) {
        printf("  %-16s %s\n", g->open->suspects[i], suspect_sentence(g->open->suspects[i]));
    }
    if (g->number == 0) printf("  %-16s %s\n", "nobody", suspect_sentence("nobody"));
}

static void say_order(const Game *g) {
    const Settings *o = &g->order;
    printf("  ordered: \"%s\"", o->prompt);
    if (o->negative_prompt[0]) printf(", not \"%s\"", o->negative_prompt);
    printf("\n           %s, %zu steps, guidance %g, seed %llu", o->scheduler, o->num_inference_steps,
           (double)o->guidance_scale, (unsigned long long)o->seed);
    if (g->open->init) printf(", from a drawing of %s, strength %g", g->open->init, (double)o->strength);
    printf("\n");
}

static void open_case(Game *g, size_t number) {
    close_case(g);
    const Case *c = &CASES[number];
    g->number = number;
    g->order = order_of(g, c);
    g->trace = record(g->model, &g->order, c->fault);
    g->honest = honest_open(g->model, &g->order);
    g->open = c;
    g->looks = 0;
    g->closed = false;
    memset(g->looked, 0, sizeof g->looked);
    memset(g->looked_up_to, 0, sizeof g->looked_up_to);
    snprintf(g->case_folder, sizeof g->case_folder, "%s/%02zu", g->folder, number);
    mkdir(g->case_folder, 0777);

    printf("\nCase %zu: %s\n  %s\n", number, c->title, c->complaint);
    say_order(g);
    write_picture(g);
    write_trace(g);
    say_suspects(g);
    printf("%zu tensors; par is %d looks.\n", exhibit_count(steps(g)), par(exhibit_count(steps(g))));
}

// ---- commands -------------------------------------------------------------------------------------------------------

static void say_commands(void) {
    printf("case N             open a case           cases     all of them, and your score\n"
           "show TENSOR STEP   numbers, a picture    free\n"
           "look TENSOR STEP   does it follow from what it is made of?          1 look\n"
           "upto TENSOR STEP   is everything right, from the prompt up to it?   1 look\n"
           "accuse SUSPECT TENSOR STEP   who, and the first tensor that is wrong; a wrong one costs %d looks\n"
           "suspects   tensors (all there are)   confess (give up)   quit\n",
           WRONG_COSTS);
}

static void command_cases(Game *g) {
    int solved = 0, over = 0;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        int looks = g->score.looks[i];
        printf("%s%2zu  ", g->open && g->number == i ? ">" : " ", i);
        if (looks >= 0)
            printf("%2d %-7s", looks, looks == 1 ? "look" : "looks");
        else
            printf("%10s", "");
        printf("%s\n", CASES[i].title);
        if (i == 0 || looks < 0) continue;
        solved++;
        over += looks - par(exhibit_count(case_steps(&CASES[i])));
    }
    printf("Solved: %d of %d", solved, CASE_COUNT - 1);
    if (solved > 0) {
        printf(", %d look%s %s par in all", abs(over), abs(over) == 1 ? "" : "s", over > 0 ? "over" : "under");
    }
    printf("\n");
}

static void command_tensors(const Game *g) {
    for (size_t i = 0; i < exhibit_count(steps(g)); i++) printf("%s\n", exhibit_name(exhibit_at(i, steps(g))).text);
}

// Reads what stands behind a command; says so if it is no exhibit.
static bool exhibit_named(const Game *g, const char *words, Exhibit *exhibit) {
    if (exhibit_read(words, steps(g), exhibit)) return true;
    printf("There is no tensor \"%s\"; `tensors` lists them: latents 0, noise_pred 3, image ...\n", words);
    return false;
}

static void count_look(Game *g, bool *before) {
    if (!*before && !g->closed) g->looks++;
    *before = true;
    printf("  %d look%s, par %d\n", g->looks, g->looks == 1 ? "" : "s", par(exhibit_count(steps(g))));
}

static void command_show(Game *g, const char *words) {
    Exhibit exhibit;
    Desk at = desk(g);
    if (exhibit_named(g, words, &exhibit)) show(&at, exhibit);
}

static void command_look(Game *g, const char *words) {
    Exhibit exhibit;
    Desk at = desk(g);
    if (!exhibit_named(g, words, &exhibit)) return;
    look(&at, exhibit);
    count_look(g, &g->looked[exhibit_index(exhibit, steps(g))]);
}

static void command_up_to(Game *g, const char *words) {
    Exhibit exhibit;
    Desk at = desk(g);
    if (!exhibit_named(g, words, &exhibit)) return;
    look_up_to(&at, exhibit);
    count_look(g, &g->looked_up_to[exhibit_index(exhibit, steps(g))]);
}

static void explain(const Game *g) {
    say_wrapped(g->open->explanation);
    if (g->open->lesson) printf("Read: lesson %02d\n", g->open->lesson);
}

static void solved(Game *g) {
    Error error = {0};
    printf("%s", g->number == 0 ? "Indeed." : "Guilty!");
    printf(" %d look%s, par %d.\n", g->looks, g->looks == 1 ? "" : "s", par(exhibit_count(steps(g))));
    explain(g);
    if (g->score.looks[g->number] < 0 && !g->closed) {
        g->score.looks[g->number] = g->looks;
        if (!score_save(&g->score, g->progress, &error)) printf("%s\n", error.message);
    }
    g->closed = true;
    size_t next = 1;
    while (next < CASE_COUNT && g->score.looks[next] >= 0) next++;
    if (next < CASE_COUNT) printf("Next: case %zu\n", next);
}

static void command_accuse(Game *g, const char *words) {
    char name[32] = "";
    int length = 0;
    Exhibit exhibit = {0};
    sscanf(words, " %31s%n", name, &length);
    if (!suspect_sentence(name)) {
        printf("Nobody here is called \"%s\"; `suspects` lists them.\n", name);
        return;
    }
    bool is_nobody = strcmp(name, "nobody") == 0;
    words += length + strspn(words + length, " ");
    if (!is_nobody && !*words) {
        printf("And where? accuse %s TENSOR STEP, the first tensor that is wrong.\n", name);
        return;
    }
    if (!is_nobody && !exhibit_named(g, words, &exhibit)) return;
    bool who = strcmp(name, g->open->guilty) == 0,
         where = is_nobody || (exhibit.matter == g->open->place.matter && exhibit.k == g->open->place.k);
    if (who && where) return solved(g);
    printf("%s\n", who                   ? "That may be who, but it isn't the first tensor that is wrong."
                   : where && !is_nobody ? "That is where it happened, but it was somebody else."
                                         : "Neither who nor where.");
    if (!g->closed) g->looks += WRONG_COSTS;
    printf("  %d looks, par %d\n", g->looks, par(exhibit_count(steps(g))));
}

static void command_confess(Game *g) {
    printf("It was %s: %s\n", g->open->guilty, suspect_sentence(g->open->guilty));
    if (g->number > 0) printf("The first tensor that is wrong: %s\n", exhibit_name(g->open->place).text);
    explain(g);
    g->closed = true;
}

static void command_case(Game *g, const char *words) {
    char *end;
    unsigned long number = strtoul(words, &end, 10);
    if (end == words || number >= CASE_COUNT)
        printf("There are cases 1 to %d, and 0 for practice.\n", CASE_COUNT - 1);
    else
        open_case(g, number);
}

typedef struct Command {
    const char *word;
    void (*with)(Game *g, const char *words);
    bool needs_case;
} Command;

static void list_cases(Game *g, const char *words) { (void)words, command_cases(g); }
static void list_suspects(Game *g, const char *words) { (void)words, say_suspects(g); }
static void list_tensors(Game *g, const char *words) { (void)words, command_tensors(g); }
static void give_up(Game *g, const char *words) { (void)words, command_confess(g); }

static const Command COMMANDS[] = {
    {"cases", list_cases, false},    {"case", command_case, false},     {"show", command_show, true},
    {"look", command_look, true},    {"upto", command_up_to, true},     {"accuse", command_accuse, true},
    {"tensors", list_tensors, true}, {"suspects", list_suspects, true}, {"confess", give_up, true},
};

static void obey(Game *g, const char *line) {
    line += strspn(line, " ");
    size_t length = strcspn(line, " ");
    const char *words = line + length + strspn(line + length, " ");
    if (line[0] >= '0' && line[0] <= '9') return command_case(g, line);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        const Command *command = &COMMANDS[i];
        if (strlen(command->word) != length || strncmp(line, command->word, length) != 0) continue;
        if (g->open || !command->needs_case) return command->with(g, words);
        printf("Open a case first: case 1\n");
        return;
    }
    say_commands();
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: whodunit FOLDER PROGRESS; make whodunit gives both\n");
        return 2;
    }
    Game g = {.folder = argv[1], .progress = argv[2], .score = score_read(argv[2]), .model = demo_model()};
    bool person = isatty(STDIN_FILENO);
    char line[256];
    printf("Whodunit: %d pictures with a fault in each. Find who did it, and where, in few looks.\n", CASE_COUNT - 1);
    command_cases(&g);
    say_commands();
    while (printf("%s", person ? "> " : ""), fflush(stdout), fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (strcmp(line, "quit") == 0 || strcmp(line, "q") == 0) break;
        obey(&g, line);
    }
    close_case(&g);
    model_close(g.model);
    return 0;
}
