"""Tokens: kept as long as they are good, renewed in time, and never in what is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from teal_cli.api.tokens import Source, Token, Tokens, az_words, function_key, token_source
from teal_cli.ending import Ended
from teal_cli.exits import Exit


def one_after_the_other(*tokens: Token | None) -> tuple[Source, list[str]]:
    """A source that gives these; ``None``: it fails."""
    asked: list[str] = []
    left: Iterator[Token | None] = iter(tokens)

    def give() -> Token:
        token = next(left)
        asked.append(token.value if token else "failed")
        if token is None:
            raise Ended(Exit.NOT_ALLOWED, "no token")
        return token

    return give, asked


def test_a_token_is_kept_until_five_minutes_before_it_expires() -> None:
    source, asked = one_after_the_other(Token("a", 1000), Token("b", 5000))
    now = [0.0]
    tokens = Tokens(source, lambda: now[0])
    for now[0], value in ((0, "a"), (699, "a"), (700, "b"), (4000, "b")):
        assert tokens.get() == value
    assert asked == ["a", "b"]


def test_a_token_that_is_still_good_is_used_where_it_cannot_be_renewed() -> None:
    source, asked = one_after_the_other(Token("a", 1000), None, None)
    now = [0.0]
    tokens = Tokens(source, lambda: now[0])
    assert tokens.get() == "a"
    now[0] = 800
    assert tokens.get() == "a"
    now[0] = 1001
    with pytest.raises(Ended):
        tokens.get()
    assert asked == ["a", "failed", "failed"]


def test_a_refused_token_is_asked_for_again() -> None:
    source, _ = one_after_the_other(Token("a", None), Token("b", None))
    tokens = Tokens(source)
    assert (tokens.get(), tokens.get(), tokens.renew(), tokens.get(), tokens.kept) == ("a", "a", "b", "b", "b")


def nobody(*asked: object, **more: object) -> None:
    raise AssertionError(f"nobody is to be asked: {asked} {more}")


def test_a_token_of_the_environment_goes_before_all_and_none_is_asked_for_without_a_resource() -> None:
    given = token_source({"TEAL_TOKEN": " t\n", "TEAL_RESOURCE": "api://x"}, nobody)
    assert given is not None
    assert given() == Token("t", None)
    assert token_source({"AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"}, nobody) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("ERROR: AADSTS65001: The user has not consented", "must pre-authorize the Azure CLI, 04b07795"),
        ("AADSTS700024: Client assertion is not within its valid time range", "the pipeline's id token has expired"),
        ("AADSTS50020: User account from identity provider", "TEAL_TENANT"),
        ("ERROR: Please run 'az login' to setup account.", "nobody is signed in"),
        ("", "it does not say why"),
        (f"strange eyJ0{'a' * 80}", "strange …"),
    ],
)
def test_what_az_and_entra_say_is_explained_without_tokens(said: str, shown: str) -> None:
    assert shown in az_words(said)
    assert "a" * 60 not in az_words(said)


def test_a_key_that_no_header_may_hold_is_refused_without_showing_it() -> None:
    assert function_key({"TEAL_KEY": "\tk\r\n"}) == "k"
    for key in ("a\nb", "schlüssel", "a\x00b"):
        with pytest.raises(Ended) as refused:
            function_key({"TEAL_KEY": key})
        assert key not in " ".join(refused.value.lines)
