"""Printed letters look like no digit, and the bundled network refuses them."""

from qdigits import load_model
from qdigits.augment.printed import LIKE_DIGITS, printed_letters
from qdigits.augment.registry import AUGMENTATIONS
from tests.augment.support import seeded


def test_there_are_more_than_a_thousand_different_letters():
    letters = printed_letters()
    assert len(letters.unique(dim=0)) > 1000


def test_letters_are_framed_like_digits():
    letters = printed_letters()
    assert letters.amax((1, 2, 3)).min() > 0.5
    assert letters[:, :, :4].max() == 0


def test_letters_that_look_like_digits_are_left_out():
    assert set("OoIlSZBbqg") <= set(LIKE_DIGITS)
    assert not set("AHKMRXÆЖЩΔΨՖფᐃ") & set(LIKE_DIGITS)


def test_the_bundled_network_refuses_printed_letters():
    model = load_model()
    letters = AUGMENTATIONS["wobble"](printed_letters(), seeded())
    confidence = model.probabilities((255 * letters[:, 0]).byte().numpy()).max(1)
    assert (confidence >= float(model.threshold)).mean() < 0.05  # 0.19 before it had seen any
