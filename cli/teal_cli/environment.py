"""What the environment says: where Teal is, who asks, and which pipeline this runs in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from teal_cli.ending import Ended
from teal_cli.exits import Exit

#: An Azure Pipelines variable that nobody has defined arrives as its own name.
_UNDEFINED = re.compile(r"\$\([\w.\-]+\)")

#: Where the page of a deployment is, below Teal's URL.
PAGE = "api/dashboard/"


def setting(environment: Mapping[str, str], name: str) -> str | None:
    """A variable without the blanks and line ends around it; ``None`` where it is not set, empty, or ``$(name)``."""
    value = environment.get(name, "").strip()
    return None if not value or _UNDEFINED.fullmatch(value) else value


def teal_url(given: str | None) -> str:
    """The address of the app, without ``/api`` and without a slash at its end."""
    if given is None:
        raise Ended(Exit.USAGE, "Where is Teal? Set TEAL_URL, https://{app}.azurewebsites.net")
    url = given.rstrip("/").removesuffix("/api")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known or re.search(r"[\s\x00-\x1f]", url):
        raise Ended(Exit.USAGE, "TEAL_URL is no address: https://{app}.azurewebsites.net is meant")
    if parts.query or parts.fragment or parts.username:
        raise Ended(Exit.USAGE, "TEAL_URL must hold the address alone: a key belongs in TEAL_KEY")
    return url


@dataclass(frozen=True)
class Pipeline:
    """The run of a pipeline. ``job`` tells its jobs apart and is the same when the run is tried again."""

    provider: str
    run: str
    job: str
    attempt: str
    commit: str = ""
    name: str = ""

    @property
    def again(self) -> bool:
        """Whether the job runs anew."""
        return any(part not in ("", "1") for part in self.attempt.split("."))

    @property
    def words(self) -> str:
        """For a deployment's comment: commit and run. Not the attempt, which would make each a request of its own."""
        said = [f"commit {self.commit[:12]}" if self.commit else "", f"{self.name} run {self.run}".strip()]
        return ", ".join(word for word in said if word)


def pipeline(environment: Mapping[str, str]) -> Pipeline | None:
    """The pipeline that this is a step of."""

    def of(name: str) -> str:
        return setting(environment, name) or ""

    if of("GITHUB_ACTIONS"):
        name = of("GITHUB_REPOSITORY")
        attempt = of("GITHUB_RUN_ATTEMPT") or "1"
        job = "/".join(filter(None, [of("GITHUB_WORKFLOW_REF").partition("@")[0], of("GITHUB_JOB")]))
        return Pipeline("github", of("GITHUB_RUN_ID"), job, attempt, of("GITHUB_SHA"), name)
    if of("TF_BUILD"):
        job = "/".join(of(f"SYSTEM_{part}NAME") for part in ("STAGE", "PHASE", "JOB"))
        attempt = ".".join(of(f"SYSTEM_{part}ATTEMPT") or "1" for part in ("STAGE", "PHASE", "JOB"))
        name = " ".join(filter(None, [of("SYSTEM_TEAMPROJECT"), of("BUILD_DEFINITIONNAME")]))
        return Pipeline("azure", of("BUILD_BUILDID"), job, attempt, of("BUILD_SOURCEVERSION"), name)
    return None


def in_pipeline(environment: Mapping[str, str]) -> bool:
    """Whether nobody looks on: in any pipeline, also in one that is not known by name."""
    return any(setting(environment, name) for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD"))


def may_be_live(environment: Mapping[str, str], terminal: bool) -> bool:
    """Whether the screen may be drawn anew. rich's own rules go by FORCE_COLOR, and not by CI."""
    return terminal and not in_pipeline(environment) and environment.get("TERM") != "dumb"


#: How long is waited at most unless asked otherwise: less than a job lasts, on hosted agents.
_WAITS = {"github": timedelta(hours=5, minutes=30), "azure": timedelta(minutes=55)}


def default_timeout(known: Pipeline | None) -> timedelta | None:
    """How long a wait lasts at most; ``None``: as long as it takes."""
    return _WAITS[known.provider] if known is not None else None


def page_of(url: str, deployment_id: str) -> str:
    """Where people look at a deployment, and approve it."""
    return f"{url}/{PAGE}deployments/{deployment_id}"
