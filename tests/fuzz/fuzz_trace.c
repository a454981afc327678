// fuzz_trace.c - traces that lie: names, shapes, types. What opens holds all that it says.

#include "fuzz/fuzz.h"
#include "run/trace.h"

#include <stdlib.h>
#include <string.h>

// Every number of it
static void read_all(const float *numbers, size_t n) {
    double sum = 0;
    for (size_t i = 0; numbers && i < n; i++) sum += numbers[i];
    if (sum == 1e300) abort();
}

static void look_at(const Trace *trace) {
    size_t n = trace->channels * trace->height * trace->width, tokens = trace->rows * trace->length;
    int64_t sum = 0;
    for (size_t i = 0; i < tokens; i++) sum ^= trace->input_ids[i];
    if (sum == 12345678901) abort();
    read_all(trace->text_embeddings, tokens * trace->text_width);
    read_all(trace->image, 3 * trace->image_height * trace->image_width);
    for (size_t i = 0; i < trace->text_attention.count; i++) {
        const TextLayerMaps *l = &trace->text_attention.layers[i];
        read_all(l->maps, l->heads * l->length * l->length);
    }
    for (size_t k = 0; k < trace->step_count; k++) {
        const TraceStep *step = &trace->steps[k];
        if (!step->latents || !step->noise_pred || !step->pred_original_sample || !step->prev_sample) abort();
        if (!step->noise_pred_text != !step->noise_pred_uncond) abort();
        const float *tensors[] = {step->latents,    step->noise_pred_uncond,    step->noise_pred_text,
                                  step->noise_pred, step->pred_original_sample, step->prev_sample};
        for (size_t i = 0; i < 6; i++) read_all(tensors[i], n);
        float map[2 * 3];
        for (size_t i = 0; i < step->attention.count; i++) {
            if (!attention_mean(&step->attention, i, ATTENTION_ALL, trace->length - 1, 2, 3, map)) abort();
            read_all(map, 2 * 3);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzFile memory = fuzz_file_open(data, size);
    Error error = {0};
    Trace *trace = trace_open(memory.path, &error);
    if (!trace == !error.message[0]) abort();  // an error or a trace, never both or neither
    if (trace) {
        look_at(trace);
        const char *prompt = trace_metadata(trace, "prompt");
        if (prompt && strlen(prompt) > size) abort();
    }
    trace_free(trace);
    fuzz_file_close(&memory);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const struct {
        const char *header;
        size_t data_bytes;
    } SEEDS[] = {
        {"{\"__metadata__\":{\"prompt\":\"a cat\"},"
         "\"input_ids\":{\"dtype\":\"I64\",\"shape\":[1,2],\"data_offsets\":[0,16]},"
         "\"text_embeddings\":{\"dtype\":\"F32\",\"shape\":[1,2,1],\"data_offsets\":[16,24]},"
         "\"text_attention.layers.0\":{\"dtype\":\"F32\",\"shape\":[1,2,2],\"data_offsets\":[24,40]},"
         "\"latents.0\":{\"dtype\":\"F32\",\"shape\":[1,1,2],\"data_offsets\":[40,48]},"
         "\"noise_pred.0\":{\"dtype\":\"F32\",\"shape\":[1,1,2],\"data_offsets\":[48,56]},"
         "\"pred_original_sample.0\":{\"dtype\":\"F32\",\"shape\":[1,1,2],\"data_offsets\":[56,64]},"
         "\"attention.0.mid_block\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[64,80]},"
         "\"timesteps\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[80,84]},"
         "\"latents.1\":{\"dtype\":\"F32\",\"shape\":[1,1,2],\"data_offsets\":[84,92]},"
         "\"image\":{\"dtype\":\"F32\",\"shape\":[3,1,1],\"data_offsets\":[92,104]}}",
         104},
        {"{\"input_ids\":{\"dtype\":\"I64\",\"shape\":[2,1],\"data_offsets\":[0,16]},"
         "\"text_embeddings\":{\"dtype\":\"F32\",\"shape\":[2,1,1],\"data_offsets\":[16,24]},"
         "\"latents.0\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[24,28]},"
         "\"noise_pred_uncond.0\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[28,32]},"
         "\"noise_pred_text.0\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[32,36]},"
         "\"noise_pred.0\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[36,40]},"
         "\"pred_original_sample.0\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[40,44]},"
         "\"attention.0.up_blocks.0\":{\"dtype\":\"F32\",\"shape\":[2,1,1,2],\"data_offsets\":[44,60]},"
         "\"timesteps\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[60,64]},"
         "\"latents.1\":{\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[64,68]}}",
         68},
    };
    if (index >= sizeof SEEDS / sizeof SEEDS[0]) return 0;
    return fuzz_safetensors(SEEDS[index].header, SEEDS[index].data_bytes, out, capacity);
}
