// fuzz_lora.c - LoRA files that lie: names, shapes, alphas and settings. What opens is added to layers, or refused.

#include "fuzz/fuzz.h"
#include "io/lora.h"

#include <stdlib.h>
#include <string.h>

typedef struct Asked {
    const char *stage, *name;
    Shape shape;
} Asked;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const Asked ASKED[] = {
        {"unet", "conv_in.weight", {4, {2, 3, 3, 3}}},
        {"unet", "mid_block.attentions.0.proj_in.weight", {2, {2, 3, 1, 1}}},
        {"unet", "a.attn1.to_out.0.weight", {2, {2, 3, 1, 1}}},
        {"text_encoder", "text_model.encoder.layers.0.mlp.fc1.weight", {2, {2, 3, 1, 1}}},
    };
    FuzzFile memory = fuzz_file_open(data, size);
    const LoraFile files[] = {{memory.path, 0.5f}, {memory.path, -2}};
    Error error = {0};
    Loras *loras = loras_open(files, 2, &error);
    if (!loras == !error.message[0]) abort();  // an error or a file, never both or neither
    for (size_t i = 0; loras && i < sizeof ASKED / sizeof ASKED[0]; i++) {
        float numbers[2 * 3 * 3 * 3] = {0};
        const Asked *asked = &ASKED[i];
        error = (Error){0};
        bool changes = loras_change(loras, asked->stage, asked->name);
        bool added = loras_add(loras, asked->stage, asked->name, asked->shape, numbers, &error);
        if (added != !error.message[0] || (!changes && (!added || numbers[0] != 0))) abort();
    }
    error = (Error){0};
    if (loras && loras_all_used(loras, &error) != !error.message[0]) abort();
    loras_close(loras);
    fuzz_file_close(&memory);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity) {
    static const struct {
        const char *header;
        size_t data_bytes;
    } SEEDS[] = {
        {"{\"__metadata__\":{\"lora_adapter_metadata\":\"{\\\"unet.r\\\":2,\\\"unet.lora_alpha\\\":4,"
         "\\\"unet.alpha_pattern\\\":{\\\"(conv|to)_in\\\":1},\\\"unet.use_rslora\\\":true}\"},"
         "\"unet.conv_in.lora_A.weight\":{\"dtype\":\"F16\",\"shape\":[2,3,3,3],\"data_offsets\":[0,108]},"
         "\"unet.conv_in.lora_B.weight\":{\"dtype\":\"F16\",\"shape\":[2,2,1,1],\"data_offsets\":[108,116]},"
         "\"unet.a.attn1.processor.to_out_lora.down.weight\":{\"dtype\":\"BF16\",\"shape\":[2,3],"
         "\"data_offsets\":[116,128]},"
         "\"unet.a.attn1.processor.to_out_lora.up.weight\":{\"dtype\":\"BF16\",\"shape\":[2,2],"
         "\"data_offsets\":[128,136]}}",
         136},
        {"{\"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight\":{\"dtype\":\"F16\",\"shape\":[1,3,1,1],"
         "\"data_offsets\":[0,6]},"
         "\"lora_unet_mid_block_attentions_0_proj_in.lora_up.weight\":{\"dtype\":\"F16\",\"shape\":[2,1,1,1],"
         "\"data_offsets\":[6,10]},"
         "\"lora_unet_mid_block_attentions_0_proj_in.alpha\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[10,12]},"
         "\"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight\":{\"dtype\":\"F16\",\"shape\":[1,3],"
         "\"data_offsets\":[12,18]},"
         "\"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight\":{\"dtype\":\"F16\",\"shape\":[2,1],"
         "\"data_offsets\":[18,22]}}",
         22},
    };
    if (index >= sizeof SEEDS / sizeof SEEDS[0]) return 0;
    size_t size = fuzz_safetensors(SEEDS[index].header, SEEDS[index].data_bytes, out, capacity);
    // no infinities among halves
    for (size_t i = size - SEEDS[index].data_bytes; i < size; i++) out[i] = (uint8_t)(i % 60);
    return size;
}
