// animation.c - see animation.h
//
// Elsewhere: img2webp, which comes with libwebp. Container: developers.google.com/speed/webp/docs/riff_container.

#include "export/animation.h"

#include "io/file.h"

#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <webp/mux.h>

static bool add_frame(WebPAnimEncoder *encoder, const Image *image, int at) {
    WebPConfig config;
    WebPPicture picture;
    if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, 6) || !WebPPictureInit(&picture)) return false;
    picture.use_argb = 1;
    picture.width = (int)image->width;
    picture.height = (int)image->height;
    bool ok = WebPPictureImportRGB(&picture, image->pixels, picture.width * 3) &&
              WebPAnimEncoderAdd(encoder, &picture, at, &config);
    WebPPictureFree(&picture);
    return ok;
}

// All frames into data, to be freed with WebPDataClear
static bool encode(WebPData *data, const AnimationFrame *frames, size_t count, const char *path, Error *error) {
    WebPAnimEncoderOptions options;
    WebPAnimEncoder *encoder = NULL;
    if (WebPAnimEncoderOptionsInit(&options))
        encoder = WebPAnimEncoderNew((int)frames[0].image->width, (int)frames[0].image->height, &options);
    if (!encoder) return error_set(error, "%s: no memory for an animation; close other programs", path);
    int at = 0;  // milliseconds
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = add_frame(encoder, frames[i].image, at);
        at += frames[i].milliseconds;
    }
    ok = ok && WebPAnimEncoderAdd(encoder, NULL, at, NULL) && WebPAnimEncoderAssemble(encoder, data);
    if (!ok)
        error_set(error, "%s: can't be encoded: %s; make the picture smaller", path, WebPAnimEncoderGetError(encoder));
    WebPAnimEncoderDelete(encoder);
    return ok;
}

static bool add_settings(WebPData *data, const Metadata *metadata, size_t count) {
    char *packet = xmp_packet(metadata, count);
    if (!packet) return false;
    WebPMux *mux = WebPMuxCreate(data, 1);
    WebPData chunk = {(const uint8_t *)packet, strlen(packet)}, whole = {0};
    bool ok =
        mux && WebPMuxSetChunk(mux, "XMP ", &chunk, 1) == WEBP_MUX_OK && WebPMuxAssemble(mux, &whole) == WEBP_MUX_OK;
    WebPMuxDelete(mux);
    free(packet);
    if (!ok) return false;
    WebPDataClear(data);
    *data = whole;
    return true;
}

bool animation_write(const char *path, const AnimationFrame *frames, size_t count, const Metadata *metadata,
                     size_t metadata_count, Error *error) {
    WebPData data = {0};
    OutputFile file;
    bool ok = encode(&data, frames, count, path, error);
    if (ok && !add_settings(&data, metadata, metadata_count))
        ok = error_set(error, "%s: no memory for its settings; close other programs", path);
    ok = ok && file_create(&file, path, error);
    if (ok) {
        fwrite(data.bytes, 1, data.size, file.stream);
        ok = file_commit(&file, error);
    }
    WebPDataClear(&data);
    return ok;
}
