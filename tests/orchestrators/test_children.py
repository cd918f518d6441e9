"""No child's id is begun twice in a generation."""

from __future__ import annotations

from orchestrators.children import own_id


class Context:
    """Stands for the SDK's, which is another object at every replay."""


def test_the_second_child_of_a_name_has_an_id_of_its_own_at_every_replay() -> None:
    for _ in range(2):
        context = Context()
        assert [own_id(context, "d:bake-e1") for _ in range(3)] == ["d:bake-e1", "d:bake-e1-2", "d:bake-e1-3"]
        assert own_id(context, "d:other-e1") == "d:other-e1"


def test_generations_do_not_share_their_counts() -> None:
    assert [own_id(context, "d:bake-e1") for context in (Context(), Context())] == ["d:bake-e1", "d:bake-e1"]
