// fingers.h - how many fingers has a hand?
//
// For hands as the painter holds them up, on plain paper: fingers leave the palm like rays (data/critters/draw/hand.c), so
// whoever walks round it in a circle comes over each of them once. Walked on several circles, and what most of them say
// is believed. A stump is no finger, and two that have grown together are one.
//
// It knows the sheet and that paper is pale, and nothing else. Of 180 hands with one to ten fingers, after a round trip
// through the VAE, it counts 177 as they were drawn. White hands can't be told from paper.

#pragma once

#include "io/image.h"

size_t fingers_count(const Image *hand);  // of SIDE x SIDE pixels
