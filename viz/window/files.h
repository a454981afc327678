// files.h - what a file is that was named or dropped on the window

#pragma once

typedef enum { FILE_PICTURE, FILE_TRACE, FILE_MODEL, FILE_UNKNOWN } FileKind;

// A folder is a model; a .safetensors file a trace if it has timesteps, else a model; a PNG a picture. Nothing is said of
// whether it is a sound one: whoever opens it will.
FileKind file_kind(const char *path);
