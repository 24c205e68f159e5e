"""Cracks on real magnetic tiles: classifiers trained on simulations, on real tiles, or on both; few to many labels.

Usage: python benchmarks/cracks.py --data shared/data [--run runs/cracks] [--repeats 10] [--part test]

The images are divided once by specimen: pictures whose numbers are less than 1000 apart show one specimen at several
exposures, and no specimen is in two parts. All settings were chosen on the part "development" (its specimens divided
again); the part "test" gives the claims. A repeat has one seed for all rows: the same labelled tiles, the same
simulated tiles, the same first weights.

The simulation knows the crack-free training pictures (texture) and the masks of the training pictures (figures of
cracks). Rows: "synthetic" never saw a real label in training; "real" saw N labelled tiles, half of them with a crack;
"mixed" is "synthetic" trained on with all of them.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from beamforge.evaluation import evaluate_classifier
from beamforge.evaluation.repeats import Repeats
from beamforge.io import AnnotatedPicture, open_annotated_pictures
from beamforge.learning import NetworkConfig, TrainingConfig
from beamforge.learning.augmented import Augmented
from beamforge.learning.classifier import Classifier
from beamforge.learning.data import LabelledImages, SimulatedDataset
from beamforge.learning.tile_classes import AnyPixel, TileClasses
from beamforge.learning.training import train_classifier
from beamforge.reporting.claims import record
from beamforge.simulation.degradations.flip import Flip
from beamforge.simulation.degradations.lighting import Lighting
from beamforge.simulation.degradations.tone import Tone
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.scenarios.cracks import CHANNEL, CRACK_CLASSES, fit_cracks

COMMAND = "python benchmarks/cracks.py"
TILE = 64
STRIDE = 32
LEAST = 64
"""Marked pixels that make a tile one with a crack, some 13 px of its length; tiles with fewer are left out."""
RULE = AnyPixel(least=LEAST)
SAME_SPECIMEN = 1000
COUNTS = (5, 10, 20, 40, None)
FEW = (5, 10, 20)
NETWORK = NetworkConfig(architecture="classifier", encoder="test_resnet")
SYNTHETIC_TILES = 1000
STEPS = {"synthetic": 250, "real few": 100, "real all": 330, "mixed": 80}
"""The real model that the mixed one is compared with is trained for as many steps as that in all."""
RATES = {"synthetic": 3e-3, "real few": 3e-3, "real all": 3e-3, "mixed": 1e-3}
AUGMENTATION = (Flip(), Tone(brightness=(-0.5, 0.5), contrast=(0.7, 1.4)), Lighting())
PAPER = {
    "Trampert et al. 2021, their test images: synthetic": 0.257,
    "Trampert et al. 2021: real": 0.273,
    "Trampert et al. 2021: mixed": 0.205,
}


class Tiles(LabelledImages):
    """Tiles in memory."""

    def __init__(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        super().__init__(CRACK_CLASSES, (CHANNEL,), len(pairs))
        self.pairs = pairs

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take a tile."""
        return self.pairs[index]


def specimens(pictures: Sequence[AnnotatedPicture]) -> list[list[AnnotatedPicture]]:
    """Group pictures of one specimen, by the number in their names."""
    numbered = sorted((int(re.findall(r"\d+", picture.path.stem)[-1]), picture) for picture in pictures)
    groups: list[list[AnnotatedPicture]] = []
    last = -SAME_SPECIMEN
    for number, picture in numbered:
        if number - last >= SAME_SPECIMEN:
            groups.append([])
        groups[-1].append(picture)
        last = number
    return groups


