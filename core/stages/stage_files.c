// stage_files.c - see stage_files.h

#include "stages/stage_files.h"

#include "base/check.h"
#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool stage_config_open(const StageFiles *files, const char *part, Config *config, Error *error) {
    char *path;
    bool ok;
    if (files->folder) {
        path = path_join(files->folder, "config.json");
        ok = config_open(config, path, error);
    } else if (files->random_config) {
        CHECK(asprintf(&path, "random weights (%s)", part) >= 0, "out of memory");
        ok = config_open_text(config, path, files->random_config, error);
    } else {
        CHECK(asprintf(&path, "%s (%s)", single_file_path(files->single_file), part) >= 0, "out of memory");
        ok = config_open_text(config, path, single_file_config(files->single_file, part), error);
    }
    free(path);
    return ok;
}

bool stage_weights_open(const StageFiles *files, const char *part, Weights *weights, Error *error) {
    bool transformers = strcmp(part, "text_encoder") == 0;  // whose files are called otherwise than diffusers'
    if (files->random_config)
        weights_open_random(weights, error);
    else if (!files->folder)
        single_file_weights(files->single_file, part, weights, error);
    else if (!weights_open_folder(weights, files->folder, transformers ? "model" : "diffusion_pytorch_model", error))
        return false;
    weights->matrix_type = files->matrix_type;
    weights->loras = files->loras;
    weights->stage = part;
    return true;
}
