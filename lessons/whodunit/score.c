// score.c - see score.h

#include "score.h"

#include "io/file.h"

Score score_read(const char *path) {
    Score score;
    for (size_t i = 0; i < CASE_COUNT; i++) score.looks[i] = -1;
    FILE *file = fopen(path, "r");
    size_t index;
    int looks;
    while (file && fscanf(file, "%zu %d", &index, &looks) == 2) {
        if (index < CASE_COUNT && looks >= 0) score.looks[index] = looks;
    }
    if (file) fclose(file);
    return score;
}

bool score_save(const Score *score, const char *path, Error *error) {
    OutputFile file;
    if (!file_create(&file, path, error)) return false;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        if (score->looks[i] >= 0) fprintf(file.stream, "%02zu %d\n", i, score->looks[i]);
    }
    return file_commit(&file, error);
}

int par(size_t exhibits) {
    int looks = 0;
    while ((size_t)1 << looks < exhibits) looks++;
    return looks;
}
