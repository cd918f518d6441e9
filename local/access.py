"""Who is let in: the files of ``--keys`` and ``--entra``, and what the host and the app are told of them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from local.functions.keys import Keys
from local.functions.people import People, Person
from rollout.model.roles import Mode, Role, functions_of
from settings import Settings

F = TypeVar("F", bound="_File")

#: Stands for the token of the platform itself, which registers the world's groups.
_OWN_NAME = "local platform"


class AccessError(ValueError):
    """A file of keys or people cannot be read; the text says where and what is allowed there."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class KeysFile(_File):
    """What ``az functionapp keys list`` prints; each function's keys by their names; and the roles' keys.

    A role's key is put on each of its functions, and the app is told whose it is.
    """

    master_key: str | None = None
    function_keys: Mapping[str, str] = {}
    system_keys: Mapping[str, str] = {}
    functions: Mapping[str, Mapping[str, str]] = {}
    roles: Mapping[Role, str] = {}

    def keys(self) -> Keys:
        """Every key of the app. There always is a master key, as in Azure."""
        functions = {name: dict(keys) for name, keys in self.functions.items()}
        for role, key in self.roles.items():
            for function in functions_of(role):
                functions.setdefault(function, {})[f"teal-{role}"] = key
        return Keys(self.master_key or secrets.token_urlsafe(), self.function_keys, self.system_keys, functions)

    def known(self) -> str:
        """The setting that tells the app whose keys these are."""
        pairs = ((role, hashlib.sha256(key.encode()).hexdigest()) for role, key in self.roles.items())
        return ",".join(f"{role}={digest}" for role, digest in pairs)


class PersonPart(_File):
    """Somebody who may sign in."""

    oid: str
    name: str
    roles: tuple[str, ...] = ()


class PeopleFile(_File):
    """Everybody who may sign in, by a word that stands for the token."""

    people: Mapping[str, PersonPart]

    def known(self) -> dict[str, Person]:
        """The same as the host's values."""
        return {word: Person(one.oid, one.name, one.roles) for word, one in self.people.items()}


@dataclass(frozen=True)
class Access:
    """What the host checks, and how the platform itself gets in. By default everybody may everything.

    ``role_keys`` is the setting; ``own_token`` stands for the platform's own token.
    """

    keys: Keys | None = None
    people: People | None = None
    role_keys: str = ""
    own_token: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The app's settings, those of App Service itself included: whatever the shell says, these count."""
        return {
            "TEAL_ROLE_KEYS": self.role_keys,
            "TEAL_AUTH_MODE": str(Mode.ENTRA if self.people else Mode.KEYS),
            "WEBSITE_AUTH_ENABLED": "True" if self.people else "",
        }

    def settings(self) -> Settings:
        """The same, as the app reads them."""
        return Settings.from_environment(self.environment)

    @property
    def own_headers(self) -> dict[str, str]:
        """What lets the platform itself in."""
        key = {"x-functions-key": self.keys.master} if self.keys else {}
        return {**key, **({"Authorization": f"Bearer {self.own_token}"} if self.people else {})}

    def event_grid_path(self, path: str) -> str:
        """Where Event Grid posts: it fetches the key by itself."""
        return self.keys.signed(path, "eventgrid") if self.keys else path

    @property
    def example(self) -> str:
        """A header by which somebody is let in; nothing where nobody asks."""
        if self.people:
            return f"Authorization: Bearer {next(iter(self.people.known), 'NAME')}"
        return "x-functions-key: KEY" if self.keys else ""

    @property
    def told(self) -> str:
        """How callers show who they are, in words; nothing where nobody asks."""
        ways = ["x-functions-key: a key of --keys FILE"] if self.keys else []
        ways += ["Authorization: Bearer, and a name of --entra FILE"] if self.people else []
        return "; ".join(ways)


def access(keys: KeysFile | None = None, people: PeopleFile | None = None) -> Access:
    """What follows from the files."""
    token = secrets.token_urlsafe() if people else ""
    own = Person(secrets.token_hex(16), _OWN_NAME, (Role.ADMINISTRATOR,))
    return Access(
        keys.keys() if keys else None,
        People(people.known(), {token: own}) if people else None,
        keys.known() if keys else "",
        token,
    )


def read_access(keys: Path | None, people: Path | None) -> Access:
    """What follows from the files at these paths. Raises ``AccessError``."""
    return access(_read(KeysFile, keys), _read(PeopleFile, people))


def _read(kind: type[F], path: Path | None) -> F | None:
    if path is None:
        return None
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'it'}: {fault['msg']}" for fault in error.errors())
        raise AccessError(f"{path}: {faults}") from None
