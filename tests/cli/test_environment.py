"""What the environment says: settings, the address, the pipeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from teal_cli.ending import Ended
from teal_cli.environment import default_timeout, may_be_live, pipeline, setting, teal_url
from teal_cli.exits import Exit

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_JOB": "deploy",
    "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/deploy.yml@refs/heads/main",
    "GITHUB_SHA": "0123456789abcdef",
    "GITHUB_REPOSITORY": "o/r",
}
AZURE = {
    "TF_BUILD": "True",
    "BUILD_BUILDID": "7",
    "SYSTEM_STAGENAME": "prod",
    "SYSTEM_PHASENAME": "roll",
    "SYSTEM_JOBNAME": "web",
    "SYSTEM_JOBATTEMPT": "1",
    "BUILD_SOURCEVERSION": "0123456789abcdef",
    "SYSTEM_TEAMPROJECT": "shop",
    "BUILD_DEFINITIONNAME": "web",
}


@pytest.mark.parametrize("text", ["", "  ", "\n", "$(tealKey)", " $(teal.key) "])
def test_what_says_nothing_is_not_set(text: str) -> None:
    assert setting({"TEAL_KEY": text}, "TEAL_KEY") is None


def test_blanks_and_line_ends_around_a_setting_go() -> None:
    assert setting({"TEAL_KEY": " k$(x)\r\n"}, "TEAL_KEY") == "k$(x)"


@pytest.mark.parametrize("url", ["https://t.net", "https://t.net/", "https://t.net/api", "https://t.net/api/"])
def test_an_address_may_be_given_with_api_and_a_slash(url: str) -> None:
    assert teal_url(url) == "https://t.net"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "t.net",
        "ftp://t.net",
        "https://",
        "https://t.net?code=secret",
        "https://u:secret@t.net",
        "https://t net",
        "http://[",
        "http://x:99999",
    ],
)
def test_anything_else_is_refused_without_its_secrets(url: str | None) -> None:
    with pytest.raises(Ended) as refused:
        teal_url(url)
    assert refused.value.code is Exit.USAGE
    assert "secret" not in " ".join(refused.value.lines)


def test_a_pipeline_is_known_with_its_run_job_and_attempt() -> None:
    github = pipeline(GITHUB)
    assert github is not None
    assert (github.provider, github.run, github.again) == ("github", "42", False)
    assert github.words == "commit 0123456789ab, o/r run 42"
    azure = pipeline(AZURE)
    assert azure is not None
    assert (azure.provider, azure.run, azure.job, azure.again) == ("azure", "7", "prod/roll/web", False)
    assert azure.words == "commit 0123456789ab, shop web run 7"
    assert pipeline({"CI": "true"}) is None


def test_an_attempt_after_the_first_is_told() -> None:
    for environment in ({**GITHUB, "GITHUB_RUN_ATTEMPT": "2"}, {**AZURE, "SYSTEM_STAGEATTEMPT": "2"}):
        again = pipeline(environment)
        assert again is not None
        assert again.again
        assert "2" not in again.words.partition("run")[0].replace("0123456789ab", "")


def test_the_longest_wait_stays_below_the_job_s() -> None:
    assert default_timeout(pipeline(GITHUB)) == timedelta(hours=5, minutes=30)
    assert default_timeout(pipeline(AZURE)) == timedelta(minutes=55)
    assert default_timeout(None) is None


@pytest.mark.parametrize(
    "environment",
    [{"CI": "1"}, {"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}, {"TERM": "dumb"}, {"CI": "1", "FORCE_COLOR": "1"}],
)
def test_a_pipeline_or_a_dumb_terminal_is_not_drawn_on(environment: dict[str, str]) -> None:
    assert not may_be_live(environment, terminal=True)


def test_only_a_terminal_is_drawn_on() -> None:
    assert may_be_live({"TERM": "xterm"}, terminal=True)
    assert not may_be_live({"TERM": "xterm", "FORCE_COLOR": "1"}, terminal=False)
