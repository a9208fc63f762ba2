"""Drawing and moving pixels."""

import torch

from qdigits.augment.raster import affine_matrix, draw_segments, random_field, resample
from tests.augment.support import seeded


def test_a_segment_lies_where_its_ends_are():
    ends = torch.tensor([[[[5.5, 10.5], [20.5, 10.5]]]])
    line = draw_segments(ends, torch.tensor([[2.0]]))
    assert line.shape == (1, 1, 28, 28)
    assert (line[0, 0, 10, 6:20] == 1).all()
    assert line[0, 0, 13:].sum() == 0
    assert line[0, 0, :, 23:].sum() == 0


def test_a_segment_of_width_0_is_left_out():
    ends = torch.tensor([[[[5.5, 10.5], [20.5, 10.5]]]])
    assert draw_segments(ends, torch.zeros(1, 1)).sum() == 0


def test_resample_by_the_identity_changes_nothing(digits):
    identity = affine_matrix(like=digits.images)
    torch.testing.assert_close(resample(digits.images, identity), digits.images)


def test_a_shift_of_one_half_tile_moves_14_pixels(digits):
    moved = resample(digits.images, affine_matrix(shift_x=1.0, like=digits.images))
    torch.testing.assert_close(moved[..., 14:], digits.images[..., :14])


def test_a_random_field_is_smooth(digits):
    field = random_field(digits.images, seeded(), cells=4, channels=2)
    assert field.shape == (len(digits.images), 2, 28, 28)
    assert (field[..., 1:] - field[..., :-1]).abs().max() < 0.5
