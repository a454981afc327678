// help.c - what every option does, and numbers to try

#include "command/commands.h"

#include <stdio.h>

static const char DRAW_HELP[] =
    "sculpt \"PROMPT\" [options]            draw a picture from a text\n"
    "sculpt draw PROMPT [options]         the same, also for a prompt that is a command's name\n"
    "sculpt tokenize TEXT [options]       what the model reads when it reads a text\n"
    "sculpt kernels                       the ops of the networks, and the ways to compute each\n"
    "sculpt schedulers                    the ways from noise to picture\n"
    "sculpt COMMAND --help                more on one of them\n"
    "\n"
    "What to draw\n"
    "  -n, --negative TEXT      what not to draw. Guidance pushes away from it; without it, away from what the model\n"
    "                           draws when told nothing. Writing \"no hat\" into the prompt asks for a hat: try -n "
    "\"hat\"\n"
    "  -g, --guidance X         how hard to push towards the prompt [7.5]. 1 or less: not at all, and a step costs "
    "half.\n"
    "                           Try 1, 2, 4, 7.5, 15 with the same seed: obedience grows, then colours burn.\n"
    "                           SD-Turbo wants 0. LCMs were taught to guide: they take any X in one pass [8.5]\n"
    "      --seed N             which noise to begin with [a random one, printed]. The same seed, the same picture\n"
    "  -W, --width N            size in pixels, multiples of 8 [what the model was trained on]. Models are at home at\n"
    "  -H, --height N           that size only; try another to see what they do elsewhere\n"
    "\n"
    "How to get there\n"
    "  -s, --steps N            how often the U-Net looks at the picture [20]. Try 2, 5, 10, 20, 50: more takes "
    "longer,\n"
    "                           and from some point on changes little. LCMs want few [4], SD-Turbo 1 to 4\n"
    "      --scheduler NAME     how much noise to take away at each step, and where to ask next [the model's own].\n"
    "                           ddim euler ddpm euler_a heun lms pndm dpmpp_2m dpmpp_2m_sde dpmpp_1s kdpm2 unipc lcm:\n"
    "                           sculpt schedulers says when to use which\n"
    "      --scheduler-config KEY=VALUE\n"
    "                           change one of its settings, as often as wanted: eta=1 puts fresh noise into every "
    "step\n"
    "                           of ddim; timestep_spacing=trailing asks at other noise levels, and\n"
    "                           use_karras_sigmas=true more often near the end\n"
    "      --rng torch          the generator of the noise: torch's on the CPU, so that seeds mean what they mean in\n"
    "                           diffusers [torch]\n"
    "\n"
    "What to begin with\n"
    "      --init IMAGE.png     image to image: a picture to paint over, resized to width x height\n"
    "      --mask MASK.png      inpainting: paint over it only where this picture is white or transparent, and keep\n"
    "                           what is black; resized likewise. Inpainting models (nine channels of input) were\n"
    "                           trained for it, and need one; with others, what is kept is put back at every step\n"
    "      --strength X         how much of it to paint over, 0 to 1 [0.8; with --mask 1]. Of N steps the last N * X\n"
    "                           are run: 0.3 keeps the picture, 0.9 keeps little more than its colours; 1 with --mask\n"
    "                           begins with noise alone\n"
    "      --latents FILE       latents to begin with instead of noise: \"latents\" in a .safetensors file, [4, h, w]\n"
    "\n"
    "What to keep\n"
    "  -o, --output FILE.png    the picture [sculpt.png]. The settings are written into it, so it can be made again\n"
    "      --steps-dir DIR      step-000.png and on: the picture that the model predicts at every step; strip.png: a\n"
    "                           few of them in a row, under the noisy ones they were seen in. Pictures that cost much\n"
    "                           to decode are shown through a linear map instead, an eighth as sharp\n"
    "      --preview-vae DIR    decode those pictures with this small VAE: sharp, for a fraction of the arithmetic\n"
    "      --trace FILE.safetensors\n"
    "                           everything that happened, as numbers: ids, text embeddings, and for every step "
    "latents,\n"
    "                           noise predictions and the predicted picture\n"
    "\n"
    "With what\n"
    "  -m, --model PATH         a folder as diffusers saves it [data/models/critters], or a checkpoint in one\n"
    "                           .safetensors file: Stable Diffusion 1.x, 2.x, and what was made of them: SD-Turbo,\n"
    "                           LCMs, distilled ones such as small-sd and BK-SDM\n"
    "      --tokenizer DIR      the tokenizer, which a single file has none of: `make clip-vocab` makes one\n"
    "      --weights f16|f32    how numbers are kept in memory [f32]. f16 takes half of it and a little more time\n"
    "      --vae DIR            a VAE in place of the model's own: a folder with an AutoencoderKL, or with an\n"
    "                           AutoencoderTiny (TAESD), which decodes in a fraction of the time\n"
    "      --threads N          how many threads compute [as many as there are cores]\n"
    "      --kernel OP=VARIANT  compute an op in another way, as often as wanted: conv2d=naive gives the same "
    "picture,\n"
    "                           slowly. sculpt kernels lists them\n"
    "  -h, --help               this\n"
    "      --version            which Sculpt this is\n"
    "\n"
    "Before a run its cost is printed: parameters, U-Net calls, arithmetic and memory. Ctrl-C stops it.\n"
    "Exit status: 0 done, 1 the run failed, 2 the command line was wrong.\n"
    "\n"
    "To begin with:\n"
    "  sculpt \"a pygmy hippo wearing sunglasses on the beach\" --seed 1\n"
    "  sculpt \"a red cat and a blue dog\" --seed 3 --steps-dir steps\n";

