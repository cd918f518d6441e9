"""Make, rotate and end the function keys of Teal's roles, in Azure, after the app was deployed.

    python infra/role_keys.py make   --app RESOURCE_ID [--roles reader,vm]
    python infra/role_keys.py rotate --app RESOURCE_ID deployer
    python infra/role_keys.py finish --app RESOURCE_ID deployer

A role's key is one value on each function that the role may call, under the name ``teal-{role}``. The app knows it by
its SHA-256, in the setting ``TEAL_ROLE_KEYS``, which is written before the key and goes after it. No value is printed.
Standard library only: it also runs where nothing else is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

# Run as a script, it finds what is beside its folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.azd.arm import PUBLIC, Arm, ArmError
from infra.azd.tokens import any_token
from infra.azd.web import Clock, Stopped, SystemClock, send
from rollout.model.roles import Role, functions_of

SETTING = "TEAL_ROLE_KEYS"
API_VERSION = "2024-11-01"

#: Azure answers more at once with 429.
AT_ONCE = 5
#: How long functions and keys are waited for, and how often it is looked.
WAITS, WAIT = 60, timedelta(seconds=5)

S = TypeVar("S")
T = TypeVar("T")


class KeysError(Exception):
    """What was asked for cannot be done as things are; the text says what to do."""


@dataclass(frozen=True)
class App:
    """The function app, by its resource id."""

    arm: Arm
    resource_id: str

    async def functions(self) -> set[str]:
        """The names of the functions that Azure knows by now."""
        return {
            str(one["name"]).rpartition("/")[2] for one in await self.arm.list(self._path("/functions"), API_VERSION)
        }

    async def keys(self, function: str) -> dict[str, str]:
        """A function's keys by name."""
        answer: dict[str, Any] = await self.arm.post(self._path(f"/functions/{function}/listkeys"), API_VERSION)
        named = answer.get("properties") if isinstance(answer.get("properties"), dict) else answer
        return {name: value for name, value in (named or {}).items() if isinstance(value, str)}

    async def put_key(self, function: str, name: str, value: str) -> None:
        """Make a key, or give it this value."""
        body = {"properties": {"name": name, "value": value}}
        await self.arm.put(self._path(f"/functions/{function}/keys/{name}"), API_VERSION, body)

    async def delete_key(self, function: str, name: str) -> None:
        """Take a key away, if it is there."""
        await self.arm.delete(self._path(f"/functions/{function}/keys/{name}"), API_VERSION)

    async def settings(self) -> dict[str, str]:
        """The app settings."""
        answer = await self.arm.post(self._path("/config/appsettings/list"), API_VERSION)
        return dict(answer.get("properties") or {})

    async def put_settings(self, settings: Mapping[str, str]) -> None:
        """Replace the app settings, all of them: the app starts anew."""
        await self.arm.put(self._path("/config/appsettings"), API_VERSION, {"properties": dict(settings)})

    def _path(self, rest: str) -> str:
        return f"{self.resource_id}{rest}"


@dataclass(frozen=True)
class RoleKeys:
    """What there is of a role's keys: by name, the newest last, the value and the functions that have it."""

    role: Role
    values: Mapping[str, str]
    present: Mapping[str, frozenset[str]]

    @property
    def names(self) -> list[str]:
        """The names, the oldest first."""
        return list(self.values)

    def missing(self, name: str) -> list[str]:
        """The functions of the role that have not this key with its value."""
        return [function for function in functions_of(self.role) if function not in self.present[name]]

    def next_name(self) -> str:
        """What the key after the newest is called."""
        return _name(self.role, _generation(self.names[-1]) + 1 if self.values else 1)


def _name(role: Role, generation: int) -> str:
    return f"teal-{role}" if generation == 1 else f"teal-{role}-{generation}"


def _generation(name: str) -> int:
    return int(name.rpartition("-")[2]) if name[-1].isdigit() else 1