def divided(groups: list[list[AnnotatedPicture]], share: float, rng: Generator) -> tuple[list[Any], list[Any]]:
    """Divide specimens at random, those with cracks and those without apart; give the groups of both parts."""
    parts: tuple[list[Any], list[Any]] = ([], [])
    for cracked in (True, False):
        kind = [group for group in groups if any(picture.labels.values.any() for picture in group) == cracked]
        order = rng.permutation(len(kind))
        cut = round(share * len(kind))
        parts[0].extend(kind[i] for i in order[:cut])
        parts[1].extend(kind[i] for i in order[cut:])
    return parts


def flat(groups: list[list[AnnotatedPicture]]) -> list[AnnotatedPicture]:
    return [picture for group in groups for picture in group]


def tiles_by_class(pictures: Sequence[AnnotatedPicture]) -> tuple[list[Any], list[Any]]:
    """Cut tiles half a tile apart; give those without and those with a crack."""
    free, cracked = [], []
    for picture in pictures:
        image, labels = picture.stack.values, picture.labels.values
        for y in range(0, labels.shape[0] - TILE + 1, STRIDE):
            for x in range(0, labels.shape[1] - TILE + 1, STRIDE):
                pair = image[:, y : y + TILE, x : x + TILE], labels[y : y + TILE, x : x + TILE]
                pixels = int(pair[1].sum())
                if pixels == 0:
                    free.append(pair)
                elif pixels >= LEAST:
                    cracked.append(pair)
    return free, cracked


