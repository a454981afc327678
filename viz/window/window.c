// window.c - see window.h

#include "window/window.h"

#include "base/clock.h"
#include "export/rendered.h"
#include "panels/panels.h"
#include "window/files.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- opening and closing --------------------------------------------------------------------------------------------

static bool start_sdl(Window *window, Error *error) {
    if (window->in_memory) SDL_SetHintWithPriority(SDL_HINT_VIDEODRIVER, "dummy", SDL_HINT_OVERRIDE);
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    const char *why = NULL;
    if (SDL_Init(SDL_INIT_VIDEO) != 0) {
        why = SDL_GetError();
    } else if (!window->in_memory && strcmp(SDL_GetCurrentVideoDriver(), "offscreen") == 0) {
        why = "there is no screen";
    }
    if (why) return error_set(error, "the window: %s; add --headless to draw without one", why);
    SDL_EnableScreenSaver();
    SDL_StopTextInput();  // until a text field has the keyboard
    window->wake_event = SDL_RegisterEvents(1);
    return true;
}

// Screens say how many dots they have to an inch; 96 is a usual one. In halves, for even lines.
static float screen_scale(SDL_Window *window) {
    int units, pixels;
    float dots;
    SDL_GetWindowSize(window, &units, NULL);
    SDL_GetWindowSizeInPixels(window, &pixels, NULL);
    if (pixels != units && units > 0) return (float)pixels / units;
    int display = SDL_GetWindowDisplayIndex(window);
    if (display < 0 || SDL_GetDisplayDPI(display, &dots, NULL, NULL) != 0) return 1;
    return fmaxf(1, fminf(LARGEST_SCALE, floorf(dots / 96 * 2) / 2));
}

static float pixels_a_unit(SDL_Window *window) {
    int units, pixels;
    SDL_GetWindowSize(window, &units, NULL);
    SDL_GetWindowSizeInPixels(window, &pixels, NULL);
    return units > 0 && pixels > 0 ? (float)pixels / units : 1;
}

float window_units(const Window *window) { return window->ui->scale / pixels_a_unit(window->window); }

// Without a GPU, OpenGL is a program too (Mesa's llvmpipe), and slower than SDL's own: it takes a second for the first frame.
static bool opengl_is_a_program(SDL_Renderer *renderer) {
    SDL_RendererInfo info;
    if (SDL_GetRendererInfo(renderer, &info) != 0 || strncmp(info.name, "opengl", 6) != 0) return false;
    const unsigned char *(*get_string)(unsigned) =
        (const unsigned char *(*)(unsigned))SDL_GL_GetProcAddress("glGetString");
    enum { GL_RENDERER = 0x1F01 };
    const char *name = get_string ? (const char *)get_string(GL_RENDERER) : NULL;
    return name && (strstr(name, "llvmpipe") || strstr(name, "softpipe"));
}

static bool make_renderer(Window *window, Error *error) {
    // Frames are measured without the wait for the screen.
    Uint32 fast = SDL_RENDERER_ACCELERATED | (window->frame_times ? 0 : SDL_RENDERER_PRESENTVSYNC);
    if (!window->in_memory) window->renderer = SDL_CreateRenderer(window->window, -1, fast);
    if (window->renderer && !SDL_GetHint(SDL_HINT_RENDER_DRIVER) && opengl_is_a_program(window->renderer)) {
        SDL_DestroyRenderer(window->renderer);
        window->renderer = NULL;
    }
    if (!window->renderer) window->renderer = SDL_CreateRenderer(window->window, -1, SDL_RENDERER_SOFTWARE);
    return window->renderer || error_set(error, "the window: %s; close other programs", SDL_GetError());
}

static bool make_window(Window *window, const WindowOptions *options, float *scale, Error *error) {
    Uint32 flags = window->in_memory ? 0 : SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_HIDDEN;
    window->window = SDL_CreateWindow("Sculpt", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, (int)options->width,
                                      (int)options->height, flags);
    if (!window->window) {
        return error_set(error, "the window: %s; add --headless to draw without one", SDL_GetError());
    }
    *scale = options->scale > 0 ? options->scale : window->in_memory ? 1 : screen_scale(window->window);
    float units = *scale / pixels_a_unit(window->window);
    int width = (int)(options->width * units), height = (int)(options->height * units);
    SDL_Rect usable;
    if (!window->in_memory && SDL_GetDisplayUsableBounds(SDL_GetWindowDisplayIndex(window->window), &usable) == 0) {
        if (width > usable.w) width = usable.w;
        if (height > usable.h) height = usable.h;
    }
    SDL_SetWindowSize(window->window, width, height);
    SDL_SetWindowMinimumSize(window->window, (int)(SMALLEST_WIDTH * units), (int)(SMALLEST_HEIGHT * units));
    SDL_SetWindowPosition(window->window, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED);

    if (!make_renderer(window, error)) return false;
    SDL_ShowWindow(window->window);
    return true;
}

