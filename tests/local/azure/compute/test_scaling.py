"""Ids, zones, cores: the pure parts."""

import doctest
from itertools import islice
from typing import Any

import pytest

from local.azure.compute import quota
from local.azure.compute.quota import cores, family
from local.azure.compute.scaling import new_numbers


@pytest.mark.parametrize(("reuse", "numbers"), [(True, [1, 3, 5, 6]), (False, [7, 8, 9, 10])])
def test_new_ids_fill_the_holes_or_go_on(reuse: bool, numbers: list[int]) -> None:
    assert list(islice(new_numbers({0, 2, 4}, 7, reuse=reuse), 4)) == numbers


@pytest.mark.parametrize(
    ("size", "number", "name"),
    [
        ("Standard_D2s_v5", 2, "standardDSv5Family"),
        ("Standard_DS3_v2", 4, "standardDSv2Family"),
        ("Standard_D14", 16, "standardDFamily"),
        ("Standard_E16-4s_v5", 4, "standardESv5Family"),
        ("Standard_NC24ads_A100_v4", 1, "Standard_NC24ads_A100_v4Family"),
    ],
)
def test_cores_and_family_are_read_from_the_size(size: Any, number: int, name: str) -> None:
    assert (cores(size), family(size)) == (number, name)


def test_the_examples_of_the_quota_hold() -> None:
    assert doctest.testmod(quota).failed == 0
