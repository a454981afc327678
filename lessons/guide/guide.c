// guide.c - `make lessons`: where you are, the next check, and what is wrong with it
//
// It reads a command a line. Checks and demos are programs of their own (check.sh, build/KIND/lessons/NN-name/demo), so
// nothing that they do can take the guide with it.
// Elsewhere: in the manner of rustlings. Read next: course.c, core/io/watch.h.

#include "course.h"

#include "io/file.h"
#include "io/watch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Guide {
    Course course;
    size_t at;  // the lesson that commands are about; course.count: all are passed
} Guide;

static Lesson *lesson_here(Guide *g) { return &g->course.lessons[g->at]; }

static void say_error(Error *error) {
    if (error->message[0]) printf("%s\n", error->message);
    *error = (Error){0};
}

static void save(const Guide *g) {
    Error error = {0};
    if (!course_save(&g->course, &error)) say_error(&error);
}

// Runs a program and waits; Ctrl-C ends it, not the guide. Its exit status, or -1 for another end.
static int run_program(const char *const *arguments) {
    fflush(stdout);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGINT, &ignore, &before);
    pid_t child = fork();
    if (child == 0) {
        sigaction(SIGINT, &before, NULL);
        execvp(arguments[0], (char *const *)arguments);
        perror(arguments[0]);
        _exit(127);
    }
    int status = -1;
    if (child > 0) waitpid(child, &status, 0);
    sigaction(SIGINT, &before, NULL);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// ---- what is said ---------------------------------------------------------------------------------------------------

static void say_where(Guide *g) {
    if (g->at == g->course.count) {
        printf("\nAll %zu lessons are passed. `list` shows them, `go NN` opens one again.\n", g->course.count);
        return;
    }
    const Lesson *lesson = lesson_here(g);
    printf("\nLesson %.2s: %s%s\n", lesson->folder, lesson->title, lesson->passed ? " (passed)" : "");
    printf("  read   %s\n", lesson_path(lesson, "README.md").text);
    printf("  write  %s, in an editor beside this\n", lesson_path(lesson, "exercise.c").text);
}

static void say_commands(void) {
    printf("Enter or n  check it; when it is right, the next lesson       w  check at every save\n"
           "d demo   h hint   s solution   r reset exercise.c   l list   go NN   q quit\n");
}

static void say_list(const Guide *g) {
    for (size_t i = 0; i < g->course.count; i++) {
        const Lesson *lesson = &g->course.lessons[i];
        printf("%s %.2s  %-7s %s\n", i == g->at ? ">" : " ", lesson->folder, lesson->passed ? "passed" : "",
               lesson->title);
    }
}

