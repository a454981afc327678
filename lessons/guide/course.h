// course.h - the lessons there are, and how far somebody has come
//
// A lesson is a folder lessons/NN-name; its title is its README's first line. What has been done stands in
// lessons/.progress, which git doesn't look at: a line "04-ddim passed" or "04-ddim hints 2" each.
// Read next: guide.c.

#pragma once

#include "base/error.h"

#include <stddef.h>

enum { LESSON_MAX = 100 };

typedef struct Lesson {
    char folder[64];  // "04-ddim"
    char title[128];  // "DDIM: guess everything, take some"
    bool passed;
    size_t hints_seen;
} Lesson;

typedef struct Course {
    Lesson lessons[LESSON_MAX];  // in the order of their numbers
    size_t count;
} Course;

// From the top of the source tree. Errors: no lessons there. A progress file that can't be read counts as none.
bool course_open(Course *course, Error *error);
bool course_save(const Course *course, Error *error);

size_t course_first_open(const Course *course);  // the first that isn't passed; count if all are
// By number ("4", "04") or folder; count if there is none.
size_t course_find(const Course *course, const char *name);

// "lessons/04-ddim/NAME" in a buffer inside the returned struct
typedef struct LessonPath {
    char text[128];
} LessonPath;
LessonPath lesson_path(const Lesson *lesson, const char *name);

// Hint number `index` (from 0) of hints.txt, where lines "---" part them; malloc'ed. NULL if there are no more; *count:
// how many there are.
char *lesson_hint(const Lesson *lesson, size_t index, size_t *count);
