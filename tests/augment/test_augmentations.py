"""Augmentations and negatives: in range, seeded, and a digit stays in sight."""

import pytest
import torch

from qdigits import load_model
from qdigits.augment.handwriting import FORMS, drawn
from qdigits.augment.negatives import KINDS, negatives
from qdigits.augment.printed import LIKE_DIGITS, printed
from qdigits.augment.raster import strokes
from qdigits.augment.registry import AUGMENTATIONS
from qdigits.data.loading import load_training


@pytest.fixture(scope="module")
def digits(digits_dir):
    train, _ = load_training("mnist", digits_dir)
    return train.images[:200][:, None].float() / 255, train.labels[:200]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_in_range_and_seeded(name, digits):
    images, _ = digits
    once, again, other = (AUGMENTATIONS[name](images, rng(seed)) for seed in (0, 0, 1))
    assert once.shape == images.shape and once.dtype == torch.float32
    assert once.min() >= 0 and once.max() <= 1
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert not torch.equal(once, images)
    assert once.std((1, 2, 3)).median() > 0.1  # something is still drawn there


def test_negatives_are_seeded_pictures_of_every_kind(digits):
    images, labels = digits
    once, again = (negatives(101, images, labels, rng()) for _ in range(2))
    assert once.shape == (101, 1, 28, 28) and torch.equal(once, again)
    assert once.min() >= 0 and once.max() <= 1
    for draw, _ in KINDS:
        assert draw(images[:50], rng()).flatten(1).amax(1).gt(0.05).float().mean() > 0.7


def test_drawn_digits_are_seeded_and_named():
    (once, labels), (again, _) = drawn(60, rng()), drawn(60, rng())
    assert once.shape == (60, 1, 28, 28) and torch.equal(once, again)
    assert set(labels.tolist()) <= set(FORMS) and len(set(labels.tolist())) > 3
    assert (
        once.amax((1, 2, 3)).min() > 0.5 and once[:, :, :2].max() == 0
    )  # drawn, and inside the box


def test_printed_letters_are_framed_like_digits_and_look_like_none():
    letters = printed()
    assert len(letters) > 1000 and letters.unique(dim=0).shape[0] > 1000
    assert letters.amax((1, 2, 3)).min() > 0.5 and letters[:, :, :4].max() == 0
    assert set("OoIlSZBbqg") <= set(LIKE_DIGITS) and not set("AHKMRXÆЖЩΔΨՖფᐃ") & set(LIKE_DIGITS)


def test_the_bundled_network_refuses_printed_letters():
    model, letters = load_model(), AUGMENTATIONS["wobble"](printed(), rng())
    confidence = model.probabilities((255 * letters[:, 0]).byte().numpy()).max(1)
    assert (
        confidence >= float(model.threshold)
    ).mean() < 0.05  # it was 0.19 before it had seen any


def test_a_stroke_lies_where_its_ends_are():
    line = strokes(torch.tensor([[[[5.5, 10.5], [20.5, 10.5]]]]), torch.tensor([[2.0]]))
    assert line.shape == (1, 1, 28, 28)
    assert (
        (line[0, 0, 10, 6:20] == 1).all()
        and line[0, 0, 13:].sum() == 0
        and line[0, 0, :, 23:].sum() == 0
    )
