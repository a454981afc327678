// png.c - see png.h
//
// Where: --init comes in here; sculpt.png, --steps-dir and the viewer's pictures go out. Elsewhere: PIL.Image.
//
// libpng reports an error by longjmp to the last setjmp, and what a function keeps in its own variables may be stale
// after the jump. So each job here is two functions: the outer one owns a PngJob and frees what is in it, the inner one
// holds the setjmp and keeps everything that must survive in the PngJob.

#include "io/png.h"

#include "base/check.h"
#include "io/file.h"

#include <errno.h>
#include <inttypes.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_CHUNK = 8 << 20, MOST_CHUNKS = 256 };

typedef struct PngJob {
    png_structp png;
    png_infop info;
    FILE *stream;  // when reading
    char why[200];
    uint8_t *pixels;  // [height, width, 4] when reading, the caller's [height, width, 3] when writing
    png_bytep *rows;
    png_textp text;
} PngJob;

_Noreturn static void on_error(png_structp png, png_const_charp message) {
    PngJob *job = png_get_error_ptr(png);
    snprintf(job->why, sizeof job->why, "%s", message);
    png_longjmp(png, 1);
}

// Warnings are about ancillary chunks (colour profiles, times) that don't matter here.
static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

// ---- in -------------------------------------------------------------------------------------------------------------

// Every chunk up to IEND lies within the file. libpng takes memory for a text chunk by the length that stands before
// it, and fills that with zeros: 800 MB for 100 bytes of file, were it not asked here.
static bool check_chunks(FILE *stream, const char *path, Error *error) {
    struct stat status;
    if (fstat(fileno(stream), &status) != 0) {
        return error_set(error, "%s: can't be read: %s; name a PNG file", path, strerror(errno));
    }
    uint64_t size = (uint64_t)status.st_size, at = 8;
    uint8_t header[8];  // length, type
    while (size - at >= 12 && fseeko(stream, (off_t)at, SEEK_SET) == 0 && fread(header, 1, 8, stream) == 8) {
        uint32_t length = png_get_uint_32(header);
        if (length > size - at - 12) {
            return error_set(error,
                             "%s: a chunk of %" PRIu32 " bytes ends beyond the file's %" PRIu64
                             " bytes; the PNG is damaged, save it again",
                             path, length, size);
        }
        if (memcmp(header + 4, "IEND", 4) == 0) {
            fseeko(stream, 8, SEEK_SET);
            return true;
        }
        at += 12 + length;
    }
    return error_set(error, "%s: ends without an IEND chunk; the PNG is damaged, save it again", path);
}