def balanced(pictures: Sequence[AnnotatedPicture], count: int | None, rng: Generator) -> list[Any]:
    """Draw as many tiles of either class, `count` in all (the odd one with a crack), or all that have a crack."""
    free, cracked = tiles_by_class(pictures)
    with_crack = len(cracked) if count is None else -(-count // 2)
    without = len(cracked) if count is None else count // 2
    chosen = [cracked[i] for i in rng.permutation(len(cracked))[:with_crack]]
    return chosen + [free[i] for i in rng.permutation(len(free))[:without]]


def simulated(scenario: Scenario, seed: int, count: int) -> Tiles:
    source = SimulatedDataset(scenario, seed, count)
    return Tiles([source.arrays(index) for index in range(count)])


def trained(kind: str, tiles: Tiles, out: Path, seed: int, weights: str = "random") -> Classifier:
    training = TrainingConfig(
        epochs=1,
        steps_per_epoch=STEPS[kind],
        batch=16,
        loss="cross_entropy",
        learning_rate=RATES[kind],
        weight_decay=0.05,
        schedule="one_cycle",
        keep="last",
        scaling="standard",
        precision="fp32",
        seed=seed,
        device="cpu",
        threads=1,
    )
    data = TileClasses(Augmented(tiles, AUGMENTATION, seed), RULE)
    network = NETWORK.model_copy(update={"weights": weights})
    return train_classifier(network, training, data, TileClasses(tiles, RULE), out, simulated=kind == "synthetic")


def repeat(train: list[AnnotatedPicture], scenario: Scenario, judge: Tiles, seed: int, out: Path) -> dict[str, float]:
    """Train and judge every row under one seed; give the error rates."""
    file = out / "errors.json"
    if file.is_file():
        return json.loads(file.read_text(encoding="utf-8"))
    rng = default_rng(SeedSequence([seed, 77]))
    judged = TileClasses(judge, RULE)
    errors = {}
    synthetic = trained("synthetic", simulated(scenario, seed, SYNTHETIC_TILES), out / "synthetic", seed)
    errors["synthetic"] = evaluate_classifier(synthetic, judged).error.value
    start = str(out / "synthetic" / "model" / "model.safetensors")
    pool = balanced(train, None, rng)
    half = len(pool) // 2
    for count in COUNTS:
        name = "all" if count is None else str(count)
        chosen = pool if count is None else pool[: -(-count // 2)] + pool[half : half + count // 2]
        model = trained("real all" if count is None else "real few", Tiles(chosen), out / f"real_{name}", seed)
        errors[f"real {name}"] = evaluate_classifier(model, judged).error.value
    mixed = trained("mixed", Tiles(pool), out / "mixed_all", seed, start)
    errors["mixed all"] = evaluate_classifier(mixed, judged).error.value
    file.write_text(json.dumps(errors), encoding="utf-8")
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    parser.add_argument("--run", type=Path, default=Path("runs/cracks"))
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--part", choices=["development", "test"], default="test")
    options = parser.parse_args()
    pictures = open_annotated_pictures(
        str(options.data / "micro" / "magnetic_tile" / "MT_*" / "*.jpg"), CRACK_CLASSES, masks="{stem}.png"
    )
    development, test = divided(specimens(pictures), 0.55, default_rng(0))
    if options.part == "development":
        development, test = divided(development, 0.6, default_rng(1))
    train = flat(development)
    judge = Tiles(balanced(flat(test), None, default_rng(2)))
    scenario = fit_cracks([p.stack for p in train], [p.labels for p in train], tile=TILE, rng=default_rng(3))
    print(f"{len(train)} pictures to learn from, {len(judge)} tiles of {len(flat(test))} others to judge on")
    started = time.perf_counter()
    errors = {}
    for seed in range(options.repeats):
        errors[seed] = repeat(train, scenario, judge, seed, options.run / options.part / str(seed))
        print(seed, {name: round(error, 3) for name, error in errors[seed].items()}, flush=True)
    rows = {name: tuple(run[name] for run in errors.values()) for name in errors[0]}
    found = Repeats(figure="error rate", seeds=tuple(errors), rows=rows, trials=len(judge))
    print(found.markdown())
    if options.part == "test":
        record_claims(found, time.perf_counter() - started, len(flat(test)))


def record_claims(found: Repeats, seconds: float, pictures: int) -> None:
    means = {row: round(found.summary(row).mean, 4) for row in found.rows}
    curve = ", ".join(f"{row} {mean:.3f} ± {found.summary(row).sd or 0.0:.3f}" for row, mean in means.items())
    where = f"{found.trials} tiles of {TILE} px of {pictures} pictures, none of a specimen seen in training; "
    where += f"{len(found.seeds)} paired seeds on one division of the specimens, looked at twice: the first time the "
    where += f"real model on all tiles had 100 steps (error .177). Errors (mean ± sd): {curve}"
    compared = found.compare("mixed all", "real all")
    gain = 1.0 - means["mixed all"] / means["real all"]
    ratios = [1.0 - (end + means["real all"]) / means["real all"] for end in compared.t_interval or (0.0, 0.0)]
    p_values = f"paired t p = {compared.t_p_value or 1.0:.2g}, Wilcoxon p = {compared.wilcoxon_p_value or 1.0:.2g}"
    record(
        "cracks-mixed-vs-real",
        "how much lower the mixed model's error on real crack tiles is than the real model's, relative",
        gain,
        interval=(min(ratios), max(ratios)),
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={**PAPER, **{f"{row}, here": mean for row, mean in means.items() if row.endswith(("synthetic", "all"))}},
        target=">= 0.25",
        note=f"{p_values} (wanted: below 0.01); interval of the difference at 99 % over the real model's mean; {where}",
    )
    few = {count: found.compare("synthetic", f"real {count}") for count in FEW}
    worst = max(few.values(), key=lambda one: one.difference)
    p_of = ", ".join(
        f"{count} tiles {one.difference:+.3f} (p {one.t_p_value or 1.0:.2g})" for count, one in few.items()
    )
    record(
        "cracks-few-labels",
        "error of the synthetic-only model minus that of the real-only one, the worst of 5, 10 and 20 real tiles",
        worst.difference,
        interval=worst.t_interval,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={f"real, {count or 'all'} tiles": means[f"real {count or 'all'}"] for count in COUNTS},
        target="<= 0",
        note=f"the real models of few tiles had {STEPS['real few']} steps; synthetic minus real: {p_of}; {where}",
    )


if __name__ == "__main__":
    main()
