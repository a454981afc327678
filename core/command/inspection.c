// inspection.c - see inspection.h
//
// Read next: run/family.c, which knows the families; run/cost.c, which plans the picture; speed.c, which turns the plan
// into seconds.

#include "command/inspection.h"

#include "command/commands.h"
#include "io/memory.h"
#include "run/run.h"

#include <omp.h>
#include <stdlib.h>

enum { USUAL_SIDE = 512 };

static InspectedStage stage_of(const char *key, const char *title, const char *class_name, size_t parameters,
                               size_t weight_bytes, const size_t *stored) {
    InspectedStage stage = {key, title, class_name, parameters, weight_bytes, stored, .stored_bytes = 0};
    for (int type = 0; type < FLOAT_TYPES; type++) stage.stored_bytes += stored[type] * dtype_size((DType)type);
    return stage;
}

static void inspect_stages(Inspection *i) {
    const TextEncoder *text = i->model->text_encoder;
    const UNet *unet = i->model->unet;
    const Vae *vae = i->model->vae;
    i->stages[0] = stage_of("text_encoder", "text encoder", "CLIPTextModel", text_encoder_parameters(text),
                            text_encoder_weight_bytes(text), text_encoder_stored(text));
    i->stages[1] = stage_of("unet", "U-Net", "UNet2DConditionModel", unet_parameters(unet), unet_weight_bytes(unet),
                            unet_stored(unet));
    i->stages[2] = stage_of("vae", "VAE", vae_config(vae)->has_posterior ? "AutoencoderKL" : "AutoencoderTiny",
                            vae_parameters(vae), vae_weight_bytes(vae), vae_stored(vae));
}

// Plans a picture of these settings, tries out the ops at its size, and does the sums.
static bool inspect_picture(Inspection *i, Settings settings, Error *error) {
    InspectedPicture *picture = &i->pictures[i->picture_count];
    const Options *o = i->options;
    RunCost *cost = &picture->cost;
    uint8_t pixel[3] = {0};
    Image any = {.width = 1, .height = 1, .pixels = pixel};
    Speed speed;
    if (model_inpaints(i->model)) {  // such a U-Net paints into something only
        settings.init = settings.mask = &any;
        settings.strength = DEFAULT_INPAINT_STRENGTH;
    }
    if (!run_cost(i->model, &settings, cost, error)) return false;
    if (!speed_measure(&speed, i->model, &settings, error)) return false;

    double encodes = (double)cost->encodes;
    picture->flops = (double)cost->text.flops + encodes * (double)cost->encode.flops + (double)cost->steps.flops +
                     (double)cost->decode.flops;
    picture->seconds = speed_seconds(&speed, &cost->text) + encodes * speed_seconds(&speed, &cost->encode) +
                       speed_seconds(&speed, &cost->steps) + speed_seconds(&speed, &cost->decode);
    picture->watt_hours = picture->seconds * (double)o->watts / 3600;
    picture->price = picture->watt_hours / 1000 * (double)o->price;
    picture->pictures_for_1000 = 1000 / picture->price;
    settings.init = settings.mask = NULL;
    picture->settings = settings;
    i->picture_count++;
    return true;
}

// One of the size that the model is at home at, and one of the size that was asked for.
static bool inspect_pictures(Inspection *i, Error *error) {
    Settings own = settings_default(i->model), asked = settings_asked(i->model, i->options);
    if (!i->options->width && !i->options->height) asked.width = asked.height = USUAL_SIDE;
    if (asked.width != own.width || asked.height != own.height) {
        Settings home = asked;
        home.width = own.width;
        home.height = own.height;
        if (!inspect_picture(i, home, error)) return false;
    }
    return inspect_picture(i, asked, error);
}

bool inspection_open(Inspection *inspection, const Options *options, Error *error) {
    Inspection *i = inspection;
    *i = (Inspection){.options = options, .threads = options->threads};
    if (options->threads) omp_set_num_threads(options->threads);  // for loading; trying out has its own
    if (!options->threads) i->threads = omp_get_max_threads();
    ModelOptions opening = model_options_asked(options);
    opening.only_looked_at = true;
    i->model = model_open_with(options->text, &opening, error);
    if (!i->model) return false;
    i->scheduler = model_scheduler(i->model->path, i->model->single_file, NULL, NULL, 0, error);
    if (!i->scheduler) return false;
    i->family = family_of(unet_config(i->model->unet), i->scheduler);
    i->memory_free = memory_available("");
    inspect_stages(i);
    return inspect_pictures(i, error);
}

void inspection_close(Inspection *inspection) {
    scheduler_free(inspection->scheduler);
    model_close(inspection->model);
}