// Reads a line without its end; NULL when stdin has ended.
static char *read_line(const char *prompt, char *line, size_t size) {
    printf("%s", prompt);
    fflush(stdout);
    if (!fgets(line, (int)size, stdin)) return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

static bool agreed(const char *question) {
    char line[64];
    return read_line(question, line, sizeof line) && (line[0] == 'y' || line[0] == 'Y');
}

// ---- commands -------------------------------------------------------------------------------------------------------

static bool check(Guide *g) {
    Lesson *lesson = lesson_here(g);
    LessonPath answer = lesson_path(lesson, "exercise.c");
    bool right = run_program((const char *[]){"lessons/guide/check.sh", lesson->folder, answer.text, NULL}) == 0;
    if (right && !lesson->passed) {
        lesson->passed = true;
        save(g);
    }
    return right;
}

// The next lesson that isn't passed: behind this one, or else before it.
static void go_on(Guide *g) {
    size_t i = g->at + 1;
    while (i < g->course.count && g->course.lessons[i].passed) i++;
    g->at = i < g->course.count ? i : course_first_open(&g->course);
}

static void command_next(Guide *g) {
    if (!check(g)) return;
    go_on(g);
    say_where(g);
}

static void command_watch(Guide *g) {
    LessonPath answer = lesson_path(lesson_here(g), "exercise.c");
    Error error = {0};
    Watched seen = WATCH_SAVED;
    while (seen == WATCH_SAVED) {
        printf("\n");
        if (check(g)) {
            printf("It is no longer watched. `go NN` opens another lesson, `list` shows them.\n");
            return;
        }
        printf("Watching %s; Enter ends it.\n", answer.text);
        fflush(stdout);
        seen = watch_wait(answer.text, &error);
    }
    say_error(&error);
    char line[64];
    if (seen == WATCH_KEY) read_line("", line, sizeof line);
}

static void command_hint(Guide *g) {
    Lesson *lesson = lesson_here(g);
    size_t count;
    char *hint = lesson_hint(lesson, lesson->hints_seen, &count);
    if (hint) {
        lesson->hints_seen++;
        size_t length = strlen(hint);
        printf("Hint %zu of %zu:\n%s%s", lesson->hints_seen, count, hint,
               length && hint[length - 1] == '\n' ? "" : "\n");
        free(hint);
    } else {
        printf(count ? "Those were all hints; from the first again:\n" : "This lesson has no hints.\n");
        lesson->hints_seen = 0;
        if (count) command_hint(g);
    }
    save(g);
}

static void command_demo(Guide *g) {
    const char *build = getenv("LESSON_BUILD");
    char program[256], out[128];
    snprintf(program, sizeof program, "%s/lessons/%s/demo", build ? build : "build/gcc", lesson_here(g)->folder);
    snprintf(out, sizeof out, "build/lessons/%s", lesson_here(g)->folder);
    run_program((const char *[]){"mkdir", "-p", out, NULL});
    run_program((const char *[]){program, out, NULL});
}

static void command_solution(Guide *g) {
    const Lesson *lesson = lesson_here(g);
    if (!lesson->passed && !agreed("It isn't passed yet. Look at the solution all the same? y/n ")) return;
    run_program((const char *[]){"cat", lesson_path(lesson, "solution.c").text, NULL});
}

// The exercise as it was committed. What stood there is kept beside it.
static void command_reset(Guide *g) {
    LessonPath path = lesson_path(lesson_here(g), "exercise.c"),
               kept = lesson_path(lesson_here(g), "exercise.c.before");
    char question[200];
    snprintf(question, sizeof question, "Put %s back as it was given (yours is kept as %s)? y/n ", path.text,
             strrchr(kept.text, '/') + 1);
    if (!agreed(question)) return;
    if (run_program((const char *[]){"cp", path.text, kept.text, NULL}) == 0 &&
        run_program((const char *[]){"git", "checkout", "HEAD", "--", path.text, NULL}) == 0) {
        printf("%s is as in the last commit.\n", path.text);
    } else {
        printf("It couldn't be put back; %s is as it was.\n", path.text);
    }
}

static void command_go(Guide *g, const char *name) {
    size_t found = course_find(&g->course, name + strspn(name, " "));
    if (found == g->course.count) {
        printf("go: there is no such lesson; `list` shows what there is\n");
        return;
    }
    g->at = found;
    say_where(g);
}

typedef struct Command {
    const char *letter, *word;
    void (*run)(Guide *g);
} Command;

static const Command COMMANDS[] = {
    {"n", "next", command_next},         {"h", "hint", command_hint}, {"w", "watch", command_watch},
    {"s", "solution", command_solution}, {"d", "demo", command_demo}, {"r", "reset", command_reset},
};

static void obey(Guide *g, const char *line) {
    if (strcmp(line, "l") == 0 || strcmp(line, "list") == 0) return say_list(g);
    if (strncmp(line, "go ", 3) == 0) return command_go(g, line + 3);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        const Command *command = &COMMANDS[i];
        if (strcmp(line, command->letter) != 0 && strcmp(line, command->word) != 0 && (i > 0 || *line)) continue;
        if (g->at < g->course.count) return command->run(g);
        return say_where(g);
    }
    say_commands();
}

int main(void) {
    Guide g = {0};
    Error error = {0};
    if (!course_open(&g.course, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    g.at = course_first_open(&g.course);
    if (!isatty(STDIN_FILENO)) {
        say_list(&g);
        say_where(&g);
        return 0;
    }
    say_where(&g);
    say_commands();
    char line[128];
    while (read_line("> ", line, sizeof line)) {
        if (strcmp(line, "q") == 0 || strcmp(line, "quit") == 0) break;
        obey(&g, line);
    }
    return 0;
}
