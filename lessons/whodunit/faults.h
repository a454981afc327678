// faults.h - what can be wrong with a run. SPOILERS: who wants to play shouldn't read on.
//
// Each is a mistake that people have made. Read next: record.h for where they take hold, cases.c for who has which.

#pragma once

#include "record.h"

extern const Fault no_fault, cut_prompt, no_offset, attention_scale, conv_flip, quiet_start, loud_input,
    unscaled_encode, stuck_clock, stale_answer, swapped_rows, int_guidance, x0_by_a, old_noise, reversed_stride,
    last_sigma, reseeded, lost_history, deep_cache, unscaled_decode, bgr;
