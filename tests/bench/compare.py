"""compare.py - Sculpt beside torch (diffusers) and OpenVINO, on the same weights, in one run

    python tests/bench/compare.py [--only unet64,vae] [--batch 1,2] [--precision f32,bf16] [--engines sculpt,torch]
                                  [--rounds 2] [--reps 3] [--threads 2] [--json FILE] [--markdown]

What is compared stands in cases(). Seconds of one machine say nothing about another, nor about the same an hour later, so
what counts are ratios: the engines take turns, --rounds times, each in a process of its own that loads, warms up with
one pass and measures --reps more from inside. There are never two at once, and nothing else should be at work: where
threads have to wait for a core, those engines lose whose threads spin while they wait (torch's do, Sculpt's sleep). Of
all passes the fastest counts (the median is in --json). The weights are random, of Stable Diffusion 1.5's shapes
(make_full_size.py), except those of the small model, which is drawn with from prompt to pixels. Peak memory is each
process's resident set, weights included.

`make bench` runs it, and `make bench ARGS="--only unet32 --precision f32"` a part.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
from importlib import metadata

from engines import CACHE

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
ENGINES = ["sculpt", "torch", "openvino"]


@dataclasses.dataclass
class Case:
    name: str  # as --only has it
    stage: str  # of sculpt bench: unet, vae, text, run
    title: str
    latent: int = 0
    batch: int = 1
    precision: str = "f32"
    steps: int = 0
    reps: int = 0
    threads: int = 0
    model: str = ""
    openvino_file: str = ""


def cases():
    for precision in ("f32", "bf16"):
        for size in (32, 64, 96):
            for batch in (1, 2):
                yield Case(f"unet{size}", "unet", f"U-Net, {size}x{size} latents, batch {batch}", size, batch, precision)
        yield Case("vae", "vae", "VAE decode, 512x512 pixels", 64, 1, precision)
        yield Case("text", "text", "text encoder, 2 prompts of 77 tokens", 0, 2, precision)
    yield Case("critters", "run", "critters, 20 guided steps, prompt to pixels", steps=20)


# ---- measuring -------------------------------------------------------------------------------------------------------


def output_of(command, threads):
    """The last line that the command prints, as JSON; or why there is none, as text."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1]), None
    said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
    return None, said[-1].removeprefix("sculpt: ")


def sculpt_command(program, case):
    command = [program, "bench", case.stage, "--model", case.model, "--reps", str(case.reps), "--json"]
    command += ["--threads", str(case.threads), "--precision", case.precision]
    if case.latent:
        command += ["--latent", f"{case.latent}x{case.latent}"]
    if case.steps:
        return [*command, "--steps", str(case.steps)]
    return [*command, "--batch", str(case.batch)]


def measure_once(engine, case, program):
    """{"reps": seconds, "resident_bytes"}, or None and why not."""
    if engine == "sculpt":
        answer, problem = output_of(sculpt_command(program, case), case.threads)
        return (answer and {"reps": answer["reps"], "resident_bytes": answer["memory"]["resident_bytes"]}), problem
    return output_of([sys.executable, HERE / "engines.py", engine, json.dumps(dataclasses.asdict(case))], case.threads)


def convert(case):
    """What OpenVINO reads, made where it isn't there yet. Or why it can't be."""
    text = json.dumps(dataclasses.asdict(case))
    answer, problem = output_of([sys.executable, HERE / "engines.py", "convert", text], case.threads)
    case.openvino_file = answer["file"] if answer else ""
    return problem


def measure(case, engines, program, rounds):
    """engine -> {"seconds", "seconds_median", "reps", "resident_bytes"} or {"problem"}"""
    results = {engine: {"reps": [], "resident_bytes": 0} for engine in engines}
    if "openvino" in engines and (problem := convert(case)):
        results["openvino"]["problem"] = problem
    for _ in range(rounds):
        for engine, result in results.items():
            if "problem" in result:
                continue
            answer, problem = measure_once(engine, case, program)
            if problem:
                result["problem"] = problem
                continue
            result["reps"] += answer["reps"]
            result["resident_bytes"] = max(result["resident_bytes"], answer["resident_bytes"])
    for result in results.values():
        if "problem" not in result:
            result |= {"seconds": min(result["reps"]), "seconds_median": statistics.median(result["reps"])}
    return results


# ---- reporting -------------------------------------------------------------------------------------------------------