// Opens the file and looks at its frame: the first 8 bytes and where its chunks end.
static bool open_read(PngJob *job, const char *path, Error *error) {
    *job = (PngJob){.stream = file_open(path, error)};
    if (!job->stream) return false;
    uint8_t signature[8];
    size_t got = fread(signature, 1, sizeof signature, job->stream);
    if (ferror(job->stream)) return error_set(error, "%s: can't be read: %s; name a PNG file", path, strerror(errno));
    if (got < 8 || png_sig_cmp(signature, 0, 8) != 0) {
        return error_set(error, "%s: isn't a PNG; convert the picture to PNG", path);
    }
    if (!check_chunks(job->stream, path, error)) return false;
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    job->info = png_create_info_struct(job->png);
    CHECK(job->info, "out of memory");
    png_init_io(job->png, job->stream);
    png_set_sig_bytes(job->png, 8);
    png_set_user_limits(job->png, LARGEST_SIDE, LARGEST_SIDE);
    png_set_chunk_malloc_max(job->png, LARGEST_CHUNK);  // a small zTXt can unpack to gigabytes
    png_set_chunk_cache_max(job->png, MOST_CHUNKS);
    png_set_crc_action(job->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    return true;
}

static void close_read(PngJob *job) {
    png_destroy_read_struct(&job->png, &job->info, NULL);
    if (job->stream) fclose(job->stream);
    free(job->rows);
    free(job->pixels);
}

// Whatever the file holds, the rows that come out are 8-bit red green blue alpha.
static void ask_for_rgba(PngJob *job) {
    png_set_expand(job->png);  // palettes to RGB, 1 to 4 bits to 8, tRNS to alpha
    png_set_scale_16(job->png);
    png_set_gray_to_rgb(job->png);
    png_set_add_alpha(job->png, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
}

// The whole picture into job->pixels and all text chunks, those behind the picture too, into job->info; false with
// job->why set.
static bool read_all(PngJob *job) {
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_read_info(job->png, job->info);
    ask_for_rgba(job);
    size_t width = png_get_image_width(job->png, job->info), height = png_get_image_height(job->png, job->info);
    CHECK(png_get_rowbytes(job->png, job->info) == width * 4, "a row of %zu pixels has %zu bytes", width,
          png_get_rowbytes(job->png, job->info));
    job->pixels = calloc(height, width * 4);
    job->rows = malloc(height * sizeof *job->rows);
    if (!job->pixels || !job->rows) png_error(job->png, "not enough memory for its size");
    for (size_t y = 0; y < height; y++) job->rows[y] = job->pixels + y * width * 4;
    png_read_image(job->png, job->rows);
    png_read_end(job->png, job->info);
    return true;
}

// [n, 4] to [n, 3] in the same memory: each colour laid over white by its alpha.
static void lay_over_white(uint8_t *pixels, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned alpha = pixels[i * 4 + 3];
        for (size_t c = 0; c < 3; c++) {
            pixels[i * 3 + c] = (uint8_t)((pixels[i * 4 + c] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
}

bool png_read(const char *path, Image *image, Error *error) {
    *image = (Image){0};
    PngJob job;
    bool ok = open_read(&job, path, error);
    if (ok) {
        ok = read_all(&job);
        if (!ok) error_set(error, "%s: %s; the PNG is damaged or too large, save it again", path, job.why);
    }
    if (ok) {
        size_t width = png_get_image_width(job.png, job.info), height = png_get_image_height(job.png, job.info);
        lay_over_white(job.pixels, width * height);
        uint8_t *pixels = realloc(job.pixels, width * height * 3);
        *image = (Image){width, height, pixels ? pixels : job.pixels};
        job.pixels = NULL;
    }
    close_read(&job);
    return ok;
}

char *png_read_text(const char *path, const char *key) {
    PngJob job;
    char *value = NULL;
    if (open_read(&job, path, NULL) && read_all(&job)) {
        png_textp text;
        int count = png_get_text(job.png, job.info, &text, NULL);
        for (int i = 0; i < count && !value; i++) {
            if (strcmp(text[i].key, key) == 0) value = strdup(text[i].text);
        }
    }
    close_read(&job);
    return value;
}

// ---- out ------------------------------------------------------------------------------------------------------------

static bool write_all(PngJob *job, const Image *image, size_t text_count) {
    if (setjmp(png_jmpbuf(job->png))) return false;
    png_set_IHDR(job->png, job->info, (png_uint_32)image->width, (png_uint_32)image->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (text_count > 0) png_set_text(job->png, job->info, job->text, (int)text_count);
    png_write_info(job->png, job->info);
    png_write_image(job->png, job->rows);
    png_write_end(job->png, job->info);
    return true;
}

bool png_write(const char *path, const Image *image, const Metadata *text, size_t text_count, Error *error) {
    OutputFile file;
    if (!file_create(&file, path, error)) return false;

    PngJob job = {.rows = malloc((image->height + 1) * sizeof *job.rows),
                  .text = calloc(text_count + 1, sizeof *job.text)};
    CHECK(job.rows && job.text, "out of memory for %zu rows", image->height);
    for (size_t y = 0; y < image->height; y++) job.rows[y] = image->pixels + y * image->width * 3;
    for (size_t i = 0; i < text_count; i++) {
        job.text[i] = (png_text){.compression = PNG_ITXT_COMPRESSION_NONE,
                                 .key = (char *)text[i].key,
                                 .text = (char *)text[i].value,
                                 .itxt_length = strlen(text[i].value)};
    }
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, on_error, on_warning);
    job.info = png_create_info_struct(job.png);
    CHECK(job.info, "out of memory");
    png_init_io(job.png, file.stream);

    bool ok = write_all(&job, image, text_count);
    png_destroy_write_struct(&job.png, &job.info);
    free(job.rows);
    free(job.text);
    if (ok) return file_commit(&file, error);
    error_set(error, "%s: can't be written: %s; free some space or name another place", file.path, job.why);
    file_abandon(&file);
    return false;
}
