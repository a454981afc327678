# Makefile - what is built from what. `make help` lists what there is to make.
#
# Objects go to build/, one folder a kind of build, so that `make`, `make SANITIZE=1` and `make CC=clang` don't disturb
# each other. Which header a source includes is noted by the compiler itself (-MMD), so nothing here lists headers.

CC = gcc
CFLAGS = -O3 -g
PROMPT = a pygmy hippo wearing sunglasses on the beach
SEED = 1
VENV = build/venv
KIND = $(notdir $(CC))$(if $(SANITIZE),-sanitize)
BUILD = build/$(KIND)
Q = $(if $(V),,@)

# ---- what the compiler is told ---------------------------------------------------------------------------------------
#
# OpenBLAS comes in several builds. The OpenMP one shares its threads with our kernels; the pthread one would fight them
# for the cores. It has a folder of its own, and the rpath makes sure that it, and no other, is found at run time.

LIBRARIES = jansson libpng libpcre2-8 libutf8proc zlib
TRIPLET := $(shell gcc -dumpmachine 2>/dev/null)
BLAS = /usr/lib/$(TRIPLET)/openblas-openmp
BLAS_INCLUDE = /usr/include/$(TRIPLET)/openblas-openmp
LIBRARY_FLAGS := $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBRARY_LINKS := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)

# -ffp-contract=fast: where a function is compiled for a processor that has it, a multiplication and an addition may be
# one instruction. That is GCC's own default, which -std=c17 takes back.
FLAGS = -std=c17 -D_GNU_SOURCE -ffp-contract=fast -fopenmp -Wall -Wextra -Icore -I$(BLAS_INCLUDE) $(LIBRARY_FLAGS) $(CFLAGS)
LINKS = -fopenmp -L$(BLAS) -Wl,-rpath,$(BLAS) -lopenblas $(LIBRARY_LINKS) -lm -ldl
ifdef SANITIZE
FLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DARENA_POISON
LINKS += -fsanitize=address,undefined
endif
# As they are for everything, whichever program asks first: those of one folder alone aren't among them.
COMMON_FLAGS := $(CC) $(FLAGS) $(LINKS)

# ---- what there is ---------------------------------------------------------------------------------------------------

COMMAND_SOURCES = core/main.c $(wildcard core/command/*.c)
CORE_SOURCES = $(filter-out $(COMMAND_SOURCES), $(wildcard core/*.c core/*/*.c))
PAINTER_SOURCES = $(wildcard data/critters/draw/main.c data/critters/draw/options.c)
GRADE_SOURCES = $(wildcard data/critters/grade/main.c)
CRITTERS_SOURCES = $(filter-out $(PAINTER_SOURCES) $(GRADE_SOURCES), \
	$(wildcard data/critters/draw/*.c data/critters/grade/*.c data/critters/exact/*.c))
TEST_SOURCES = $(wildcard tests/unit/test_*.c tests/parity/test_*.c tests/fuzz/fuzz_*.c tests/fuzz/test_*.c)
FULL_SOURCE = tests/full/test_full.c
TEST_HELPERS = $(filter-out $(TEST_SOURCES) $(FULL_SOURCE) tests/viz/%, $(wildcard tests/*.c tests/*/*.c))
SCRIPT_TESTS = $(wildcard tests/cli/test_*.sh tests/viz/test_*.sh tests/lessons/test_*.sh)

