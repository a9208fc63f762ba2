"""Every augmentation stays in range, follows its seed, and leaves a digit in sight."""

import pytest
import torch

from qdigits.augment.registry import AUGMENTATIONS
from tests.augment.support import seeded

each_augmentation = pytest.mark.parametrize("augment", AUGMENTATIONS.values(), ids=AUGMENTATIONS)


@each_augmentation
def test_an_augmentation_keeps_shape_type_and_range(augment, digits):
    changed = augment(digits.images, seeded())
    assert changed.shape == digits.images.shape
    assert changed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 1


@each_augmentation
def test_an_augmentation_changes_images_by_its_seed_alone(augment, digits):
    changed = augment(digits.images, seeded(0))
    assert not torch.equal(changed, digits.images)
    assert torch.equal(changed, augment(digits.images, seeded(0)))
    assert not torch.equal(changed, augment(digits.images, seeded(1)))


@each_augmentation
def test_an_augmentation_leaves_the_digit_in_sight(augment, digits):
    changed = augment(digits.images, seeded())
    assert changed.std((1, 2, 3)).median() > 0.1


@each_augmentation
def test_an_augmentation_leaves_the_images_it_was_given_as_they_are(augment, digits):
    before = digits.images.clone()
    augment(digits.images, seeded())
    assert torch.equal(digits.images, before)
