// live.c - see live.h
//
// While nothing moves the program sleeps until there is an event: from the hand, or from the engine that has a result.
// While something moves it draws sixty times a second. A frame sees at most one press, release, key or text; the mouse's
// way to there is put together.

#include "window/live.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>

static const double FRAME_SECONDS = 1.0 / 60, REST_SECONDS = 0.5;

// ---- events ---------------------------------------------------------------------------------------------------------

static void mouse_at(Window *window, int x, int y) {
    float units = window_units(window);
    window->input.mouse_x = x / units;
    window->input.mouse_y = y / units;
}

// A button that is held while the window loses the hand won't be seen coming up.
static bool let_go(Window *window) {
    bool held = window->input.down;
    window->input.down = false;
    window->input.released = held;
    return held;
}

static bool window_event(Window *window, const SDL_WindowEvent *event) {
    switch (event->event) {
    case SDL_WINDOWEVENT_FOCUS_LOST: return let_go(window);
    case SDL_WINDOWEVENT_LEAVE:
        if (!window->input.down) window->input.mouse_x = window->input.mouse_y = -1;
        return false;
    case SDL_WINDOWEVENT_DISPLAY_CHANGED:
    case SDL_WINDOWEVENT_SIZE_CHANGED: window_moved(window); return false;
    default: return false;
    }
}

// Puts an event into the coming frame's input. True: the frame has to be drawn before the next event is looked at.
static bool take_event(Window *window, const SDL_Event *event) {
    UiInput *input = &window->input;
    switch (event->type) {
    case SDL_QUIT: window->viewer->wants_to_close = true; return true;
    case SDL_WINDOWEVENT: return window_event(window, &event->window);
    case SDL_MOUSEMOTION: mouse_at(window, event->motion.x, event->motion.y); return false;
    case SDL_MOUSEWHEEL:
        input->wheel +=
            event->wheel.direction == SDL_MOUSEWHEEL_FLIPPED ? -event->wheel.preciseY : event->wheel.preciseY;
        return false;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        if (event->button.button != SDL_BUTTON_LEFT) return false;
        mouse_at(window, event->button.x, event->button.y);
        input->down = input->pressed = event->type == SDL_MOUSEBUTTONDOWN;
        input->released = !input->down;
        input->clicks = event->button.clicks;
        return true;
    case SDL_KEYDOWN:
        input->key = event->key.keysym.sym;
        input->modifiers = event->key.keysym.mod;
        return true;
    case SDL_KEYUP: input->modifiers = event->key.keysym.mod; return false;
    case SDL_TEXTINPUT: snprintf(input->text, sizeof input->text, "%s", event->text.text); return true;
    case SDL_DROPFILE: input->dropped = event->drop.file; return true;
    default:
        if (event->type == window->wake_event) SDL_AtomicSet(&window->woken, 0);
        return false;
    }
}

// Waits at most so long for an event; false if none came.
static bool take_events(Window *window, double seconds) {
    SDL_Event event;
    int milliseconds = seconds == INFINITY ? -1 : (int)ceil(seconds * 1000);
    if (!SDL_WaitEventTimeout(&event, milliseconds)) return false;
    bool full;
    do full = take_event(window, &event);
    while (!full && SDL_PollEvent(&event));
    return true;
}

// ---- the loop -------------------------------------------------------------------------------------------------------

static bool events_wait(void) {
    SDL_PumpEvents();
    return SDL_PeepEvents(NULL, 0, SDL_PEEKEVENT, SDL_FIRSTEVENT, SDL_LASTEVENT) > 0;
}

// Shows what was drawn, sixty times a second at most. Where events wait already (a fast typist's), the next frame will
// show this one's too.
static void show(Window *window, double *shown) {
    double passed = seconds_now() - *shown;
    if (events_wait() && passed < 2 * FRAME_SECONDS) return;
    if (passed < FRAME_SECONDS) SDL_Delay((Uint32)((FRAME_SECONDS - passed) * 1000));
    window_present(window);
    *shown = seconds_now();
}

void live_run(Window *window) {
    Viewer *viewer = window->viewer;
    double start = seconds_now(), shown = 0;
    // A panel may have been drawn before another changed what it shows: so one frame more than there were events.
    // And one when the hand has come to rest: what isn't worth doing for those who hurry by is asked for then.
    bool settled = false, rested = false;
    while (!viewer->wants_to_close) {
        bool moving = viewer->playing || window->ui->wants_frame;
        bool happened = take_events(window, !settled ? 0 : moving ? FRAME_SECONDS : !rested ? REST_SECONDS : INFINITY);
        window->input.time = seconds_now() - start;
        happened |= viewer_update(viewer, window->input.time);
        bool rests = settled && !happened && !moving && !rested;
        if (!happened && settled && !window->ui->wants_frame && !rests) continue;
        window_draw(window);
        show(window, &shown);
        settled = !happened;
        rested = rests || (rested && !happened);
    }
}
