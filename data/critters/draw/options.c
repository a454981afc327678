// options.c - the command line and --spec
//
// Where: first thing that main.c calls. Read next: main.c.

#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "critters-draw - draws the small world that the critters model learns: animals, what they wear, hands, places\n"
    "\n"
    "A data set: pictures.rgb (N x 128 x 128 x 3 bytes) and captions.jsonl (a line a picture), in DIR, which must "
    "exist\n"
    "  critters-draw --split train --first 0 --count 40000 --captions 4 --out DIR\n"
    "A picture, and what was said of it\n"
    "  critters-draw --png hippo.png --seed 7 --spec \"species=pygmy hippo,eyewear=sunglasses,scene=beach\"\n"
    "Many on one sheet\n"
    "  critters-draw --sheet sheet.png --columns 8 --count 64 --spec \"scene=night\"\n"
    "\n"
    "      --split train|held|all   which drawings may come; held ones never train, and only\n"
    "                               train has its weaknesses               [train; all with --png, --sheet]\n"
    "      --kind one|two|hand      one animal, two, or a hand                             [any]\n"
    "      --first N, --seed N      drawing i comes from seed N + i, the same everywhere   [0]\n"
    "      --count N                how many                                               [16]\n"
    "      --captions K             how many sentences a drawing                           [4]\n"
    "      --full                   sentences say everything that there is to say\n"
    "      --spec \"k=v,k=v\"         set attributes, the rest is sampled: species color eyewear headwear "
    "headwear_color\n"
    "                               neckwear mood, the same with a 2 behind for the right animal, scene, fingers\n"
    "      --masks DIR              with --png: a grayscale PNG for each thing that is seen, nothing in two of them:\n"
    "                               scene, 0.species, 0.eyewear, 0.headwear, 0.neckwear (1. ...), hand, finger.1 ...\n"
    "      --json                   with --png: print the line of captions.jsonl instead of the sentences\n"
    "\n"
    "species   pygmy hippo, cat, dog, bear, rabbit, pig, frog, fox, owl, penguin, lion, mouse\n"
    "color     red orange green blue purple pink brown grey white black (a crown is gold)\n"
    "eyewear   none, sunglasses, round glasses, eye patch        headwear  none, top hat, crown, party hat, beanie, "
    "flower\n"
    "neckwear  none, bow tie, scarf                              mood      happy sad surprised\n"
    "scene     beach night forest snow desert city space plain   fingers   1..10\n";

void complain(const char *what, const char *why, const char *todo) {
    fprintf(stderr, "critters-draw: %s: %s; %s\n", what, why, todo);
    exit(2);
}

static long long number_read(const char *what, const char *text, long long low, long long high) {
    char *end, why[120];
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end != text && *end == 0 && errno == 0 && n >= low && n <= high) return n;
    snprintf(why, sizeof why, "'%.40s' isn't a whole number from %lld to %lld", text, low, high);
    complain(what, why, "give one");
    return 0;
}

static int name_read(const char *what, const char *text, const char *const *names, int count) {
    char why[80], todo[200] = "choose from:";
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], text) == 0) return i;
        size_t used = strlen(todo);
        snprintf(todo + used, sizeof todo - used, "%s %s", i ? "," : "", names[i]);
    }
    snprintf(why, sizeof why, "there is no '%.40s'", text);
    complain(what, why, todo);
    return 0;
}

// ---- --spec ------------------------------------------------------------------------------------------------------

// One "key=value". A key with a 2 behind means the animal on the right.
static void spec_set(Drawing *d, char *key, const char *value) {
    size_t length = strlen(key);
    bool second = length > 1 && key[length - 1] == '2';
    if (second) key[length - 1] = 0;
    Animal *a = &d->animal[second];
    if (strcmp(key, "species") == 0)
        a->species =
            (Species)name_read("species", strcmp(value, "hippo") ? value : "pygmy hippo", SPECIES_NAME, SPECIES);
    else if (strcmp(key, "eyewear") == 0)
        a->eyewear = (Eyewear)name_read("eyewear", value, EYEWEAR_NAME, EYEWEAR);
    else if (strcmp(key, "neckwear") == 0)
        a->neckwear = (Neckwear)name_read("neckwear", value, NECKWEAR_NAME, NECKWEAR);
    else if (strcmp(key, "mood") == 0)
        a->mood = (Mood)name_read("mood", value, MOOD_NAME, MOODS);
    else if (strcmp(key, "headwear") == 0) {
        Headwear before = a->headwear;
        a->headwear = (Headwear)name_read("headwear", value, HEADWEAR_NAME, HEADWEAR);
        if (a->headwear == CROWN)
            a->headwear_color = GOLD;
        else if (before == CROWN || before == HEAD_BARE)
            a->headwear_color = (ColorName[]){RED, GREEN, BLUE, PURPLE}[d->seed % 4];
    } else if (strcmp(key, "headwear_color") == 0) {
        a->headwear_color = (ColorName)name_read("headwear_color", value, COLOR_NAME, COLORS_AND_GOLD);
        if ((a->headwear_color == GOLD) != (a->headwear == CROWN) && a->headwear)
            complain("--spec", "a crown is gold, and nothing else is", "leave headwear_color out");
    } else if (strcmp(key, "color") == 0) {
        ColorName color = (ColorName)name_read("color", value, COLOR_NAME, COLORS);
        if (d->kind == HAND)
            d->hand_color = color;
        else
            a->color = color;
    } else if (strcmp(key, "scene") == 0 && !second)
        d->scene = (Scene)name_read("scene", value, SCENE_NAME, SCENES);
    else if (strcmp(key, "fingers") == 0 && !second)
        d->fingers = (int)number_read("fingers", value, 1, 10);
    else
        complain("--spec", "no such attribute", "see --help for the list");
}

