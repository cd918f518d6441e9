"""The stories of seeds: the same every time, so that their hash says whether anything else happens."""

from __future__ import annotations

import pytest

from local.soak.stories import story_of

pytestmark = pytest.mark.slow


def test_a_seed_has_one_story_with_all_its_rows() -> None:
    story = story_of(1)
    assert story == story_of(1)
    assert story != story_of(2)
    assert '["Deployments", ' in story
    assert "DeploymentPlanned" in story
