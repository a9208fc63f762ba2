"""What the network is shown depends on seed, epoch and step alone."""

import torch

from qdigits.data.loading import load_training
from qdigits.training.batches import batches, epoch_order, full_batch_size, make_batch
from qdigits.training.config import TrainConfig
from qdigits.training.distributed import World
from qdigits.training.recipes import get_recipe

ALONE = World(0, 1, torch.device("cpu"))


def test_every_number_of_processes_sees_the_same_batches(digits_dir, two_processes):
    train, _ = load_training("mnist", digits_dir)
    whole = list(batches(train, torch.arange(300), get_recipe("default"), 1, ALONE))
    assert len(whole) == 3
    for rank in range(2):
        share = torch.load(two_processes / f"batches of {rank}.pt")
        for (_, images, labels, _), (_, own_images, own_labels, weight) in zip(
            whole, share, strict=True
        ):
            assert torch.equal(own_images, images[rank::2])
            assert torch.equal(own_labels, labels[rank::2])
            assert weight == 2 * len(own_labels) / len(labels)


def test_a_batch_has_the_size_that_its_settings_say(digits_dir):
    train, _ = load_training("mnist", digits_dir)
    config = get_recipe("default")
    for batch in batches(train, torch.arange(300), config, 0, ALONE):
        assert len(batch.images) == full_batch_size(len(batch.indices), config)
        assert len(batch.labels) == len(batch.images)
        assert batch.loss_weight == 1


def test_a_plain_batch_is_the_tiles_themselves(digits_dir):
    train, _ = load_training("mnist", digits_dir)
    images, labels = make_batch(train.images[:5], train.labels[:5], TrainConfig(), (0,))
    assert torch.equal(images, train.images[:5, None].float() / 255)
    assert torch.equal(labels, train.labels[:5])


def test_an_epoch_shows_each_digit_once():
    order = epoch_order(torch.arange(100), 100, seed=0, epoch=3)
    assert sorted(order.tolist()) == list(range(100))


def test_an_epoch_of_fewer_digits_shows_each_several_times():
    hard = torch.tensor([3, 14, 15, 92])
    order = epoch_order(hard, 100, seed=0, epoch=3)
    assert order.bincount(minlength=100)[hard].tolist() == [25, 25, 25, 25]


def test_every_epoch_has_an_order_of_its_own():
    first, second = (epoch_order(torch.arange(100), 100, 0, epoch) for epoch in (0, 1))
    assert not torch.equal(first, second)