# The viewer needs SDL beside what all else needs. Where that isn't installed, bare make builds the rest.
VIEW_LIBRARIES = sdl2 SDL2_ttf libwebp libwebpmux libwebpdemux
VIEW_SOURCES = $(filter-out viz/main.c, $(wildcard viz/*.c viz/*/*.c))
VIEW_TEST_SOURCES = $(wildcard tests/viz/test_*.c)
VIEW_TEST_HELPERS = $(filter-out $(VIEW_TEST_SOURCES), $(wildcard tests/viz/*.c))
HAS_VIEW := $(shell pkg-config --exists $(VIEW_LIBRARIES) 2>/dev/null && echo yes)
VIEW_FLAGS := $(shell pkg-config --cflags $(VIEW_LIBRARIES) 2>/dev/null) -Iviz -Idata
VIEW_LINKS := $(shell pkg-config --libs $(VIEW_LIBRARIES) 2>/dev/null)

# A lesson is a folder, lessons/NN-name; what all of them share stands beside them (lessons/AUTHORS.md).
LESSONS = $(sort $(patsubst lessons/%/, %, $(wildcard lessons/[0-9][0-9]-*/)))
LESSON_SOURCES = $(wildcard lessons/check/*.c lessons/demo/*.c)
GUIDE_SOURCES = $(wildcard lessons/guide/*.c)
WHODUNIT_SOURCES = $(wildcard lessons/whodunit/*.c)

objects = $(patsubst %.c, $(BUILD)/%.o, $(1))
TESTS = $(patsubst tests/%.c, $(BUILD)/tests/%, $(TEST_SOURCES))
FULL_TEST = $(patsubst tests/%.c, $(BUILD)/tests/%, $(FULL_SOURCE))
SCULPT = $(if $(filter gcc,$(KIND)),sculpt,$(BUILD)/sculpt)
PAINTER = $(if $(PAINTER_SOURCES),$(if $(filter gcc,$(KIND)),build,$(BUILD))/critters-draw)
VIEW = $(if $(filter gcc,$(KIND)),,$(BUILD)/)sculpt-view
VIEW_TESTS = $(patsubst tests/%.c, $(BUILD)/tests/%, $(VIEW_TEST_SOURCES))
LESSON_LIBRARIES = $(BUILD)/liblessons.a $(BUILD)/libcritters.a $(BUILD)/libsculpt.a
LESSON_CHECKS = $(LESSONS:%=$(BUILD)/lessons/%/check.o)
LESSON_DEMOS = $(LESSONS:%=$(BUILD)/lessons/%/demo)
WHODUNIT = $(BUILD)/whodunit
GUIDE = $(if $(filter gcc,$(KIND)),build,$(BUILD))/lessons-guide
GRADE = $(if $(GRADE_SOURCES),$(if $(filter gcc,$(KIND)),build,$(BUILD))/critters-grade)

.PHONY: all deps run view lessons lessons-built lesson check whodunit test-lessons lesson-figures test test-built \
	test-reference test-full bench clip-vocab golden golden-frames critters critters-single-file \
	blueprint score grade shortcuts pictures venv format help clean distclean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(SCULPT) $(PAINTER) $(GRADE) $(if $(HAS_VIEW),$(VIEW))

$(SCULPT): $(call objects, $(COMMAND_SOURCES)) $(BUILD)/libcritters.a $(BUILD)/libsculpt.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(BUILD)/libsculpt.a: $(call objects, $(CORE_SOURCES))
	$(Q)rm -f $@ && ar rcs $@ $^

$(VIEW): $(BUILD)/viz/main.o $(BUILD)/libview.a $(BUILD)/libcritters.a $(BUILD)/libsculpt.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS) $(VIEW_LINKS)

$(VIEW_TESTS): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(call objects, $(VIEW_TEST_HELPERS)) $(BUILD)/libtest.a $(BUILD)/libview.a $(BUILD)/libcritters.a \
	$(BUILD)/libsculpt.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS) $(VIEW_LINKS)

$(BUILD)/libview.a: $(call objects, $(VIEW_SOURCES))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libcritters.a: $(call objects, $(CRITTERS_SOURCES))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/libtest.a: $(call objects, $(TEST_HELPERS))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/liblessons.a: $(call objects, $(LESSON_SOURCES))
	$(Q)rm -f $@ && ar rcs $@ $^

$(LESSON_DEMOS): %/demo: %/demo.o $(LESSON_LIBRARIES)
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(GUIDE): $(call objects, $(GUIDE_SOURCES)) $(BUILD)/libsculpt.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(WHODUNIT): $(call objects, $(WHODUNIT_SOURCES)) $(LESSON_LIBRARIES)
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

TEST_LIBRARIES = $(BUILD)/libtest.a $(BUILD)/libcritters.a $(BUILD)/libsculpt.a

$(TESTS) $(FULL_TEST): $(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_LIBRARIES)
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(PAINTER): $(call objects, $(PAINTER_SOURCES)) $(BUILD)/libcritters.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(GRADE): $(call objects, $(GRADE_SOURCES)) $(BUILD)/libcritters.a $(BUILD)/libsculpt.a
	@echo "  link   $@"
	$(Q)$(CC) $(FLAGS) $^ -o $@ $(LINKS)

$(BUILD)/tests/%.o: FLAGS += -Itests -Idata
$(BUILD)/data/%.o $(BUILD)/core/command/%.o: FLAGS += -Idata
$(BUILD)/lessons/%.o: FLAGS += -Ilessons -Idata
$(BUILD)/viz/%.o $(BUILD)/tests/viz/%.o: FLAGS += $(VIEW_FLAGS)
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  $(CC)    $<"
	$(Q)$(CC) $(FLAGS) -MMD -MP -c $< -o $@

# Other flags than last time rebuild everything of this kind.
$(BUILD)/flags: always
	@pkg-config --exists $(LIBRARIES) && test -e $(BLAS)/libopenblas.so || \
		{ echo "Libraries that building needs are missing. Run: make deps" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMMON_FLAGS)' | cmp -s - $@ || echo '$(COMMON_FLAGS)' > $@
.PHONY: always

-include $(patsubst %.c, $(BUILD)/%.d, $(COMMAND_SOURCES) $(CORE_SOURCES) $(PAINTER_SOURCES) $(GRADE_SOURCES) \
	$(CRITTERS_SOURCES) $(TEST_SOURCES) $(FULL_SOURCE) $(TEST_HELPERS) $(LESSON_SOURCES) $(GUIDE_SOURCES) \
	$(WHODUNIT_SOURCES) $(LESSONS:%=lessons/%/check.c) $(LESSONS:%=lessons/%/demo.c) viz/main.c $(VIEW_SOURCES) \
	$(VIEW_TEST_SOURCES) $(VIEW_TEST_HELPERS))

# ---- what has to be installed ----------------------------------------------------------------------------------------

BUILD_PACKAGES = gcc libc6-dev pkg-config libopenblas-openmp-dev libjansson-dev libpng-dev libpcre2-dev \
	libutf8proc-dev zlib1g-dev $(if $(findstring clang,$(CC)),clang libomp-dev)
VIEW_PACKAGES = libsdl2-dev libsdl2-ttf-dev libwebp-dev fonts-dejavu-core
TEST_PACKAGES = jq python3

# $(call install, packages, what for): installs those that are missing, and says so. Nothing is asked of a machine that
# has them all, and sudo only where somebody else than root asks.
define install
@missing=$$(for package in $(1); do \
	dpkg-query -W -f='$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed || echo $$package; done); \
if [ -n "$$missing" ]; then \
	command -v apt-get >/dev/null || \
		{ echo "This isn't Debian or Ubuntu. Install by hand what these are called here:" $$missing >&2; exit 1; }; \
	as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	[ -z "$$as_root" ] || command -v sudo >/dev/null || \
		{ echo "There is no sudo here. As root, run: apt-get install" $$missing >&2; exit 1; }; \
	echo "Installing what $(strip $(2)) needs:" $$missing; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || echo "(going on with the package lists that are here)"; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
fi
endef

deps:
	$(call install, $(BUILD_PACKAGES), building)

# ---- what to do with it ----------------------------------------------------------------------------------------------
#
# A rule that needs `deps` first starts make anew behind it: only then does pkg-config know the new libraries. Beside
# such a rule nothing else may run, or `make -j8 all test` would be two makes that write the same objects; the make that
# it starts has the -j.

ifneq ($(filter run view lessons test test-reference test-full bench, $(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

run: deps
	@$(MAKE) --no-print-directory $(SCULPT)
	./$(SCULPT) draw '$(subst ','\'',$(PROMPT))' --seed $(SEED) --output sculpt.png --steps-dir build/steps
	@cp build/steps/strip.png sculpt-steps.png
	@echo
	@echo 'sculpt.png        $(subst ','\'',$(PROMPT))'
	@echo "sculpt-steps.png  how it came out of the noise"
	@echo "Another: ./sculpt \"a red cat wearing a crown, at night\"    What the knobs do: ./sculpt --help"

# The window; TRACE=run.safetensors opens a run that was recorded.
view: deps
	$(call install, $(VIEW_PACKAGES), the viewer)
	@$(MAKE) --no-print-directory $(VIEW)
	./$(VIEW) $(TRACE)

# Threads that wait for each other soon sleep: core/io/program.c says why, and how soon.
PATIENCE = OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=10000

# The lessons. What compiles an answer is handed to lessons/guide/check.sh; N is a lesson's number, FILE another answer
# than its exercise.c, SOLUTION=1 the one that it comes with.
LESSON = $(firstword $(filter $(N)-% 0$(N)-%, $(LESSONS)))
LESSON_ENVIRONMENT = LESSON_COMPILE='$(CC) $(FLAGS)' LESSON_LINKS='$(LINKS)' LESSON_BUILD='$(BUILD)' $(PATIENCE)
ANSWER = $(or $(FILE),lessons/$(LESSON)/$(if $(SOLUTION),solution,exercise).c)

lessons: deps
	@test -e $(GUIDE) || echo "Building everything once, which takes a minute or two."
	@$(MAKE) --no-print-directory lessons-built
	@$(LESSON_ENVIRONMENT) $(GUIDE)

lessons-built: $(LESSON_LIBRARIES) $(LESSON_CHECKS) $(LESSON_DEMOS) $(GUIDE) $(WHODUNIT)

whodunit: $(WHODUNIT)
	@mkdir -p build/lessons/whodunit
	@$(PATIENCE) $< build/lessons/whodunit lessons/.whodunit

ifneq ($(filter lesson check, $(MAKECMDGOALS)),)
$(if $(LESSON),,$(error Which lesson? N=$(firstword $(subst -, ,$(firstword $(LESSONS)))) and so on: $(LESSONS)))
endif

lesson: $(BUILD)/lessons/$(LESSON)/demo
	@mkdir -p build/lessons/$(LESSON)
	@$(PATIENCE) $< build/lessons/$(LESSON)

check: $(BUILD)/lessons/$(LESSON)/check.o $(LESSON_LIBRARIES)
	@$(LESSON_ENVIRONMENT) lessons/guide/check.sh $(LESSON) '$(ANSWER)'

test-lessons: lessons-built
	@$(LESSON_ENVIRONMENT) LESSON_NAMES='$(LESSONS)' tests/run.sh $(BUILD)/log $(filter tests/lessons/%, $(SCRIPT_TESTS))

# Every number and picture in the lessons' pages, made anew by the commands that stand beside them; N=04 for one lesson
lesson-figures: lessons-built $(SCULPT) $(PAINTER)
	python3 lessons/guide/figures.py $(if $(N),lessons/$(LESSON)/README.md,$(LESSONS:%=lessons/%/README.md) lessons/TEACHERS.md)

test: deps
	$(call install, $(VIEW_PACKAGES) $(TEST_PACKAGES), testing)
	@$(MAKE) --no-print-directory test-built

# CLIP's own vocabulary is too large to be kept here; where its list lies beside this tree, it is tested with too.
CLIP_LIST = $(wildcard ../shared/clip/bpe_simple_vocab_16e6.txt.gz)
CLIP_VOCABULARY = $(if $(CLIP_LIST),build/clip-vocab/merges.txt)

build/clip-vocab/merges.txt: data/clip_vocab.py
	python3 $< $(CLIP_LIST) $(@D)

# The small model as one file, as people pass Stable Diffusion on. Not kept here: it is the folder's numbers once more.
SINGLE_FILE = data/critters/train/single_file.py
CRITTERS_FILE = build/critters.safetensors

$(CRITTERS_FILE): $(SINGLE_FILE) $(wildcard data/models/critters/*/*config.json data/models/critters/*/*.safetensors)
	@mkdir -p $(@D)
	python3 $< data/models/critters $@ --with-configs

critters-single-file: $(CRITTERS_FILE)

# What make test-full runs is compiled here too, so that it can't fall behind.
test-built: all lessons-built $(TESTS) $(VIEW_TESTS) $(FULL_TEST) $(CLIP_VOCABULARY) $(CRITTERS_FILE)
	@SCULPT='$(abspath $(SCULPT))' SCULPT_VIEW='$(abspath $(VIEW))' $(LESSON_ENVIRONMENT) ASAN_OPTIONS=abort_on_error=0 \
		LSAN_OPTIONS=print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1 \
		tests/run.sh $(BUILD)/log $(TESTS) $(VIEW_TESTS) $(SCRIPT_TESTS)

# The same for people, from the list inside a package of PyPI, whose pip has to be there to get it: what checkpoints in a
# single file need (--tokenizer build/clip-vocab).
OPEN_CLIP = open_clip_torch==3.2.0

clip-vocab:
	@python3 -c 'import venv, ensurepip' 2>/dev/null || $(MAKE) --no-print-directory venv-python
	@rm -rf build/open-clip && python3 -m venv build/open-clip
	build/open-clip/bin/pip download -q --no-deps --only-binary :all: -d build/open-clip $(OPEN_CLIP)
	python3 data/clip_vocab.py build/open-clip/*.whl build/clip-vocab
	@rm -rf build/open-clip
	@echo "build/clip-vocab: CLIP's vocabulary, for --tokenizer"

# The comparison with diffusers as it is, and all that is trained, in a Python environment of its own. Made anew when the
# list of packages changes. torch comes first and by itself: an installed CPU build of it satisfies the others.
REQUIREMENTS = data/critters/train/requirements.txt

venv:
	@cmp -s $(REQUIREMENTS) $(VENV)/requirements.txt || $(MAKE) --no-print-directory venv-new

.PHONY: venv-new
venv-new:
	@python3 -c 'import venv, ensurepip' 2>/dev/null || $(MAKE) --no-print-directory venv-python
	@echo "Making $(VENV): torch, diffusers and transformers, some 800 MB"
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install -q $$(grep '^torch==' $(REQUIREMENTS))
	$(VENV)/bin/pip install -q -r $(REQUIREMENTS)
	@cp $(REQUIREMENTS) $(VENV)/requirements.txt

.PHONY: venv-python
venv-python:
	$(call install, python3 python3-venv, the comparison with diffusers)

test-reference: deps
	@$(MAKE) --no-print-directory all venv
	@$(VENV)/bin/python tests/reference.py $(SCULPT)

# Stable Diffusion 1.5 and 2.1 as large as they are, with random weights: 14 GB in FULL_SIZE, made once.
FULL_SIZE = $(HOME)/.cache/sculpt-full-size

test-full: deps
	@$(MAKE) --no-print-directory all $(FULL_TEST)
	@test -e $(FULL_SIZE)/sd15.reference.safetensors -a -e $(FULL_SIZE)/sd21.reference.safetensors || \
		{ $(MAKE) --no-print-directory venv && $(VENV)/bin/python tests/make_full_size.py $(FULL_SIZE); }
	@$(PATIENCE) $(FULL_TEST) $(FULL_SIZE)

# Sculpt beside torch and OpenVINO. Their environment sees the packages of $(VENV), and has OpenVINO beside them. What to
# compare: make bench ARGS="--only unet64,vae"; see tests/bench/compare.py.
BENCH_VENV = build/venv-bench
BENCH_REQUIREMENTS = tests/bench/requirements.txt
ARGS =

bench: deps
	@$(MAKE) --no-print-directory all venv
	@cmp -s $(BENCH_REQUIREMENTS) $(BENCH_VENV)/requirements.txt || $(MAKE) --no-print-directory bench-venv-new
	@test -e $(FULL_SIZE)/sd15.reference.safetensors || $(VENV)/bin/python tests/make_full_size.py $(FULL_SIZE) sd15
	@$(BENCH_VENV)/bin/python tests/bench/compare.py --program $(SCULPT) --sd15 $(FULL_SIZE)/sd15 $(ARGS)

.PHONY: bench-venv-new
bench-venv-new:
	@echo "Making $(BENCH_VENV): OpenVINO"
	python3 -m venv --clear $(BENCH_VENV)
	@$(VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])' | \
		tee $$($(BENCH_VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')/reference.pth >/dev/null
	$(BENCH_VENV)/bin/pip install -q -r $(BENCH_REQUIREMENTS)
	@cp $(BENCH_REQUIREMENTS) $(BENCH_VENV)/requirements.txt

# diffusers' LMSDiscreteScheduler integrates with scipy. The first of these make models that others are made of.
GOLDEN_FIRST = tests/make_golden.py tests/make_golden_runs.py
GOLDEN_SCRIPTS = $(GOLDEN_FIRST) $(filter-out $(GOLDEN_FIRST), $(wildcard tests/make_golden_*.py))

golden: venv
	$(VENV)/bin/pip install -q scipy==1.17.1 zopfli==0.4.3
	for script in $(GOLDEN_SCRIPTS); do $(VENV)/bin/python $$script || exit 1; done

# What the window looks like, in every state that a script shows. To be looked at before they are committed.
golden-frames: $(VIEW) $(BUILD)/tests/viz/test_frames
	@rm -f tests/viz/golden/*.png
	@mkdir -p tests/viz/golden
	@SCULPT_VIEW='$(abspath $(VIEW))' $(BUILD)/tests/viz/test_frames --make

# The small model, from nothing: pictures, tokenizer, autoencoder, U-Net and text encoder, each in CACHE. A step that was
# cut goes on where it stopped.
CACHE = $(HOME)/.cache/critters
PYTHON = $(abspath $(VENV))/bin/python

critters: all venv
	mkdir -p $(CACHE)/train $(CACHE)/held
	test -e $(CACHE)/train/captions.jsonl || build/critters-draw --split train --count 30000 --captions 8 --out $(CACHE)/train
	test -e $(CACHE)/held/captions.jsonl || build/critters-draw --split held --count 1000 --captions 8 --out $(CACHE)/held
	cd data/critters/train && for step in tokenizer vae latents train export; do \
		'$(PYTHON)' $$step.py --cache $(CACHE) || exit 1; done

# One thing more for that model to draw: a LoRA, in data/models/critters-blueprint.safetensors
blueprint: all venv
	mkdir -p $(CACHE)/blueprint/held
	test -e $(CACHE)/blueprint/captions.jsonl || \
		build/critters-draw --split train --count 1024 --captions 8 --out $(CACHE)/blueprint
	test -e $(CACHE)/blueprint/held/captions.jsonl || \
		build/critters-draw --split held --kind one --count 40 --captions 1 --out $(CACHE)/blueprint/held
	cd data/critters/train && '$(PYTHON)' lora.py --cache $(CACHE) && '$(PYTHON)' lora_report.py --cache $(CACHE)

score: all venv
	test -e $(CACHE)/judge.pt || '$(PYTHON)' data/critters/judge/train_judge.py --out $(CACHE)/judge.pt
	'$(PYTHON)' data/critters/judge/score.py --judge $(CACHE)/judge.pt

# Where words act, by the painter's masks
grade: all
	@$(PATIENCE) $(GRADE)

shortcuts: all venv
	test -e $(CACHE)/judge.pt || '$(PYTHON)' data/critters/judge/train_judge.py --out $(CACHE)/judge.pt
	'$(PYTHON)' data/critters/judge/shortcuts.py --judge $(CACHE)/judge.pt

# The pictures in the READMEs, drawn anew by what was built
pictures: all venv
	'$(PYTHON)' data/pictures/make_pictures.py

format:
	clang-format -i $(wildcard core/*.[ch] core/*/*.[ch] viz/*.[ch] viz/*/*.[ch] tests/*.[ch] tests/*/*.[ch] \
		data/critters/*/*.[ch] lessons/*/*.[ch])

