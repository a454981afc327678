// viewers.c - see viewers.h

#include "viz/viewers.h"

#include "base/clock.h"
#include "test.h"

#include <SDL2/SDL.h>

double viewers_time;

static void nobody(void *listener) { (void)listener; }

Viewer *viewer_opened(ViewerOptions options) {
    Error error = {0};
    options.notify = nobody;
    Viewer *viewer = viewer_open(&options, &error);
    EXPECT(viewer, "%s", error.message);
    return viewer;
}

void viewer_settle(Viewer *viewer) {
    double start = seconds_now();
    do {
        SDL_Delay(1);
        viewer_update(viewer, viewers_time += 0.001);
    } while (viewer_busy(viewer) && seconds_now() - start < 120);
    EXPECT(!viewer_busy(viewer), "still busy after two minutes");
}
