// test_file.c - whole files in, and files out that are whole or not there (core/io/file.c)

#include "io/file.h"

#include "files.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_read(void) {
    const char *folder = test_folder("file");
    Error error = {0};
    size_t size = 0;
    char *text = file_read(files_put(folder, "text", "abc\0d", 5), &size, &error);
    EXPECT(text && size == 5 && memcmp(text, "abc\0d", 6) == 0, "%zu bytes, %s", size, error.message);
    free(text);

    char *large = malloc(100000);
    memset(large, 'x', 100000);
    text = file_read(files_put(folder, "large", large, 100000), &size, &error);
    EXPECT(text && size == 100000 && memcmp(text, large, size) == 0 && text[size] == '\0', "%zu bytes", size);
    free(text);
    free(large);

    text = file_read(files_put(folder, "empty", "", 0), &size, &error);
    EXPECT(text && size == 0 && *text == '\0', "%zu bytes", size);
    free(text);
}

static void test_read_refuses(void) {
    const char *large = files_put(test_folder("file"), "large", "", 0);
    const struct {
        const char *path, *cause;
    } cases[] = {
        {"build/tmp/nowhere.json", "build/tmp/nowhere.json: can't be opened: No such file"},
        {"build/tmp", "is a folder"},
        {"", "can't be opened"},
        {"/dev/zero", "is no regular file"},
        {large, "larger than 268435456 bytes"},
    };
    EXPECT(truncate(large, 300 << 20) == 0, "no sparse file");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error error = {0};
        EXPECT(!file_read(cases[i].path, NULL, &error), "read %s", cases[i].path);
        EXPECT(strstr(error.message, cases[i].cause), "%s: \"%s\"", cases[i].cause, error.message);
    }
}

static void test_write(void) {
    const char *folder = test_folder("file");
    char *path = path_join(folder, "out.txt");
    OutputFile file;
    Error error = {0};
    EXPECT(file_create(&file, path, &error), "%s", error.message);
    fputs("first", file.stream);
    EXPECT(!path_exists(path), "there before it was committed");
    EXPECT(file_commit(&file, &error), "%s", error.message);

    mode_t mask = umask(0);
    umask(mask);
    struct stat status;
    EXPECT(stat(path, &status) == 0 && (status.st_mode & 0777) == (0666 & ~mask), "mode %o", status.st_mode);

    // A second writer that gives up leaves the first file as it was.
    EXPECT(file_create(&file, path, &error), "%s", error.message);
    fputs("second", file.stream);
    file_abandon(&file);
    file_abandon(&file);
    char *text = file_read(path, NULL, &error);
    EXPECT(text && strcmp(text, "first") == 0, "%s", text);
    EXPECT(files_count(folder) == 1, "%zu files", files_count(folder));
    free(text);
    free(path);
}

static void test_two_writers(void) {
    const char *folder = test_folder("file");
    char *path = path_join(folder, "out.txt");
    OutputFile a, b;
    Error error = {0};
    EXPECT(file_create(&a, path, &error) && file_create(&b, path, &error), "%s", error.message);
    fputs("a", a.stream);
    fputs("b", b.stream);
    EXPECT(file_commit(&a, &error) && file_commit(&b, &error), "%s", error.message);
    char *text = file_read(path, NULL, &error);
    EXPECT(text && strcmp(text, "b") == 0 && files_count(folder) == 1, "%s", text);
    free(text);
    free(path);
}

// A link stays a link: what it points to is replaced.
static void test_write_through_link(void) {
    const char *folder = test_folder("file");
    files_put(folder, "real.txt", "old", 3);
    char *link = path_join(folder, "link.txt"), *real = path_join(folder, "real.txt");
    EXPECT(symlink("real.txt", link) == 0, "no link");
    OutputFile file;
    Error error = {0};
    EXPECT(file_create(&file, link, &error), "%s", error.message);
    fputs("new", file.stream);
    EXPECT(file_commit(&file, &error), "%s", error.message);
    struct stat status;
    EXPECT(lstat(link, &status) == 0 && S_ISLNK(status.st_mode), "the link is gone");
    char *text = file_read(real, NULL, &error);
    EXPECT(text && strcmp(text, "new") == 0, "%s", text);
    free(text);

    // and one that points to nothing isn't replaced behind its owner's back
    EXPECT(remove(real) == 0 && !file_create(&file, link, &error), "wrote through a link to nothing");
    EXPECT(strstr(error.message, "leads nowhere"), "%s", error.message);
    EXPECT(lstat(link, &status) == 0 && S_ISLNK(status.st_mode), "the link to nothing is gone");
    free(link);
    free(real);
}

static void test_write_without_folder_in_name(void) {
    char here[4096];
    if (!getcwd(here, sizeof here) || chdir(test_folder("file")) != 0) SKIP("no working folder");
    OutputFile file;
    Error error = {0};
    bool ok = file_create(&file, "plain.txt", &error) && file_commit(&file, &error) && path_exists("plain.txt");
    EXPECT(ok, "%s", error.message);
    EXPECT(chdir(here) == 0, "can't go back");
}

static void test_write_refuses(void) {
    const struct {
        const char *path, *cause;
    } cases[] = {
        {"build/tmp", "is a folder"},
        {"/dev/null", "is a device or a pipe"},
        {"build/tmp/no/such/folder/x", "can't be created: No such file or directory"},
        {"", "name is empty"},
        {"/proc/x", "can't be created"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        OutputFile file;
        Error error = {0};
        EXPECT(!file_create(&file, cases[i].path, &error), "created %s", cases[i].path);
        EXPECT(strstr(error.message, cases[i].cause), "%s: \"%s\"", cases[i].cause, error.message);
        EXPECT(!file.stream && !file.path && !file.temporary, "%s: something is left", cases[i].path);
    }
}

// The failure comes early for a long file (when the stream's buffer is written out) and late for a short one.
static void test_full_disk(void) {
    const char *folder = test_folder("file");
    char *path = path_join(folder, "out.txt");
    for (size_t size = 200; size <= 200000; size *= 1000) {
        files_put(folder, "out.txt", "old", 3);
        OutputFile file;
        Error error = {0};
        files_limit(100);
        EXPECT(file_create(&file, path, &error), "%s", error.message);
        for (size_t i = 0; i < size; i++) fputc('x', file.stream);
        bool committed = file_commit(&file, &error);
        files_limit(0);
        EXPECT(!committed, "committed %zu bytes", size);
        EXPECT(strstr(error.message, "out.txt: can't be written: "), "\"%s\"", error.message);
        char *text = file_read(path, NULL, &error);
        EXPECT(text && strcmp(text, "old") == 0 && files_count(folder) == 1, "%s, %zu files", text,
               files_count(folder));
        free(text);
    }
    free(path);
}

static void test_path_join(void) {
    const char *cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = path_join(cases[i][0], cases[i][1]);
        EXPECT(strcmp(path, cases[i][2]) == 0, "%s, not %s", path, cases[i][2]);
        free(path);
    }
}

int main(void) {
    TEST(test_read);
    TEST(test_read_refuses);
    TEST(test_write);
    TEST(test_two_writers);
    TEST(test_write_through_link);
    TEST(test_write_without_folder_in_name);
    TEST(test_write_refuses);
    TEST(test_full_disk);
    TEST(test_path_join);
    return test_summary();
}
