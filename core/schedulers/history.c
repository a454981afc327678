// history.c - see history.h

#include "schedulers/history.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void history_open(History *h, size_t k, size_t n) {
    if (h->n != n) {
        history_free(h);
        h->rows = calloc(HISTORY_ROWS * n, sizeof *h->rows);
        CHECK(h->rows, "out of memory");
        h->n = n;
    }
    if (h->next != k) h->known = 0;
}

void history_close(History *h, size_t k) {
    h->known++;
    h->next = k + 1;
}

float *history_row(const History *h, size_t row) {
    CHECK(row < HISTORY_ROWS, "row %zu of %d", row, HISTORY_ROWS);
    return h->rows + row * h->n;
}

void history_push(History *h, const float *values, size_t count) {
    memmove(history_row(h, 0) + h->n, history_row(h, 0), (count - 1) * h->n * sizeof *values);
    memcpy(history_row(h, 0), values, h->n * sizeof *values);
}

bool history_copy(History *copy, const History *h) {
    *copy = *h;
    if (!h->rows) return true;
    copy->rows = malloc(HISTORY_ROWS * h->n * sizeof *h->rows);
    if (copy->rows) memcpy(copy->rows, h->rows, HISTORY_ROWS * h->n * sizeof *h->rows);
    return copy->rows != NULL;
}

void history_free(History *h) {
    free(h->rows);
    *h = (History){0};
}
