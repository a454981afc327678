// fuzz.h - a reader is fed files that almost make sense
//
// A target (fuzz_*.c) is what libFuzzer calls a target: one function that takes bytes and must neither crash, nor leak,
// nor read or write outside its memory, whatever they are. driver.c gives each a main() for `make test`: it changes the
// target's own seeds at random, a fixed number of times and always in the same way, so that a failure comes again.
// Sanitizers (make test SANITIZE=1) see what goes wrong without crashing.
//
//     build/gcc/tests/fuzz/fuzz_png                 20000 runs
//     build/gcc/tests/fuzz/fuzz_png 1000000         more
//     build/gcc/tests/fuzz/fuzz_png crash-1234      a file, as libFuzzer leaves it behind
//
// With libFuzzer, which also watches which code the bytes reach (clang; core/*/*.c stands for the library):
//
//     clang -fsanitize=fuzzer,address,undefined -fopenmp -Icore -Itests tests/fuzz/fuzz_png.c ... core/*/*.c

#pragma once

#include <stddef.h>
#include <stdint.h>

// One input; always 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The target's good files: number `index` is written to out (room for `capacity` bytes), its size returned; 0 when
// there are no more.
size_t fuzz_seed(size_t index, uint8_t *out, size_t capacity);

// A safetensors file of this header and so many bytes of data, for fuzz_seed.
size_t fuzz_safetensors(const char *header, size_t data_bytes, uint8_t *out, size_t capacity);

// A file in memory with these bytes, for readers that take a path. The path is valid until fuzz_file_close.
typedef struct FuzzFile {
    int descriptor;
    char path[32];
} FuzzFile;

FuzzFile fuzz_file_open(const uint8_t *data, size_t size);
void fuzz_file_close(FuzzFile *file);