def keys_of(role: Role, found: Mapping[str, Mapping[str, str]], known: Iterable[str]) -> RoleKeys:
    """A role's keys among those that were ``found`` on functions.

    Where a name has several values, the one counts that the app knows by its digest, else the most frequent.
    """
    pattern = re.compile(rf"teal-{role}(-[1-9][0-9]*)?")
    functions = functions_of(role)
    names = sorted({name for one in functions for name in found[one] if pattern.fullmatch(name)}, key=_generation)
    digests = set(known)
    values, present = {}, {}
    for name in names:
        there = [found[function][name] for function in functions if name in found[function]]
        values[name] = max(there, key=lambda value: (digest_of(value) in digests, there.count(value)))
        present[name] = frozenset(one for one in functions if found[one].get(name) == values[name])
    return RoleKeys(role, values, present)


def digest_of(value: str) -> str:
    """By which the app knows a key."""
    return hashlib.sha256(value.encode()).hexdigest()


def parse_known(setting: str) -> list[tuple[str, str]]:
    """The setting's pairs of role and digest."""
    pairs = (pair.strip().partition("=") for pair in setting.split(",") if pair.strip())
    return [(role.strip(), digest.strip()) for role, _, digest in pairs]


class Work:
    """One run of the script."""

    def __init__(self, app: App, say: Callable[[str], None]) -> None:
        self._app = app
        self._say = say
        self._free = asyncio.Semaphore(AT_ONCE)

    async def make(self, roles: Sequence[Role]) -> None:
        """Every role has a key, and each of its keys is on each of its functions."""
        everything = await self._look(roles)
        made = [one if one.values else _with(one, one.next_name()) for one in everything]
        await self._know({one.role: [digest_of(value) for value in one.values.values()] for one in made})
        await self._put(made)

    async def rotate(self, role: Role) -> None:
        """A new key beside the old one. One that was begun and not ended is completed."""
        (there,) = await self._look([role])
        if len(there.values) > 1 and not there.missing(there.names[-1]):
            raise KeysError(f"{role} has {' and '.join(there.names)} already: finish that rotation first")
        after = there if len(there.values) > 1 else _with(there, there.next_name())
        await self._know({role: [digest_of(value) for value in after.values.values()]})
        await self._put([after])

    async def finish(self, role: Role) -> None:
        """The old keys go from the functions, and then from the setting."""
        (there,) = await self._look([role])
        if len(there.values) < 2 or there.missing(there.names[-1]):
            raise KeysError(f"{role} has no second key on all of its functions: rotate first")
        *old, newest = there.names
        going = [(function, name) for name in old for function in functions_of(role)]
        await self._each(lambda pair: self._app.delete_key(*pair), going)
        await self._until_served({function: dict.fromkeys(old) for function in functions_of(role)})
        self._say(f"{', '.join(old)}: gone")
        await self._know({role: [digest_of(there.values[newest])]})

    async def _look(self, roles: Sequence[Role]) -> list[RoleKeys]:
        """What there is, once Azure knows every function that is needed."""
        needed = sorted({function for role in roles for function in functions_of(role)})
        async for _ in self._patience():
            absent = set(needed) - await self._app.functions()
            if not absent:
                break
            self._say(f"waiting for {len(absent)} functions")
        else:
            raise KeysError(f"Azure does not list {', '.join(sorted(absent))}: deploy the app first")
        known = parse_known((await self._app.settings()).get(SETTING, ""))
        found = dict(zip(needed, await self._each(self._app.keys, needed), strict=True))
        return [keys_of(role, found, [digest for name, digest in known if name == role]) for role in roles]

    async def _know(self, digests: Mapping[Role, Sequence[str]]) -> None:
        """Write these roles' digests into the setting, and leave the others'. Nothing is written that is there."""
        settings = await self._app.settings()
        others = [(role, digest) for role, digest in parse_known(settings.get(SETTING, "")) if role not in digests]
        mine = [(str(role), digest) for role, several in digests.items() for digest in several]
        text = ",".join(f"{role}={digest}" for role, digest in sorted({*others, *mine}))
        if text != settings.get(SETTING):
            await self._app.put_settings({**settings, SETTING: text})
            self._say(f"{SETTING} is written: the app starts anew")
        print(f"{SETTING}={text}")

    async def _put(self, keys: Sequence[RoleKeys]) -> None:
        wanted: dict[str, dict[str, str | None]] = {}
        puts = []
        for one in keys:
            for name, value in one.values.items():
                missing = one.missing(name)
                self._say(f"{name}: {len(missing)} to make, {len(one.present[name])} there")
                puts += [(function, name, value) for function in missing]
                for function in missing:
                    wanted.setdefault(function, {})[name] = value
        await self._each(lambda put: self._app.put_key(*put), puts)
        await self._until_served(wanted)

    async def _until_served(self, wanted: Mapping[str, Mapping[str, str | None]]) -> None:
        """Wait until each function tells of each key what it is to be; ``None``: no such key."""
        left = list(wanted)
        async for _ in self._patience():
            shown = await self._each(self._app.keys, left)
            left = [
                function
                for function, keys in zip(left, shown, strict=True)
                if any(keys.get(name) != value for name, value in wanted[function].items())
            ]
            if not left:
                return
        raise KeysError(f"Azure has not taken over the keys of {', '.join(left)}: run this again")

    async def _patience(self) -> AsyncIterator[int]:
        for number in range(WAITS):
            if number:
                await self._app.arm.clock.sleep(WAIT)
            yield number

    async def _each(self, do: Callable[[S], Awaitable[T]], many: Sequence[S]) -> list[T]:
        """Do it for each, five at a time."""

        async def one(thing: S) -> T:
            async with self._free:
                return await do(thing)

        return list(await asyncio.gather(*map(one, many)))


