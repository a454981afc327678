// clock.h - how long something took

#pragma once

// Seconds from some fixed moment on; never set back, whatever happens to the time of day.
double seconds_now(void);
