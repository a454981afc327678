// course.c - see course.h

#include "course.h"

#include "io/file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PROGRESS = "lessons/.progress";

LessonPath lesson_path(const Lesson *lesson, const char *name) {
    LessonPath path;
    snprintf(path.text, sizeof path.text, "lessons/%s/%s", lesson->folder, name);
    return path;
}

// ---- the lessons ----------------------------------------------------------------------------------------------------

static int is_lesson(const struct dirent *entry) {
    const char *name = entry->d_name;
    return isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) && name[2] == '-' &&
           strlen(name) < sizeof((Lesson *)0)->folder;
}

// "# 04 DDIM: guess everything" -> "DDIM: guess everything"; the folder's name where there is no README.
static void read_title(Lesson *lesson) {
    snprintf(lesson->title, sizeof lesson->title, "%s", lesson->folder + 3);
    FILE *readme = fopen(lesson_path(lesson, "README.md").text, "r");
    char line[256];
    if (!readme) return;
    if (fgets(line, sizeof line, readme)) {
        const char *title = line + strspn(line, "# 0123456789.:");
        if (*title) snprintf(lesson->title, sizeof lesson->title, "%.*s", (int)strcspn(title, "\r\n"), title);
    }
    fclose(readme);
}

static void read_progress(Course *course) {
    FILE *file = fopen(PROGRESS, "r");
    char folder[64], what[16];
    if (!file) return;
    while (fscanf(file, "%63s %15s", folder, what) == 2) {
        size_t hints = 0;
        bool counts = strcmp(what, "hints") == 0 && fscanf(file, "%zu", &hints) == 1;
        size_t index = course_find(course, folder);
        if (index == course->count) continue;
        if (counts) course->lessons[index].hints_seen = hints;
        if (strcmp(what, "passed") == 0) course->lessons[index].passed = true;
    }
    fclose(file);
}

bool course_open(Course *course, Error *error) {
    *course = (Course){0};
    struct dirent **entries;
    int found = scandir("lessons", &entries, is_lesson, alphasort);
    for (int i = 0; i < found; i++) {
        if (course->count < LESSON_MAX) {
            Lesson *lesson = &course->lessons[course->count++];
            snprintf(lesson->folder, sizeof lesson->folder, "%.63s", entries[i]->d_name);
            read_title(lesson);
        }
        free(entries[i]);
    }
    if (found >= 0) free(entries);
    if (course->count == 0)
        return error_set(error, "lessons: there are none here; run make lessons at the top of the source tree");
    read_progress(course);
    return true;
}

bool course_save(const Course *course, Error *error) {
    OutputFile file;
    if (!file_create(&file, PROGRESS, error)) return false;
    for (size_t i = 0; i < course->count; i++) {
        const Lesson *lesson = &course->lessons[i];
        if (lesson->passed) fprintf(file.stream, "%s passed\n", lesson->folder);
        if (lesson->hints_seen) fprintf(file.stream, "%s hints %zu\n", lesson->folder, lesson->hints_seen);
    }
    return file_commit(&file, error);
}

size_t course_first_open(const Course *course) {
    size_t i = 0;
    while (i < course->count && course->lessons[i].passed) i++;
    return i;
}

size_t course_find(const Course *course, const char *name) {
    bool number = *name && name[strspn(name, "0123456789")] == '\0';
    size_t i = 0;
    for (; i < course->count; i++) {
        const char *folder = course->lessons[i].folder;
        if (strcmp(folder, name) == 0 || (number && atoi(folder) == atoi(name))) break;
    }
    return i;
}

// ---- hints ----------------------------------------------------------------------------------------------------------

char *lesson_hint(const Lesson *lesson, size_t index, size_t *count) {
    Error none = {0};
    char *text = file_read(lesson_path(lesson, "hints.txt").text, NULL, &none), *hint = NULL;
    *count = 0;
    for (char *start = text; start && *start;) {
        char *end = strstr(start, "\n---\n");
        if (end) *end = '\0';
        if (*count == index) hint = strdup(start);
        (*count)++;
        start = end ? end + strlen("\n---\n") : NULL;
    }
    free(text);
    return hint;
}
