import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

from beamforge.learning import TrainingConfig
from beamforge.learning.schedule import learning_rate


def rates_of_torch(make, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    scheduler: LRScheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [30, 101])
def test_cosine_is_torchs(steps: int) -> None:
    config = TrainingConfig(learning_rate=0.2, schedule="cosine")
    expected = rates_of_torch(lambda optimizer: CosineAnnealingLR(optimizer, T_max=steps), steps)
    assert [learning_rate(config, step, steps) for step in range(steps)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [30, 101])
def test_one_cycle_is_torchs(steps: int) -> None:
    config = TrainingConfig(learning_rate=0.2, schedule="one_cycle")
    expected = rates_of_torch(lambda optimizer: OneCycleLR(optimizer, 0.2, total_steps=steps), steps)
    assert [learning_rate(config, step, steps) for step in range(steps)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle"])
def test_short_trainings_have_rates_too(schedule: str, steps: int) -> None:
    config = TrainingConfig(learning_rate=0.2, schedule=schedule)
    rates = [learning_rate(config, step, steps) for step in range(steps)]
    assert all(0 < rate <= 0.2 for rate in rates)


def test_warm_up_rises_linearly_to_the_rate() -> None:
    config = TrainingConfig(learning_rate=0.5, schedule="constant", warmup=4)
    assert [learning_rate(config, step, 9) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])


def test_one_cycle_takes_no_other_warm_up() -> None:
    with pytest.raises(ValueError, match="set warmup to 0"):
        TrainingConfig(schedule="one_cycle", warmup=3)