// From the engine's thread. One event is enough for any number of results.
static void wake(void *listener) {
    Window *window = listener;
    if (!SDL_AtomicCAS(&window->woken, 0, 1)) return;
    SDL_Event event = {.type = window->wake_event};
    if (SDL_PushEvent(&event) != 1) SDL_AtomicSet(&window->woken, 0);
}

static bool open_parts(Window *window, const WindowOptions *options, Error *error) {
    float scale = 1;
    if (options->frame_times && !(window->frame_times = fopen(options->frame_times, "a"))) {
        return error_set(error, "%s: can't be written: %s; name another file", options->frame_times, strerror(errno));
    }
    if (!start_sdl(window, error) || !make_window(window, options, &scale, error)) return false;
    Ui *ui = calloc(1, sizeof *ui);
    if (!ui) return error_set(error, "the window: no memory; close other programs");
    if (!ui_open(ui, window->renderer, scale, options->dark, error)) {
        free(ui);
        return false;
    }
    window->ui = ui;
    window->viewer = viewer_open(&(ViewerOptions){.model = options->model,
                                                  .trace = options->trace,
                                                  .prompt = options->prompt,
                                                  .pretend_seconds = options->pretend_seconds,
                                                  .notify = wake,
                                                  .listener = window},
                                 error);
    return window->viewer != NULL;
}

bool window_open(Window *window, const WindowOptions *options, Error *error) {
    *window = (Window){.fixed_scale = options->scale, .in_memory = options->headless};
    window->input.mouse_x = window->input.mouse_y = -1;  // nowhere
    if (open_parts(window, options, error)) return true;
    window_close(window);
    return false;
}

void window_close(Window *window) {
    if (window->window) SDL_HideWindow(window->window);  // gone at once, while the engine finishes its op
    if (window->viewer) viewer_close(window->viewer);
    if (window->ui) ui_close(window->ui);
    free(window->ui);
    SDL_free(window->input.dropped);
    if (window->renderer) SDL_DestroyRenderer(window->renderer);
    if (window->window) SDL_DestroyWindow(window->window);
    if (window->frame_times) fclose(window->frame_times);
    SDL_Quit();
    *window = (Window){0};
}

// ---- a frame --------------------------------------------------------------------------------------------------------

static void take_in(Viewer *viewer, const char *path) {
    switch (file_kind(path)) {
    case FILE_PICTURE: viewer_use_init(viewer, path); break;
    case FILE_TRACE: viewer_open_trace(viewer, path); break;
    case FILE_MODEL: viewer_use_model(viewer, path); break;
    default:
        viewer_complain(viewer, &(Error){"what was dropped: is no PNG, trace or model; drop one of those, or a "
                                         "model's folder"});
    }
}

void window_draw(Window *window) {
    double begun = seconds_now();
    UiInput *input = &window->input;
    ui_begin(window->ui, *input);  // what was dropped is the Ui's from here on
    if (input->dropped) take_in(window->viewer, input->dropped);
    screen_draw(window->ui, window->viewer);
    ui_end(window->ui);
    window->frame_seconds += seconds_now() - begun;
    *input = (UiInput){.mouse_x = input->mouse_x,
                       .mouse_y = input->mouse_y,
                       .down = input->down,
                       .modifiers = input->modifiers,
                       .time = input->time};
}

void window_present(Window *window) {
    double begun = seconds_now();
    SDL_RenderPresent(window->renderer);
    window->frame_seconds += seconds_now() - begun;
    if (window->frame_times) fprintf(window->frame_times, "%.3f\n", window->frame_seconds * 1000);
    window->frame_seconds = 0;
}

bool window_picture(Window *window, Image *image, Error *error) {
    return rendered_picture(window->renderer, image, error);
}

// ---- size and scale -------------------------------------------------------------------------------------------------

void window_resize(Window *window, size_t width, size_t height) {
    float units = window_units(window);
    SDL_SetWindowSize(window->window, (int)(width * units), (int)(height * units));
}

bool window_set_scale(Window *window, float scale, Error *error) {
    if (!ui_set_scale(window->ui, scale, error)) return false;
    float units = window_units(window);
    SDL_SetWindowMinimumSize(window->window, (int)(SMALLEST_WIDTH * units), (int)(SMALLEST_HEIGHT * units));
    return true;
}

void window_moved(Window *window) {
    if (window->fixed_scale > 0) return;
    float scale = screen_scale(window->window);
    Error error = {0};
    if (scale != window->ui->scale && !window_set_scale(window, scale, &error)) viewer_complain(window->viewer, &error);
}
