// family.c - see family.h

#include "parity/family.h"

#include "base/check.h"
#include "io/file.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The same as FAMILIES in make_golden_families.py
static const struct {
    const char *name, *base;
    const char *unet, *vae;  // in tests/golden/stages
    const char *scheduler;   // in tests/golden/families
} FAMILIES[] = {
    {"lcm", "sd1", "unet_lcm", NULL, "lcm"},         {"lcm_tiny", "sd1", "unet_lcm", "vae_tiny", "lcm"},
    {"distilled", "sd1", "unet_no_mid", NULL, NULL}, {"turbo", "sd2", NULL, NULL, "turbo"},
    {"tiny", "sd1", NULL, "vae_tiny", NULL},         {"inpaint", "sd1", "unet_inpaint", NULL, NULL},
};
enum { FAMILY_COUNT = sizeof FAMILIES / sizeof *FAMILIES };

// folder/part becomes tests/golden/from
static void link_part(const char *folder, const char *part, const char *from) {
    char *source = path_join("tests/golden", from), *target = realpath(source, NULL), *to = path_join(folder, part);
    CHECK(target && symlink(target, to) == 0, "can't link %s", to);
    free(to);
    free(target);
    free(source);
}

// Each part from where it is another than the base model's
const char *family_folder(const char *name) {
    static const char *const PARTS[] = {"model_index.json", "tokenizer", "text_encoder", "unet", "vae", "scheduler"};
    size_t f = 0;
    while (f < FAMILY_COUNT && strcmp(FAMILIES[f].name, name) != 0) f++;
    CHECK(f < FAMILY_COUNT, "no family %s", name);
    char scratch[64], from[96];
    snprintf(scratch, sizeof scratch, "family_%s", name);
    const char *folder = test_folder(scratch);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const char *part = PARTS[i], *other = NULL, *where = "stages";
        if (strcmp(part, "unet") == 0) other = FAMILIES[f].unet;
        if (strcmp(part, "vae") == 0) other = FAMILIES[f].vae;
        if (strcmp(part, "scheduler") == 0) other = FAMILIES[f].scheduler, where = "families";
        if (other)
            snprintf(from, sizeof from, "%s/%s", where, other);
        else
            snprintf(from, sizeof from, "runs/%s/%s", FAMILIES[f].base, part);
        link_part(folder, part, from);
    }
    return folder;
}
