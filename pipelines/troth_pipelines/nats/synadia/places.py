"""Find an account by what people write: ids or names of a team, a system, and the account.

Needed once for a request; afterwards its state holds the account's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from troth.errors import InvalidInputError, Reason, shorten
from troth_pipelines.nats.synadia.control_plane import ControlPlane
from troth_pipelines.nats.synadia.values import AccountRef

__all__ = ["Where", "find_account"]

_SHOWN = 500  # characters of the names that a message lists


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class Where:
    """Where an account is; each part is an id or a name.

    Attributes:
        account: its name counts within the system; without a system it has to be an id.
        system: without a team it has to be an id.
    """

    account: str
    system: str | None = None
    team: str | None = None


def find_account(api: ControlPlane, where: Where) -> AccountRef:
    """Find the account, and what states keep of it.

    Raises:
        InvalidInputError: there is no such team, system or account, or several have the name.
        TransientError, PermanentError: as `ControlPlane` raises them.
    """
    if where.system is None:
        if where.team is not None:
            raise InvalidInputError(
                Reason.INVALID_OBJECT,
                f"Team {where.team!r} is named, but no system in it: name the system of account "
                f"{where.account!r} too.",
            )
        return api.account(where.account)
    system = where.system
    if where.team is not None:
        team = _pick(api.teams(), where.team, "team").id
        system = _pick(api.systems(team), system, f"system of team {where.team!r}").id
    return _pick(api.accounts(system), where.account, f"account of system {where.system!r}")


def _pick(things: Sequence[N], wanted: str, what: str) -> N:
    for thing in things:
        if thing.id == wanted:
            return thing
    named = [thing for thing in things if thing.name == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(thing.id for thing in named))
        problem = f"{len(named)} have that name; give the id of one: {ids}"
    else:
        names = ", ".join(sorted(repr(thing.name) for thing in things)) or "none"
        problem = f"the token sees {names}"
    raise InvalidInputError(
        Reason.INVALID_OBJECT,
        f"Synadia has no single {what} called {wanted!r}: {shorten(problem, _SHOWN)}.",
    )