clean:
	rm -rf sculpt sculpt-view sculpt.png sculpt-steps.png $(filter-out $(VENV) $(BENCH_VENV) build/clip-vocab, $(wildcard build/*))

distclean: clean
	rm -rf build

help:
	@echo "make                 build ./sculpt, and the painter of the small model's world, build/critters-draw"
	@echo "make run             install what is missing, build, draw a picture: sculpt.png and sculpt-steps.png"
	@echo "                       PROMPT=\"a red cat\"  SEED=7"
	@echo "make view            install what is missing, build the viewer, ./sculpt-view, and open it"
	@echo "                       TRACE=run.safetensors opens a run that was recorded (sculpt --trace)"
	@echo "make lessons         the course: where you are, the next exercise, what is wrong with your answer, hints"
	@echo "make lesson N=04     build and run a lesson's demo; its pictures go to build/lessons/"
	@echo "make check N=04      check a lesson's exercise.c. SOLUTION=1 its solution, FILE=path.c another answer,"
	@echo "                       CHECK_SEED=7 the same random numbers again"
	@echo "make whodunit        a game: a broken picture and its trace, and one planted fault to be found in few looks"
	@echo "make lesson-figures  make every number and picture in the lessons' pages anew (N=04: of one)"
	@echo "make test-lessons    prove that the checks fail, pass and say what they should (LESSONS=04-ddim: of one)"
	@echo "make test            install what is missing, build, run every test that needs no Python framework"
	@echo "make test-reference  compare whole runs with diffusers, in an environment of its own in $(VENV)"
	@echo "make test-full       compare Stable Diffusion 1.5 and 2.1 in full size, with random weights, with diffusers:"
	@echo "                       14 GB in FULL_SIZE=$(FULL_SIZE), made at the first time"
	@echo "make bench           measure Sculpt beside torch and OpenVINO, with Stable Diffusion 1.5 in full size and the small"
	@echo "                       model; an hour or so. ARGS=\"--only unet32,text,critters --precision f32\" for a part"
	@echo "make deps            install what building needs (Debian, Ubuntu)"
	@echo "make clip-vocab      get CLIP's vocabulary as build/clip-vocab, for checkpoints in a single file"
	@echo "make golden          make the reference numbers in tests/golden anew, with diffusers"
	@echo "make golden-frames   make the pictures of the window in tests/viz/golden anew"
	@echo "make critters        train the small model in data/models/critters anew: an evening on two cores"
	@echo "make critters-single-file"
	@echo "                     write that model as one file in Stable Diffusion's original naming: build/critters.safetensors"
	@echo "make blueprint       teach it blueprints: a LoRA, 20 minutes on two cores"
	@echo "make score           measure what that model gets right"
	@echo "make grade           measure where its words act, by the painter's masks"
	@echo "make shortcuts       measure what --deep-cache and --guidance-interval cost in likeness, and save"
	@echo "make pictures        draw the pictures in the READMEs anew"
	@echo "make format          clang-format all C files"
	@echo "make clean           remove what was built (make distclean: the Python environment too)"
	@echo
	@echo "With any of them:    SANITIZE=1  address and undefined behaviour checks, memory poisoned when released"
	@echo "                     V=1         show the compiler's command lines"
	@echo "                     CC=clang    another compiler; builds of another kind lie in build/, beside ./sculpt"
