// test_frames.c - every script of tests/viz/scripts: what it expects holds, and its frames are those of tests/viz/golden
//
//     test_frames            runs them all, and two of them once more
//     test_frames NAME...    runs these
//     test_frames --make     makes the golden frames anew (make golden-frames): look at what git says has changed
//
// A script runs in a folder of its own, build/tmp/frames/NAME, in which data/ and tests/ are this tree's: so paths that
// are shown are the same everywhere. Frames that fail stay there, and beside them what they should be and the difference.
// Read next: frames.h, which says when two frames are alike; viz/window/script.c, the scripts' language.

#include "io/png.h"
#include "test.h"
#include "viz/frames.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char GOLDEN[] = "tests/viz/golden", SCRIPTS[] = "tests/viz/scripts";
static char tree[PATH_MAX], program[PATH_MAX];
static const char *folder;  // of all of them
static const char *script;  // the one that is run: its name
static bool making;

// ---- files ----------------------------------------------------------------------------------------------------------

// The name without folder and ending
static void base_name(const char *path, char name[NAME_MAX]) {
    const char *slash = strrchr(path, '/');
    snprintf(name, NAME_MAX, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot) *dot = '\0';
}

static void link_tree(const char *place, const char *what) {
    char from[2 * PATH_MAX], to[2 * PATH_MAX];
    snprintf(from, sizeof from, "%s/%s", tree, what);
    snprintf(to, sizeof to, "%s/%s", place, what);
    EXPECT(symlink(from, to) == 0, "%s can't be made", to);
}

// ---- a script -------------------------------------------------------------------------------------------------------

// Runs it in a fresh folder; false where it failed, which is said.
static bool run_script(const char *place, const char *environment) {
    char command[8 * PATH_MAX], message[1024] = "";
    EXPECT(mkdir(place, 0777) == 0, "%s can't be made", place);
    link_tree(place, "data");
    link_tree(place, "tests");
    snprintf(command, sizeof command,
             "cd '%s' && %s timeout 300 '%s' --headless --size 1024x704 --pretend-seconds 0.05 --script %s/%s.txt 2>&1 "
             ">stdout",
             place, environment, program, SCRIPTS, script);
    FILE *said = popen(command, "r");
    if (!said) return false;
    while (fgets(message, sizeof message, said)) continue;  // the last line
    bool ok = pclose(said) == 0;
    EXPECT(ok, "%s", message);
    return ok;
}

// ---- its frames -----------------------------------------------------------------------------------------------------

static void keep_difference(const char *path, const char *golden_path, const Image *golden, const Image *reduced) {
    char name[NAME_MAX], out[2 * PATH_MAX];
    base_name(path, name);
    Image difference = frame_difference_picture(golden, reduced);
    snprintf(out, sizeof out, "%s/%s/differences", folder, script);
    mkdir(out, 0777);
    snprintf(out, sizeof out, "%s/%s/differences/%s.png", folder, script, name);
    EXPECT(png_write(out, &difference, NULL, 0, &(Error){0}), "%s can't be written", out);
    printf("    %s\n    is not %s; see %s\n", path, golden_path, out);
    image_free(&difference);
}

static void compare_frame(const char *path, const char *golden_path, const Image *reduced) {
    Image golden = {0};
    Error error = {0};
    if (!png_read(golden_path, &golden, &error)) {
        EXPECT(false, "%s; make golden-frames, and look at it", error.message);
        return;
    }
    FrameDifference found = frame_compare(&golden, reduced);
    if (!frame_alike(&found)) keep_difference(path, golden_path, &golden, reduced);
    EXPECT(found.same_size, "is %zux%zu, not %zux%zu", 2 * reduced->width, 2 * reduced->height, 2 * golden.width,
           2 * golden.height);
    EXPECT(frame_alike(&found), "%.3f %% of pixels are off; at %zu,%zu by %.1f/255", 100 * found.off, 2 * found.x,
           2 * found.y, found.worst);
    image_free(&golden);
}