def cell(results, engine, key, form):
    result = results.get(engine, {"problem": "not asked for"})
    return "-" if "problem" in result else form(result[key])


def ratio(results, other):
    times = [results.get(engine, {}).get("seconds") for engine in ("sculpt", other)]  # none where there is a problem
    return f"{times[0] / times[1]:.2f}" if all(times) else "-"


def row(case, results):
    seconds = [cell(results, engine, "seconds", lambda s: f"{s:.3g} s") for engine in ENGINES]
    memory = [cell(results, engine, "resident_bytes", lambda b: f"{b / 1e9:.2f} GB") for engine in ENGINES]
    return [case.title, case.precision, *seconds, ratio(results, "torch"), ratio(results, "openvino"), *memory]


TITLES = ["", "", "Sculpt", "torch", "OpenVINO", "/ torch", "/ OpenVINO", "Sculpt", "torch", "OpenVINO"]
WIDTHS = [44, 5, 8, 8, 8, 8, 10, 8, 8, 8]


def print_row(columns):
    print("  ".join(text.ljust(width) if i < 2 else text.rjust(width)
                    for i, (text, width) in enumerate(zip(columns, WIDTHS))), flush=True)  # fmt: skip


def markdown(rows, machine):
    titles = ["", "", "Sculpt", "torch", "OpenVINO", "Sculpt's time / torch's", "/ OpenVINO's", "peak memory", "torch", "OpenVINO"]
    yield machine + ":\n"
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * 2 + "--:|" * (len(titles) - 2)
    for columns in rows:
        yield "| " + " | ".join(columns) + " |"


def machine_name(threads):
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    versions = [f"{name} {metadata.version(name)}" for name in ("torch", "diffusers", "openvino")]
    return f"{names[0] if names else 'unknown processor'}, {threads} threads; " + ", ".join(versions)


# ---- the command -----------------------------------------------------------------------------------------------------


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = sorted({case.name for case in cases()})

    def some_of(known):
        def read(text):
            unknown = [word for word in text.split(",") if word not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"{unknown[0]} isn't one of {', '.join(known)}")
            return text.split(",")

        return read

    parser.add_argument("--only", type=some_of(names), default=names)
    parser.add_argument("--batch", type=some_of(["1", "2"]), default=["1", "2"], help="of the U-Net")
    parser.add_argument("--precision", type=some_of(["f32", "bf16"]), default=["f32", "bf16"])
    parser.add_argument("--engines", type=some_of(ENGINES), default=ENGINES)
    parser.add_argument("--rounds", type=int, default=2, help="turns of each engine")
    parser.add_argument("--reps", type=int, default=3, help="passes a turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="the table for README")
    parser.add_argument("--program", default="sculpt")
    parser.add_argument("--sd15", default=pathlib.Path.home() / ".cache/sculpt-full-size/sd15")
    return parser.parse_args()


def chosen(case, asked):
    batch = case.stage != "unet" or str(case.batch) in asked.batch
    return case.name in asked.only and case.precision in asked.precision and batch


def main():
    asked = arguments()
    program, machine = str(pathlib.Path(asked.program).resolve()), machine_name(asked.threads)
    if os.getloadavg()[0] > 0.5:
        print(f"Other programs are at work here (load {os.getloadavg()[0]:.1f}): these ratios won't hold", file=sys.stderr)
    CACHE.mkdir(parents=True, exist_ok=True)
    print(f"{machine}. Fastest of {asked.rounds * asked.reps} passes, in {asked.rounds} turns; peak memory on the right")
    print_row(TITLES)
    rows, problems, everything = [], [], []
    for case in cases():
        if not chosen(case, asked):
            continue
        case.reps, case.threads = asked.reps, asked.threads
        case.model = "data/models/critters" if case.stage == "run" else str(asked.sd15)
        engines = [engine for engine in asked.engines if not (case.stage == "run" and engine == "openvino")]
        results = measure(case, engines, program, asked.rounds)
        rows.append(row(case, results))
        print_row(rows[-1])
        problems += [f"{case.title}, {case.precision}: {engine}: {result['problem']}"
                     for engine, result in results.items() if "problem" in result]  # fmt: skip
        everything.append({**dataclasses.asdict(case), "engines": results})
        if asked.json:
            pathlib.Path(asked.json).write_text(json.dumps({"machine": machine, "cases": everything}, indent=1) + "\n")
    if asked.markdown:
        print("\n" + "\n".join(markdown(rows, machine)))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
