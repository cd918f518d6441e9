"""What a pipeline is told besides the exit code: outputs, the job's summary, annotations.

Written as soon as it is known, and again before the exit: whoever cancels the job reads the id from an output.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teal_cli.ending import Ended
from teal_cli.environment import setting
from teal_cli.exits import OF_STATUS, Exit
from teal_cli.show.output import Output
from teal_cli.show.plain import markdown, plain

if TYPE_CHECKING:
    from teal_cli.api.models import Deployment

#: GitHub drops a summary over 1 MiB whole, shared with what the step has written before.
SUMMARY_BYTES_MAX = 512 * 1024

#: GitHub shows ten annotations of a kind and step.
ANNOTATIONS_MAX = 10

#: The outputs, in GitHub's names; Azure Pipelines' variables are the same in camel case with `teal` before.
OUTPUTS = ("id", "status", "reason", "url", "exit-code")


class Reports:
    """Outputs of the step, where there is a pipeline that takes them."""

    def __init__(self, output: Output, environment: Mapping[str, str]) -> None:
        self._output = output
        self._github = setting(environment, "GITHUB_OUTPUT")
        self._summary = setting(environment, "GITHUB_STEP_SUMMARY")
        self._on_github = bool(setting(environment, "GITHUB_ACTIONS"))
        self._azure = bool(setting(environment, "TF_BUILD"))
        self._written: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def known(self, deployment: Deployment, page: str) -> None:
        """The deployment that the step is about: its id is written at once."""
        self._known |= {"id": plain(deployment["id"]), "url": page}
        self._known |= {"status": plain(deployment["status"]), "reason": plain(deployment["reason"])}
        if "id" not in self._written:
            self.flush()

    def over(self, code: Exit, deployment: Deployment | None, page: str) -> None:
        """How the step ends: the last outputs, an annotation, and the summary with what to do first."""
        if deployment is not None:
            self.known(deployment, page)
        self._known["exit-code"] = str(code.value)
        self.flush()
        if deployment is None:
            return
        if code is not Exit.FINISHED:
            self.annotate("error", f"Teal: {plain(deployment['groupId'])}", _why(deployment))
        for finding in deployment.get("findings", [])[: ANNOTATIONS_MAX - 1]:
            if finding.get("severity") == "warning":
                self.annotate("warning", f"Teal: {plain(finding['code'])}", f"{plain(finding['message'])}")
        self._append(self._summary, summary(code, deployment, page))

    def ended(self, ended: Ended) -> None:
        """The step ends before, or without, the end of a deployment."""
        self._known["exit-code"] = str(ended.code.value)
        self.flush()
        for line in ended.lines[:ANNOTATIONS_MAX] if ended.code is not Exit.TIMED_OUT else ended.lines[:1]:
            self.annotate("error", "Teal", line)
        self._append(self._summary, refused_summary(ended))

    def annotate(self, kind: str, title: str, text: str) -> None:
        """One line that the pipeline shows with the run; ``text`` is plain."""
        if self._on_github:
            self._output.command(f"::{kind} title={_property(title)}::{_data(text)[:4000]}")
        elif self._azure:
            self._output.command(f"##vso[task.logissue type={kind}]{_data(text)[:4000]}")

    def flush(self) -> None:
        """Write the outputs that have changed."""
        changed = {name: text for name, text in self._known.items() if self._written.get(name) != text}
        self._written |= changed
        if self._github and changed:
            self._append(self._github, "".join(_heredoc(name, text) for name, text in changed.items()))
        if self._azure:
            for name, text in changed.items():
                variable = "teal" + "".join(part.capitalize() for part in name.split("-"))
                self._output.command(f"##vso[task.setvariable variable={variable};isOutput=true]{_data(text)}")

    def _append(self, path: str | None, text: str) -> None:
        if path is None or not text:
            return
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            self._output.say(f"{path} cannot be written")


def summary(code: Exit, deployment: Deployment, page: str) -> str:
    """Markdown of a job's summary: what to do comes first."""
    image = deployment["image"]
    word = "waits for approval" if code is Exit.WAITS else deployment["status"]
    lines = [f"### Teal: {markdown(deployment['groupId'])} {markdown(word)}", ""]
    error = deployment["error"]
    if code is Exit.WAITS:
        lines += [f"**What to do:** [approve it]({page})", ""]
    elif OF_STATUS.get(deployment["status"]) not in (None, Exit.FINISHED):
        lines += [f"**What to do:** `teal retry {deployment['id']}` goes on where it ended.", ""]
    if error:
        lines += [f"`{plain(error['code']).replace('`', '')}`: {markdown(error['message'])}", ""]
    lines += [markdown(deployment["reason"]), ""]
    for danger in deployment.get("dangers", []):
        lines += [f"**Danger:** {markdown(danger['message'])}. {markdown(danger['remedy'])}", ""]
    rows = {
        "deployment": f"[{markdown(deployment['id'])}]({page})",
        "image": f"{markdown(_short(image['previous']))} → {markdown(_short(image['pinned']))}",
        "VMs": f"{deployment['greenVms']} green, {deployment['blueVms']} blue",
        "batches": str(deployment["numberOfBatches"]),
        "comment": markdown(deployment["comment"]),
    }
    lines += ["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items()), ""]
    return _cut("\n".join(lines) + "\n")


def refused_summary(ended: Ended) -> str:
    """Markdown where nothing was started, or its end was not seen."""
    lines = [f"- {markdown(line)}" for line in ended.lines]
    return _cut("\n".join([f"### Teal: exit code {ended.code.value}", "", *lines, "", ""])) if lines else ""


def _why(deployment: Deployment) -> str:
    error = deployment["error"]
    reason = plain(deployment["reason"])
    return f"{plain(error['code'])}: {plain(error['message'])}" if error else f"{deployment['status']}: {reason}"


def _short(image: Any) -> str:
    return str(image).rpartition("/")[2] if image else "?"


def _cut(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= SUMMARY_BYTES_MAX else encoded[:SUMMARY_BYTES_MAX].decode(errors="ignore") + "\n…\n"


def _heredoc(name: str, text: str) -> str:
    """An output whose end nobody can guess."""
    end = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{text}\n{end}\n"


def _data(text: str) -> str:
    """What may stand after a command: the runners' own escapes."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
