// test_config.c - JSON configs: the right values, defaults, and one-line errors (core/io/config.c)

#include "io/config.h"

#include "files.h"
#include "test.h"

#include <string.h>

// Opens a config with this text, which must work.
static Config open_text(const char *text, Error *error) {
    *error = (Error){0};
    Config config;
    const char *path = files_put(test_folder("config"), "config.json", text, strlen(text));
    EXPECT(config_open(&config, path, error), "%s", error->message);
    return config;
}

static void test_values(void) {
    Error error;
    Config config =
        open_text("{\"in_channels\": 4, \"whole\": 8.0, \"eps\": 1e-05, \"int\": 3, \"yes\": true, \"no\": false,"
                  " \"act\": \"silu\", \"nothing\": null, \"inf\": -Infinity, \"text\": \"\\\"Infinity\"}",
                  &error);
    size_t in_channels = 1, whole = 1, absent = 17, nothing = 18;
    float eps = 0, integer = 0, infinite = 19;
    bool yes = false, no = true;
    char act[8] = "", text[16] = "";
    config_size(&config, "in_channels", &in_channels);
    config_size(&config, "whole", &whole);
    config_size(&config, "absent", &absent);
    config_size(&config, "nothing", &nothing);
    config_float(&config, "eps", &eps);
    config_float(&config, "int", &integer);
    config_float(&config, "inf", &infinite);
    config_bool(&config, "yes", &yes);
    config_bool(&config, "no", &no);
    config_string(&config, "act", act, sizeof act);
    config_string(&config, "text", text, sizeof text);
    EXPECT(config_has(&config, "act") && !config_has(&config, "nothing") && !config_has(&config, "absent"), "has");
    EXPECT(config_is_null(&config, "nothing") && !config_is_null(&config, "act") && !config_is_null(&config, "absent"),
           "null");
    EXPECT(config_close(&config), "%s", error.message);
    EXPECT(in_channels == 4 && whole == 8 && absent == 17 && nothing == 18, "sizes %zu %zu", in_channels, whole);
    EXPECT(eps == 1e-5f && integer == 3 && infinite == 19, "floats %g %g %g", eps, integer, infinite);
    EXPECT(yes && !no, "booleans");
    EXPECT(strcmp(act, "silu") == 0 && strcmp(text, "\"Infinity") == 0, "strings %s %s", act, text);
}

static void test_lists(void) {
    Error error;
    Config config =
        open_text("{\"channels\": [320, 640], \"heads\": 8, \"cross\": false, \"crosses\": [true, false, true],"
                  " \"betas\": [0.5, 1, 2], \"types\": [\"A\", \"B\"], \"none\": null, \"empty\": []}",
                  &error);
    size_t channels[4] = {0}, heads[4] = {0}, count = 0, none[1] = {5}, none_count = 1, empty_count = 3;
    config_sizes(&config, "channels", channels, 4, &count);
    EXPECT(count == 2 && channels[0] == 320 && channels[1] == 640, "%zu sizes", count);
    config_sizes(&config, "heads", heads, 4, &count);
    EXPECT(count == 1 && heads[0] == 8, "%zu heads", count);
    config_sizes(&config, "none", none, 1, &none_count);
    EXPECT(none_count == 1 && none[0] == 5, "null changed the default");
    config_sizes(&config, "empty", none, 1, &empty_count);
    EXPECT(empty_count == 0, "%zu in an empty list", empty_count);
    bool crosses[3] = {true};
    config_bools(&config, "cross", crosses, 3, &count);
    EXPECT(count == 1 && !crosses[0], "%zu booleans", count);
    config_bools(&config, "crosses", crosses, 3, &count);
    EXPECT(count == 3 && crosses[0] && !crosses[1] && crosses[2], "%zu booleans", count);
    float betas[3];
    config_floats(&config, "betas", betas, 3, &count);
    EXPECT(count == 3 && betas[0] == 0.5f && betas[1] == 1 && betas[2] == 2, "%zu floats", count);
    char types[2][64];
    config_strings(&config, "types", types, 2, &count);
    EXPECT(count == 2 && strcmp(types[0], "A") == 0 && strcmp(types[1], "B") == 0, "%zu strings", count);
    EXPECT(config_close(&config), "%s", error.message);
}

static void read_size(Config *c) { config_size(c, "k", &(size_t){0}); }
static void read_float(Config *c) { config_float(c, "k", &(float){0}); }
static void read_bool(Config *c) { config_bool(c, "k", &(bool){0}); }
static void read_string(Config *c) { config_string(c, "k", (char[4]){0}, 4); }
static void read_sizes(Config *c) { config_sizes(c, "k", (size_t[2]){0}, 2, &(size_t){0}); }
static void read_bools(Config *c) { config_bools(c, "k", (bool[2]){0}, 2, &(size_t){0}); }
static void read_floats(Config *c) { config_floats(c, "k", (float[2]){0}, 2, &(size_t){0}); }
static void read_strings(Config *c) { config_strings(c, "k", (char[2][64]){0}, 2, &(size_t){0}); }