Kind spec_kind(const char *spec, Kind otherwise) {
    if (otherwise != KINDS || !spec) return otherwise;
    if (strstr(spec, "fingers=")) return HAND;
    if (strstr(spec, "2=")) return TWO;
    return strstr(spec, "species=") || strstr(spec, "wear=") || strstr(spec, "mood=") ? ONE : KINDS;
}

void spec_apply(const char *spec, Drawing *d) {
    char copy[512], *rest = copy, *pair;
    if (strlen(spec) >= sizeof copy) complain("--spec", "longer than 511 characters", "say less");
    strcpy(copy, spec);
    while ((pair = strsep(&rest, ",")) != NULL) {
        while (*pair == ' ') pair++;
        char *equals = strchr(pair, '=');
        if (!equals) complain("--spec", "an attribute has no value", "write key=value,key=value");
        *equals = 0;
        spec_set(d, pair, equals + 1);
    }
    d->repeated = false;
}

// ---- the options -------------------------------------------------------------------------------------------------

Options options_read(int argc, char **argv) {
    Options o = {.split = SPLITS, .kind = KINDS, .count = 16, .captions = 4, .columns = 8};
    if (argc < 2) complain("nothing to do", "no --out, --png or --sheet", "see --help");
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) fputs(HELP, stdout), exit(0);
        if (strcmp(name, "--full") == 0) {
            o.full = true;
            continue;
        }
        if (strcmp(name, "--json") == 0) {
            o.json = true;
            continue;
        }
        const char *value = i + 1 < argc ? argv[++i] : NULL;
        if (!value) complain(name, "it is unknown, or its value is missing", "see --help");
        if (strcmp(name, "--split") == 0)
            o.split = (Split)name_read(name, value, SPLIT_NAME, SPLITS);
        else if (strcmp(name, "--kind") == 0)
            o.kind = (Kind)name_read(name, value, KIND_NAME, KINDS);
        else if (strcmp(name, "--first") == 0 || strcmp(name, "--seed") == 0)
            o.first = (uint64_t)number_read(name, value, 0, 1LL << 60);
        else if (strcmp(name, "--count") == 0)
            o.count = (long)number_read(name, value, 1, 10000000);
        else if (strcmp(name, "--captions") == 0)
            o.captions = (long)number_read(name, value, 1, 1000);
        else if (strcmp(name, "--columns") == 0)
            o.columns = (long)number_read(name, value, 1, 100);
        else if (strcmp(name, "--out") == 0)
            o.out = value;
        else if (strcmp(name, "--png") == 0)
            o.png = value;
        else if (strcmp(name, "--sheet") == 0)
            o.sheet = value;
        else if (strcmp(name, "--masks") == 0)
            o.masks = value;
        else if (strcmp(name, "--spec") == 0)
            o.spec = value;
        else
            complain(name, "there is no such option", "see --help");
    }
    if (!o.out + !o.png + !o.sheet != 2)
        complain("what to draw", "exactly one of --out, --png and --sheet is needed", "see --help");
    if (o.masks && !o.png) complain("--masks", "masks belong to one picture", "use it with --png");
    if (o.spec && o.out)
        complain("--spec", "a data set is sampled, or its split would mean nothing", "use it with --png or --sheet");
    if (o.split == SPLITS) o.split = o.out ? TRAIN : ALL;
    if (o.sheet && o.count > 4096) complain("--count", "a sheet holds 4096 drawings at most", "give a smaller number");
    return o;
}