static const char TOKENIZE_HELP[] =
    "sculpt tokenize TEXT [options]\n"
    "\n"
    "Prints the ids that the text encoder gets for TEXT, each with the piece of text it stands for. </w> ends a word; "
    "a\n"
    "word the model doesn't know falls into pieces. A prompt that is too long is cut, and what was lost is printed.\n"
    "\n"
    "  -                        as TEXT: read a prompt from each line of standard input, blank lines too\n"
    "  -m, --model PATH         whose tokenizer: a folder with tokenizer/ in it [data/models/critters]\n"
    "      --tokenizer DIR      the tokenizer itself, for a model in a single file\n"
    "      --json               one line of JSON a prompt: \"ids\" and \"pieces\", with ends and padding, and "
    "\"lost\"\n"
    "\n"
    "Try: sculpt tokenize \"a pygmy hippo, a giraffe\"   which of the words does it have to spell?\n";

static const char KERNELS_HELP[] =
    "sculpt kernels\n"
    "\n"
    "Lists the ops that the networks are made of, and for each the variants that can compute it: naive is the\n"
    "definition, written to be read; the others do the same faster. The one that runs is marked with *, and --kernel\n"
    "OP=VARIANT of draw chooses another.\n";

static const char SCHEDULERS_HELP[] =
    "sculpt schedulers [-m DIR]\n"
    "\n"
    "Lists the schedulers: when to use each, what a step costs, whether it draws fresh noise, and the paper it is "
    "from.\n"
    "The one that the model asks for is marked with *, and --scheduler NAME of draw chooses another.\n"
    "\n"
    "  -m, --model DIR          whose scheduler to mark [data/models/critters]\n";

void help_print(Command command) {
    switch (command) {
    case COMMAND_TOKENIZE: fputs(TOKENIZE_HELP, stdout); break;
    case COMMAND_KERNELS: fputs(KERNELS_HELP, stdout); break;
    case COMMAND_SCHEDULERS: fputs(SCHEDULERS_HELP, stdout); break;
    default: fputs(DRAW_HELP, stdout); break;
    }
}
