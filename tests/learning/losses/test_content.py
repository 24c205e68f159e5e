import numpy as np
import pytest
import torch
from numpy.random import default_rng
from safetensors.torch import save_file
from torchvision.models import vgg16

from beamforge.errors import InputError
from beamforge.learning.losses import create_loss
from beamforge.learning.losses.content import _perception, gram
from beamforge.learning.perception import create_perception
from beamforge.stack import IGNORE


def pair(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(2, 2, 32, 32)).astype(np.float32))
    return logits, torch.from_numpy(rng.integers(0, 2, (2, 32, 32)))


def test_gram_is_the_products_of_the_channels() -> None:
    features = torch.from_numpy(default_rng(1).normal(size=(2, 3, 4, 5)))
    expected = np.einsum("bcyx,bdyx->bcd", features.numpy(), features.numpy()) / 60
    np.testing.assert_allclose(gram(features).numpy(), expected)


@pytest.mark.parametrize(("form", "power", "weights"), [("paper", 2, (1, 1, 1)), ("notebook", 1, (5, 15, 2))])
def test_the_sum_is_that_of_its_parts(form: str, power: int, weights: tuple[int, ...]) -> None:
    logits, labels = pair()
    found = 1 - logits.softmax(1)[:, :1]
    truth = labels[:, None].float()
    seen = _perception(form == "notebook", "random")
    expected = ((found - truth).abs() ** power).mean()
    for weight, a, b in zip(weights, seen(found), seen(truth), strict=True):
        of_gram = 1.0 if form == "paper" else 5000.0 * weight**2
        expected += weight * ((a - b).abs() ** power).mean()
        grams = [torch.einsum("bcyx,bdyx->bcd", f, f) / f[0].numel() for f in (a, b)]
        expected += of_gram * ((grams[0] - grams[1]).abs() ** power).mean()
    loss = create_loss("content", {"form": form, "vgg": "random"})
    torch.testing.assert_close(loss(logits, labels), expected, rtol=1e-4, atol=1e-7)


def test_the_outputs_are_relus_before_the_pools() -> None:
    shapes = [
        tuple(f.shape[1:]) for f in create_perception(normalised=True, weights="random")(torch.zeros(1, 1, 64, 64))
    ]
    assert shapes == [(256, 16, 16), (512, 8, 8), (512, 4, 4)]


def test_it_is_zero_for_the_truth_and_ignored_pixels_do_not_count() -> None:
    _, labels = pair()
    sure = 40.0 * (2.0 * torch.nn.functional.one_hot(labels, 2).movedim(-1, 1) - 1.0)
    loss = create_loss("content", {"vgg": "random"})
    assert float(loss(sure, labels)) < 1e-6
    wrong = sure.clone()
    wrong[:, :, :4] *= -1
    ignored = labels.clone()
    ignored[:, :4] = IGNORE
    assert float(loss(wrong, ignored)) < 1e-6
    assert float(loss(wrong, labels)) > 0.01


def test_it_trains_the_network_and_not_the_judge() -> None:
    logits, labels = pair()
    logits.requires_grad_()
    create_loss("content", {"vgg": "random"})(logits, labels).backward()
    assert torch.isfinite(logits.grad).all()
    assert float(logits.grad.abs().sum()) > 0
    assert not any(p.requires_grad for p in _perception(False, "random").parameters())


def test_without_weights_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("beamforge.learning.perception.cached_file", lambda *_: None)
    with pytest.warns(UserWarning, match="fixed random features"):
        create_perception(normalised=False, weights="auto")
    with pytest.raises(InputError, match="no weights of vgg16"):
        create_perception(normalised=False, weights="cached")


def test_weights_are_read_from_a_file(tmp_path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        given = vgg16(weights=None).features[:30]
    file = tmp_path / "vgg.safetensors"
    save_file({f"features.{name}": tensor for name, tensor in given.state_dict().items()}, file)
    made = create_perception(normalised=False, weights=str(file))
    torch.testing.assert_close(made.features[0].weight, given[0].weight)
    torch.testing.assert_close(made.features[28].bias, given[28].bias)


def test_small_tiles_and_other_forms_are_refused() -> None:
    logits, labels = pair()
    with pytest.raises(InputError, match="too small"):
        create_loss("content", {"vgg": "random"})(logits[..., :16, :16], labels[..., :16, :16])
    with pytest.raises(InputError, match="'paper' or 'notebook'"):
        create_loss("content", {"form": "other"})(logits, labels)
