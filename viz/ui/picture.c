// picture.c - pictures and maps
//
// SDL's software renderer copies a texture of the right size fast and scales slowly, so a picture is scaled here, once
// for each size that it is drawn at, and kept.

#include "ui/inside.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

Picture picture_of(Image image) {
    static atomic_uint_least64_t last;  // pictures are made on several threads
    return (Picture){image, image.pixels ? atomic_fetch_add(&last, 1) + 1 : 0};
}

void picture_free(Picture *picture) {
    image_free(&picture->image);
    picture->id = 0;
}

// ---- another size ---------------------------------------------------------------------------------------------------

// Enlarged by the pixel that lies under the middle of each new one.
static void enlarge_sharp(Image out, const Image *in, Rect part) {
    for (size_t y = 0; y < out.height; y++) {
        float v = part.y + ((float)y + 0.5f) * part.h / (float)out.height;
        const uint8_t *row = in->pixels + (size_t)fminf(fmaxf(v, 0), (float)(in->height - 1)) * in->width * 3;
        uint8_t *to = out.pixels + y * out.width * 3;
        for (size_t x = 0; x < out.width; x++, to += 3) {
            float u = part.x + ((float)x + 0.5f) * part.w / (float)out.width;
            memcpy(to, row + (size_t)fminf(fmaxf(u, 0), (float)(in->width - 1)) * 3, 3);
        }
    }
}

// Where between two neighbours a new pixel's middle lies, of n in a row: 8 bits of the way from `at` to the next.
typedef struct Between {
    size_t at, next;
    int way;
} Between;

static Between between(float middle, size_t n) {
    float from_first = fminf(fmaxf(middle - 0.5f, 0), (float)(n - 1));
    size_t at = (size_t)from_first;
    return (Between){at, at + 1 < n ? at + 1 : at, (int)((from_first - (float)at) * 256)};
}

// Enlarged by straight lines between the pixels' middles: nothing appears that is not between its neighbours (as it
// would with Lanczos's kernel), so a map can still be read.
static void enlarge_smooth(Image out, const Image *in, Rect part) {
    for (size_t y = 0; y < out.height; y++) {
        Between v = between(part.y + ((float)y + 0.5f) * part.h / (float)out.height, in->height);
        const uint8_t *upper = in->pixels + v.at * in->width * 3, *lower = in->pixels + v.next * in->width * 3;
        uint8_t *to = out.pixels + y * out.width * 3;
        for (size_t x = 0; x < out.width; x++, to += 3) {
            Between u = between(part.x + ((float)x + 0.5f) * part.w / (float)out.width, in->width);
            for (size_t c = 0; c < 3; c++) {
                int above = upper[u.at * 3 + c] * (256 - u.way) + upper[u.next * 3 + c] * u.way;
                int below = lower[u.at * 3 + c] * (256 - u.way) + lower[u.next * 3 + c] * u.way;
                to[c] = (uint8_t)((above * (256 - v.way) + below * v.way + (1 << 15)) >> 16);
            }
        }
    }
}

// Made smaller, every pixel counts: the part, to whole pixels, by image_resize.
static Image shrink(const Image *in, Rect part, size_t width, size_t height) {
    size_t left = (size_t)fminf(fmaxf(roundf(part.x), 0), (float)(in->width - 1));
    size_t top = (size_t)fminf(fmaxf(roundf(part.y), 0), (float)(in->height - 1));
    size_t right = (size_t)fminf(fmaxf(roundf(part.x + part.w), (float)(left + 1)), (float)in->width);
    size_t bottom = (size_t)fminf(fmaxf(roundf(part.y + part.h), (float)(top + 1)), (float)in->height);
    if (left == 0 && top == 0 && right == in->width && bottom == in->height) return image_resize(in, width, height);

    Image cut = image_new(right - left, bottom - top);
    if (!cut.pixels) return cut;
    for (size_t y = 0; y < cut.height; y++)
        memcpy(cut.pixels + y * cut.width * 3, in->pixels + ((top + y) * in->width + left) * 3, cut.width * 3);
    Image out = image_resize(&cut, width, height);
    image_free(&cut);
    return out;
}

static Image scaled(const Image *in, Rect part, size_t width, size_t height, PixelLook look) {
    if ((float)width < part.w || (float)height < part.h) return shrink(in, part, width, height);
    Image out = image_new(width, height);
    if (!out.pixels) return out;
    if (look == PIXELS_SHARP)
        enlarge_sharp(out, in, part);
    else
        enlarge_smooth(out, in, part);
    return out;
}

// ---- drawing --------------------------------------------------------------------------------------------------------