static void check_frame(const char *path) {
    char name[NAME_MAX], golden_path[2 * PATH_MAX];
    Image frame = {0};
    Error error = {0};
    base_name(path, name);
    snprintf(golden_path, sizeof golden_path, "%s/%s.png", GOLDEN, name);
    if (!png_read(path, &frame, &error)) {
        EXPECT(false, "%s", error.message);
        return;
    }
    Image reduced = frame_golden(&frame);
    if (making)
        EXPECT(png_write(golden_path, &reduced, NULL, 0, &error), "%s", error.message);
    else
        compare_frame(path, golden_path, &reduced);
    image_free(&reduced);
    image_free(&frame);
}

// Only what the script has drawn: what it exported is called otherwise.
static void each_frame(const char *place, void (*check)(const char *path)) {
    char pattern[2 * PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/%s-*.png", place, script);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) check(found.gl_pathv[i]);
    }
    globfree(&found);
}

static void test_script(void) {
    char place[PATH_MAX];
    snprintf(place, sizeof place, "%s/%s", folder, script);
    if (run_script(place, "")) each_frame(place, check_frame);
}

// ---- once more ------------------------------------------------------------------------------------------------------

// True if both files can be read and hold the same bytes
static bool same_bytes(const char *path, const char *other) {
    FILE *a = fopen(path, "rb"), *b = fopen(other, "rb");
    bool same = a && b;
    for (int c = 0; same && c != EOF;) same = (c = getc(a)) == getc(b);
    if (a) fclose(a);
    if (b) fclose(b);
    return same;
}

static void check_same(const char *again) {
    char first[2 * PATH_MAX];
    snprintf(first, sizeof first, "%s/%s/%s", folder, script, strrchr(again, '/') + 1);
    EXPECT(same_bytes(first, again), "%s and %s aren't the same bytes", first, again);
}

// The same script draws the same frames, bit for bit, also where one thread does the work of two.
static void test_once_more(void) {
    char place[PATH_MAX];
    snprintf(place, sizeof place, "%s/%s once more", folder, script);
    if (run_script(place, "OMP_NUM_THREADS=1")) each_frame(place, check_same);
}

// ---- all of them ----------------------------------------------------------------------------------------------------

// A golden frame that no script draws is an old one.
static void test_every_golden_frame_is_drawn(void) {
    char drawn[2 * PATH_MAX], name[NAME_MAX];
    glob_t golden, found;
    if (glob("tests/viz/golden/*.png", 0, NULL, &golden) != 0) return;
    for (size_t i = 0; i < golden.gl_pathc; i++) {
        base_name(golden.gl_pathv[i], name);
        snprintf(drawn, sizeof drawn, "%s/*/%s.png", folder, name);
        EXPECT(glob(drawn, 0, NULL, &found) == 0, "%s: no script draws it", golden.gl_pathv[i]);
        globfree(&found);
    }
    globfree(&golden);
}

static void run_named(const char *name, void (*test)(void), const char *how) {
    char title[2 * NAME_MAX];
    script = name;
    snprintf(title, sizeof title, "test_%s%s", name, how);
    test_run(title, test);
}

static void run_all(void) {
    static const char *const TWICE[] = {"welcome", "beginning"};
    glob_t scripts;
    char name[NAME_MAX];
    if (glob("tests/viz/scripts/*.txt", 0, NULL, &scripts) != 0) return;
    for (size_t i = 0; i < scripts.gl_pathc; i++) {
        base_name(scripts.gl_pathv[i], name);
        run_named(name, test_script, "");
    }
    globfree(&scripts);
    if (making) return;
    for (size_t i = 0; i < sizeof TWICE / sizeof *TWICE; i++) run_named(TWICE[i], test_once_more, "_once_more");
    TEST(test_every_golden_frame_is_drawn);
}

static void test_no_viewer(void) { SKIP("sculpt-view isn't built; make view"); }

int main(int argc, char **argv) {
    const char *view = getenv("SCULPT_VIEW");
    folder = test_folder("frames");
    making = argc == 2 && strcmp(argv[1], "--make") == 0;
    if (!getcwd(tree, sizeof tree)) return EXIT_FAILURE;
    if (!realpath(view ? view : "sculpt-view", program)) {
        TEST(test_no_viewer);
        return test_summary();
    }
    if (argc == 1 || making) run_all();
    for (int i = 1; i < argc && !making; i++) run_named(argv[i], test_script, "");
    return test_summary();
}
