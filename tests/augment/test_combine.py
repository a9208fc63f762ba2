"""Combined augmentations change about as many images as they say."""

import pytest
import torch

from qdigits.augment.combine import one_of, random_apply
from tests.augment.support import seeded

BLANK = torch.zeros(2000, 1, 28, 28)


def paint(value):
    return lambda images, rng: torch.full_like(images, value)


def share_painted(images, value):
    return float((images.amax((1, 2, 3)) == value).float().mean())


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_random_apply_changes_about_its_share_of_images(probability):
    changed = random_apply(probability, paint(1.0))(BLANK, seeded())
    assert share_painted(changed, 1.0) == pytest.approx(probability, abs=0.03)


def test_one_of_divides_its_share_among_its_augmentations():
    changed = one_of(0.6, paint(1.0), paint(1.0), paint(0.5))(BLANK, seeded())
    assert share_painted(changed, 1.0) == pytest.approx(0.4, abs=0.03)
    assert share_painted(changed, 0.5) == pytest.approx(0.2, abs=0.03)