static SDL_Texture *texture_of(Ui *ui, const Image *image) {
    int width = (int)image->width, height = (int)image->height;
    SDL_Texture *texture =
        SDL_CreateTexture(ui->renderer, SDL_PIXELFORMAT_ARGB8888, SDL_TEXTUREACCESS_STATIC, width, height);
    uint32_t *pixels = malloc(image->width * image->height * sizeof *pixels);
    if (texture && pixels) {
        for (size_t i = 0; i < image->width * image->height; i++) {
            const uint8_t *rgb = image->pixels + 3 * i;
            pixels[i] = 0xff000000u | (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
        }
        SDL_UpdateTexture(texture, NULL, pixels, width * (int)sizeof *pixels);
        SDL_SetTextureBlendMode(texture, SDL_BLENDMODE_NONE);
    }
    free(pixels);
    return texture;
}

// The part of the picture at this size, made if it isn't kept. NULL: there is no memory for it.
static SDL_Texture *scaled_texture(Ui *ui, const Picture *picture, Rect part, int width, int height, PixelLook look) {
    struct {
        char kind[8];
        uint64_t id;
        Rect part;
        int width, height;
        PixelLook look;
        int padding;
    } key = {"picture", picture->id, part, width, height, look, 0};
    const CachedTexture *known = texture_cache_find(ui->textures, &key, sizeof key);
    if (known) return known->texture;

    Image image = scaled(&picture->image, part, (size_t)width, (size_t)height, look);
    if (!image.pixels) return NULL;
    SDL_Texture *texture = texture_of(ui, &image);
    image_free(&image);
    if (!texture) return NULL;
    known = texture_cache_add(ui->textures, &key, sizeof key, (CachedTexture){texture, width, height});
    return known ? known->texture : NULL;
}

static void draw_part(Ui *ui, Rect rect, const Picture *picture, Rect part, PixelLook look, float opacity) {
    SDL_Rect at = rect_pixels(ui, rect);
    bool sizes = at.w > 0 && at.h > 0 && at.w <= LARGEST_SIDE && at.h <= LARGEST_SIDE && part.w > 0 && part.h > 0;
    if (picture->id == 0 || !sizes || !draw_reaches(ui, at)) return;
    SDL_Texture *texture = scaled_texture(ui, picture, part, at.w, at.h, look);
    if (!texture) return;
    Uint8 alpha = color_fade((Color){.a = 255}, opacity).a;
    SDL_SetTextureBlendMode(texture, alpha < 255 ? SDL_BLENDMODE_BLEND : SDL_BLENDMODE_NONE);
    SDL_SetTextureAlphaMod(texture, alpha);
    SDL_RenderCopy(ui->renderer, texture, NULL, &at);
}

Rect picture_fit(const Picture *picture, Rect rect) {
    float width = (float)picture->image.width, height = (float)picture->image.height;
    if (picture->id == 0) return (Rect){rect.x + rect.w / 2, rect.y + rect.h / 2, 0, 0};
    float times = fminf(rect.w / width, rect.h / height);
    width *= times, height *= times;
    return (Rect){rect.x + (rect.w - width) / 2, rect.y + (rect.h - height) / 2, width, height};
}

static Rect whole(const Picture *picture) {
    return (Rect){0, 0, (float)picture->image.width, (float)picture->image.height};
}

Rect draw_picture(Ui *ui, Rect rect, const Picture *picture, PixelLook look) {
    Rect at = picture_fit(picture, rect);
    draw_part(ui, at, picture, whole(picture), look, 1);
    return at;
}

void draw_picture_part(Ui *ui, Rect rect, const Picture *picture, Rect part, PixelLook look) {
    draw_part(ui, rect, picture, part, look, 1);
}

void draw_picture_faded(Ui *ui, Rect rect, const Picture *picture, PixelLook look, float opacity) {
    draw_part(ui, picture_fit(picture, rect), picture, whole(picture), look, opacity);
}

// ---- maps -----------------------------------------------------------------------------------------------------------

static void put_color(Image image, size_t i, Color color) {
    image.pixels[3 * i] = color.r;
    image.pixels[3 * i + 1] = color.g;
    image.pixels[3 * i + 2] = color.b;
}

Picture map_picture(const float *map, size_t height, size_t width, float low, float high) {
    Image image = image_new(width, height);
    for (size_t i = 0; image.pixels && i < width * height; i++)
        put_color(image, i, map_color(high > low ? (map[i] - low) / (high - low) : NAN));
    return picture_of(image);
}

Picture difference_picture(const Theme *theme, const float *map, size_t height, size_t width, float range) {
    Image image = image_new(width, height);
    for (size_t i = 0; image.pixels && i < width * height; i++)
        put_color(image, i, difference_color(theme, range > 0 ? map[i] / range : NAN));
    return picture_of(image);
}