def _with(keys: RoleKeys, name: str) -> RoleKeys:
    """The same with a new key. Its value has no comma, which Teal takes for two keys."""
    value = secrets.token_urlsafe(40)
    return RoleKeys(keys.role, {**keys.values, name: value}, {**keys.present, name: frozenset()})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Function keys for the roles of Teal")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("make", "make what is missing"),
        ("rotate", "a new key beside the old one"),
        ("finish", "end the old key, once everybody has the new one"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--app", required=True, help="the function app's resource id")
        command.add_argument("--arm", default=PUBLIC, help="Azure Resource Manager")
        if name == "make":
            command.add_argument("--roles", type=_roles, default=tuple(Role), help="only these, with commas between")
        else:
            command.add_argument("role", type=Role, choices=list(Role))
    return parser


def _roles(text: str) -> tuple[Role, ...]:
    try:
        return tuple(Role(name.strip()) for name in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"roles are {', '.join(Role)}") from None


def main(arguments: Sequence[str], environment: Mapping[str, str], clock: Clock | None = None) -> int:
    """0: done, also where nothing was to do; 1: it failed, and stderr says why; 2: used wrongly."""
    asked = _parser().parse_args(arguments)
    try:
        asyncio.run(_work(asked, environment, clock or SystemClock()))
    except (KeysError, Stopped) as error:
        why = str(error)
    except ArmError as error:
        # Azure's message is left out: it may repeat what was sent.
        refused = f"is refused: {error.status} {error.code}"
        why = f"{error.where} " + ("is not answered: run this again later" if error.is_busy else refused)
    else:
        return 0
    _say(f"The keys are not all made: {why}")
    return 1


async def _work(asked: argparse.Namespace, environment: Mapping[str, str], clock: Clock) -> None:
    arm = Arm(send, any_token(environment), clock, asked.arm)
    work = Work(App(arm, asked.app.rstrip("/")), _say)
    if asked.command == "make":
        await work.make(asked.roles)
    elif asked.command == "rotate":
        await work.rotate(asked.role)
    else:
        await work.finish(asked.role)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
