// family.h - the models of tests/make_golden_families.py and make_golden_runs_inpaint.py, put together from their parts

#pragma once

// A folder that model_open takes: build/tmp/family_NAME, made anew, of links into tests/golden. The path is valid until
// the next call. CHECKs that there is such a family.
const char *family_folder(const char *name);
