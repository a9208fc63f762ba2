"""Training of the page network: reproducible, resumable, and it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from qdigits.augment.pages.marks import CLASSES, OTHER, Box, Mark
from qdigits.augment.synthetic_pages import Page
from qdigits.errors import ConfigError
from qdigits.models.page_net import PageAnswer
from qdigits.training import page_trainer
from qdigits.training.page_config import PageConfig
from qdigits.training.page_data import page_batches
from qdigits.training.page_loss import page_loss
from qdigits.training.page_score import find_digits, score_page
from qdigits.training.page_targets import PageTarget, target_of

QUICK = PageConfig(data="sample", epochs=2, steps=2, batch_size=2, validation_pages=2, workers=0)


def page_of(*marks: Mark, turns: int = 0) -> Page:
    return Page(np.zeros((256, 256), np.uint8), list(marks), [], [], turns, "test")


SEVEN = Mark(7, Box(40, 60, 60, 90))
CROSS = Mark(OTHER, Box(150, 100, 180, 130), printed=True)


def perfect_answer(target: PageTarget) -> PageAnswer:
    heat = torch.from_numpy(target.heat)[None]
    return PageAnswer(
        heat=torch.where(heat == 1, 12.0, -12.0),
        box=torch.from_numpy(target.box)[None],
        printed=torch.from_numpy(target.printed)[None] * 24 - 12,
        turn=torch.tensor([12.0, 0, 0, 0])[None, :, None, None].expand(1, 4, 64, 64),
    )


def test_targets_are_highest_in_the_middle_of_a_mark():
    target = target_of(page_of(SEVEN, CROSS))
    assert target.heat[7, 75 // 4, 50 // 4] == 1
    assert (target.heat == 1).sum() == 2
    assert target.heat.sum((1, 2)).nonzero()[0].tolist() == [7, OTHER]
    assert target.printed[0, 115 // 4, 165 // 4] == 1


def test_a_turned_page_teaches_its_turn_alone():
    target = target_of(page_of(SEVEN, turns=1))
    assert target.asked.max() == 0
    assert target.held.max() == 0
    assert target.turn.max() == 1


def test_the_right_answer_has_next_to_no_loss_and_is_found():
    page = page_of(SEVEN, CROSS)
    target = target_of(page)
    answer = perfect_answer(target)
    tensors = PageTarget(*(torch.from_numpy(part)[None] for part in target))
    assert page_loss(answer, tensors, torch.tensor([0])).total < 0.01
    (found,) = find_digits(answer)
    assert [mark.kind for mark in found] == [7]
    assert np.allclose(found[0].box, SEVEN.box, atol=0.5)
    assert score_page(found, page) == (1, 1)


def test_a_wrong_answer_costs_more_than_none():
    target = target_of(page_of(SEVEN))
    tensors = PageTarget(*(torch.from_numpy(part)[None] for part in target))
    right = perfect_answer(target)
    wrong = right._replace(heat=right.heat.roll(1, dims=1))
    nothing = right._replace(heat=torch.full_like(right.heat, -4.0))
    turns = torch.tensor([0])
    losses = [page_loss(answer, tensors, turns).total for answer in (right, nothing, wrong)]
    assert losses == sorted(losses)
    assert score_page(find_digits(wrong)[0], page_of(SEVEN)) == (0, 1)


def test_invented_digits_count_and_those_at_cut_marks_do_not():
    found = [Mark(3, Box(100, 100, 120, 130)), Mark(1, Box(200, 200, 220, 230))]
    page = page_of()._replace(ignored=[Box(95, 95, 125, 135)])
    assert score_page(found, page) == (0, 1)


def test_the_number_of_processes_changes_nothing():
    digits = page_trainer.load_training("sample", None, "official", 0.1, 0)[0]
    alone, helped = (
        list(page_batches(digits, replace(QUICK, epochs=1, workers=workers))) for workers in (0, 1)
    )
    for one, other in zip(alone, helped, strict=True):
        for part, twin in zip(one, other, strict=True):
            assert torch.equal(part, twin)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("pages") / "whole"
    page_trainer.fit_pages(QUICK, run_dir, progress=False)
    return run_dir


def test_a_run_writes_its_model_and_its_figures(finished):
    network = page_trainer.load_page_net(finished / "last.pth")
    assert network.card["recipe"]["steps"] == 2
    assert 0 <= network.card["metrics"]["f1"] <= 1
    assert len((finished / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_resumed_training_ends_in_the_same_bits(finished, tmp_path, monkeypatch):
    train_epoch = page_trainer.train_epoch

    def stop_after_one(run, batches, config, epoch, bar):
        if epoch == 1:
            raise KeyboardInterrupt
        return train_epoch(run, batches, config, epoch, bar)

    monkeypatch.setattr(page_trainer, "train_epoch", stop_after_one)
    with pytest.raises(KeyboardInterrupt):
        page_trainer.fit_pages(QUICK, tmp_path, progress=False)
    monkeypatch.undo()
    page_trainer.fit_pages(QUICK, tmp_path, resume=True, progress=False)
    whole, resumed = (
        page_trainer.load_page_net(folder / "last.pth").state_dict()
        for folder in (finished, tmp_path)
    )
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())


def test_a_run_directory_in_use_is_refused(finished):
    with pytest.raises(ConfigError, match="--resume"):
        page_trainer.fit_pages(QUICK, finished, progress=False)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="batch_size"):
        PageConfig(batch_size=0)


def test_classes_are_ten_digits_five_signs_and_the_rest():
    assert "".join(CLASSES[:15]) == "0123456789.,-/:"
    assert CLASSES[OTHER] == "other"