static void test_wrong_values(void) {
    const struct {
        const char *json;
        void (*read)(Config *);
        const char *cause;
    } cases[] = {
        {"{\"k\": \"4\"}", read_size, "config.json: \"k\" must be a whole number, not a string; "},
        {"{\"k\": -1}", read_size, "\"k\" is -1, not a whole number from 0 to 16777216"},
        {"{\"k\": 1.5}", read_size, "\"k\" is 1.5, not"},
        {"{\"k\": 16777217}", read_size, "\"k\" is 16777217, not"},
        {"{\"k\": 1000000000000000019884624838656}", read_size, "\"k\" is 1e+30, not"},
        {"{\"k\": true}", read_size, "not true"},
        {"{\"k\": [4]}", read_size, "not a list"},
        {"{\"k\": {}}", read_float, "must be a number, not an object"},
        {"{\"k\": 1e300}", read_float, "\"k\" is 1e+300, too large"},
        {"{\"k\": 1}", read_bool, "must be true or false, not a number"},
        {"{\"k\": false}", read_string, "must be a string, not false"},
        {"{\"k\": \"silu\"}", read_string, "\"k\" is a string of 4 bytes, more than 3"},
        {"{\"k\": [1, 2, 3]}", read_sizes, "\"k\" has 3 items, at most 2"},
        {"{\"k\": [1, null]}", read_sizes, "not null"},
        {"{\"k\": [1, -2]}", read_sizes, "\"k\" is -2"},
        {"{\"k\": \"x\"}", read_sizes, "must be a list of whole numbers, not a string"},
        {"{\"k\": [true, 0]}", read_bools, "must be true or false, not a number"},
        {"{\"k\": 0.5}", read_floats, "must be a list of numbers, not a number"},
        {"{\"k\": [\"a\"]}", read_floats, "must be a number, not a string"},
        {"{\"k\": \"a\"}", read_strings, "must be a list of strings, not a string"},
        {"{\"k\": [1]}", read_strings, "must be a string, not a number"},
        {"{\"k\": [\"0123456789012345678901234567890123456789012345678901234567890123\"]}", read_strings,
         "of 64 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Error error;
        Config config = open_text(cases[i].json, &error);
        cases[i].read(&config);
        read_size(&config);  // whatever comes after, the first error stays
        EXPECT(!config_close(&config), "%s was taken", cases[i].json);
        EXPECT(strstr(error.message, cases[i].cause), "%s: \"%s\"", cases[i].cause, error.message);
    }
}

static void test_wrong_files(void) {
    const struct {
        const char *json, *cause;
    } cases[] = {
        {"", "line 1: '[' or '{' expected"},
        {"{\"a\": 1,\n \"b\" 2}", "config.json: line 2: "},
        {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
        {"[1, 2]", "isn't a JSON object"},
        {"{\"a\": NaN}", "invalid token near 'NaN'"},
        {"{\"a\": 1e999}", "real number overflow"},
        {"{\"a\": 1} x", "end of file expected"},
        {"{\"a\": \"\xff\"}", "unable to decode byte 0xff"},
        {"{\"a\": \"\\u0000\"}", "\\u0000 is not allowed"},
        {"{\"a\": ", "line 1"},
    };
    const char *folder = test_folder("config");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Config config;
        Error error = {0};
        const char *path = files_put(folder, "config.json", cases[i].json, strlen(cases[i].json));
        EXPECT(!config_open(&config, path, &error), "opened %s", cases[i].json);
        EXPECT(strstr(error.message, cases[i].cause), "%s: \"%s\"", cases[i].cause, error.message);
        EXPECT(!config_close(&config), "a config that didn't open is fine?");
    }
    Config config;
    Error error = {0};
    EXPECT(!config_open(&config, folder, &error) && strstr(error.message, "is a folder"), "%s", error.message);
    config_close(&config);
    error = (Error){0};
    EXPECT(!config_open(&config, "no.json", &error) && strstr(error.message, "no.json"), "%s", error.message);
    config_close(&config);
}

static void test_nesting(void) {
    static char bomb[200000];
    memset(bomb, '[', sizeof bomb);
    memcpy(bomb, "{\"a\":", 5);
    Config config;
    Error error = {0};
    const char *path = files_put(test_folder("config"), "config.json", bomb, sizeof bomb);
    EXPECT(!config_open(&config, path, &error), "opened 200,000 brackets");
    EXPECT(strstr(error.message, "maximum parsing depth"), "\"%s\"", error.message);
    config_close(&config);
}

int main(void) {
    TEST(test_values);
    TEST(test_lists);
    TEST(test_wrong_values);
    TEST(test_wrong_files);
    TEST(test_nesting);
    return test_summary();
}
