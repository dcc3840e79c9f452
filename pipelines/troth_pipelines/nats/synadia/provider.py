"""Users made once, credentials issued when asked, users retired once, and who is there.

Each generation of a request is a user of its own. Whatever broke off, whoever else did the same at
the same moment: the next call looks first, and goes on from what is there.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic, sleep
from typing import TypeVar

from troth.errors import InvalidInputError, PermanentError, Reason
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.synadia.choices import (
    DEFAULT_GROUP,
    Found,
    choose_group,
    choose_user,
    differs,
    highest_of,
    mark_of,
    owner_of,
    refuse_other,
)
from troth_pipelines.nats.synadia.control_plane import ControlPlane
from troth_pipelines.nats.synadia.failures import AnswerLostError, ConflictError
from troth_pipelines.nats.synadia.places import Where, find_account
from troth_pipelines.nats.synadia.results import Ensured, Issued, Present, Retired
from troth_pipelines.nats.synadia.settings import SynadiaSettings
from troth_pipelines.nats.synadia.transport import Transport
from troth_pipelines.nats.synadia.values import AccountRef, Group, User, UserRef, Wanted

__all__ = ["SynadiaProvider", "connect"]

T = TypeVar("T")

# Seconds before each look for what may have been made without an answer. Lists may lag behind; what
# is not there at the last look is left to the next run, which looks before it makes anything.
_PAUSES = (0.0, 1.0, 2.0, 4.0)

# Seconds that a credential may be valid for longer than asked: the host's clock may tick meanwhile.
_SLACK = 60


class SynadiaProvider:
    """NATS users of Synadia Cloud or of a Control Plane of one's own.

    Args:
        api: the calls.
        group: the group of signing keys for new users; made when there is none of that name. None
            takes the oldest that is enabled and unscoped, or makes one.
    """

    def __init__(self, api: ControlPlane, group: str | None = None) -> None:
        self._api = api
        self._group = group

    def find_account(self, where: Where) -> AccountRef:
        """Find an account by names or ids; up to three calls.

        Raises:
            InvalidInputError: there is no such team, system or account, or several have the name.
        """
        return find_account(self._api, where)

    def account(self, account: str) -> AccountRef:
        """Show an account by its id, and whether the servers have its newest JWT; one call."""
        return self._api.account(account)

    def ensure(self, account: AccountRef, wanted: Wanted) -> Ensured:
        """Find the user of a generation, or create it; no credentials are issued.

        Where a later generation is there already, that one is meant: whoever asks has forgotten
        it. A number that was given once is not given to another user, nor an old user taken for a
        new one.

        One that is found with other settings, since the request changed meanwhile, gets those
        wanted now. Where several of our own have the name, the oldest counts.

        Raises:
            HeldError: the name is there, and belongs to somebody else.
            AnswerLostError: it was created or not, nobody knows; the next call finds it.
            TransientError, PermanentError: see the message.
        """
        users = self._api.users(account.id)
        highest = highest_of(users, wanted.name, wanted.owner)
        wanted = replace(wanted, generation=max(wanted.generation, highest))
        found, made = choose_user(users, wanted.user_name, wanted.owner), False
        if found is None:
            found, made = self._create(account, wanted), True
        user = found.user
        if differs(user, wanted.spec):
            user = self._change(user, wanted)
        spares = tuple(spare.ref for spare in found.spares)
        return Ensured(user.ref, wanted.generation, made, spares, user.server_urls)

    def issue(self, account: AccountRef, user: UserRef, lifetime: int, now: int) -> Issued:
        """Issue credentials; every call is an issuance of its own, so ask once a generation.

        Args:
            account: the account they have to be for.
            user: as `ensure` returned it.
            lifetime: seconds that they may be valid at most.
            now: Unix seconds.

        Raises:
            AnswerLostError: they may have been issued, and nobody has them.
            PermanentError: what came is not what was asked for; it is thrown away.
        """
        text = self._api.creds(user.id)
        try:
            credentials = Credentials.parse(text)
            credentials.check(account.public_key, now)
            return Issued.of(credentials, _checked_end(credentials, user, lifetime))
        except InvalidInputError as error:
            problem = error.message
        raise PermanentError(
            Reason.PROVIDER_ANSWER_INVALID,
            f"Synadia issued credentials of user {user.name!r} that are thrown away: {problem}",
        )

    def retire(
        self, account: AccountRef, user: UserRef, owner: str, *, revoke: bool = True
    ) -> Retired:
        """End a user: revoke its key, then delete it. What is done already is no error.

        Args:
            account: where it is.
            user: as `ensure` returned it.
            owner: whose it is; another's is left alone.
            revoke: False where all its credentials have ended by themselves; a revocation makes
                the account's JWT longer.

        Raises:
            HeldError: the user of that id is another, or not the owner's.
            TransientError, PermanentError: see the message.
        """
        there = self._api.user(user.id)
        keys = {user.public_key}
        if there is not None:
            refuse_other(there, user, owner)
            keys.add(there.public_key)  # another one where somebody rotated it
        if revoke:
            known = [self._api.revoke(account.id, key) for key in sorted(keys)]
            if not all(known):
                self._prove_gone(account)
                return Retired(revoked=False, deleted=False, account_gone=True)
        elif there is None:
            # Nothing was asked yet that a wrong address would not have answered the same way.
            gone = account.id not in self._accounts_of(account)
            return Retired(revoked=False, deleted=False, account_gone=gone)
        deleted = there is not None and self._api.delete_user(user.id)
        return Retired(revoked=revoke, deleted=deleted)

    def drift(self, account: AccountRef) -> frozenset[Present]:
        """Return all users of an account, whoever made them; one call."""
        return frozenset(
            Present(user.ref, owner_of(user), user.expires_in)
            for user in self._api.users(account.id)
        )

    def standing(self, account: AccountRef) -> Account:
        """Return what the account's JWT says: whose signatures it takes, who is revoked; one call.

        Credentials whose issuer it does not take are dead, however long they were to live.
        """
        return self._api.standing(account.id)

    @property
    def calls(self) -> int:
        """How many calls were sent so far."""
        return self._api.calls

    def pause(self, seconds: float) -> bool:
        """Wait, unless there is no time for it; tell whether there was."""
        return self._api.pause(seconds)

    def _look(self, account: AccountRef, wanted: Wanted) -> Found | None:
        return choose_user(self._api.users(account.id), wanted.user_name, wanted.owner)

    def _create(self, account: AccountRef, wanted: Wanted) -> Found:
        group = self._ensure_group(account, wanted)
        tags = [mark_of(wanted.owner)]
        try:
            user = self._api.create_user(account.id, group, wanted, tags)
        except (AnswerLostError, ConflictError) as error:
            lost = error
        else:
            # Another run may have made one at the same moment; both see both, and agree.
            users = {user.id: user} | {one.id: one for one in self._api.users(account.id)}
            return choose_user(users.values(), wanted.user_name, wanted.owner) or Found(user)
        found = self._until(lambda: self._look(account, wanted))
        if found is None:
            raise lost
        return found

    def _ensure_group(self, account: AccountRef, wanted: Wanted) -> Group:
        def choose() -> Group | None:
            return choose_group(self._api.groups(account.id), self._group, wanted.spec)

        if (group := choose()) is not None:
            return group
        try:
            return self._api.create_group(account.id, self._group or DEFAULT_GROUP)
        except (AnswerLostError, ConflictError) as error:
            lost = error
        group = self._until(choose)
        if group is None:
            raise lost
        return group

    def _until(self, look: Callable[[], T | None]) -> T | None:
        """Look a few times, as lists may lag behind what was made."""
        for pause in _PAUSES:
            if not self._api.pause(pause):
                return None
            if (found := look()) is not None:
                return found
        return None

    def _change(self, user: User, wanted: Wanted) -> User:
        changed = self._api.update_user(user, wanted.spec, [mark_of(wanted.owner)])
        if differs(changed, wanted.spec):
            raise PermanentError(
                Reason.PROVIDER_REFUSED,
                f"Synadia was asked to give user {user.name!r} other permissions, limits or "
                "another lifetime, and did not. Look there whether its signing-key group or its "
                "account decides them.",
            )
        return changed

    def _accounts_of(self, account: AccountRef) -> frozenset[str]:
        return frozenset(one.id for one in self._api.accounts(account.system))

    def _prove_gone(self, account: AccountRef) -> None:
        """Make sure that an account is not only hidden: its system is seen, and has it no more."""
        if account.id in self._accounts_of(account):
            raise PermanentError(
                Reason.PROVIDER_REFUSED,
                f"Synadia lists account {account.name!r} ({account.id}), and says that there is "
                "no such account when asked to revoke a key in it. Nothing was deleted; check the "
                "role of the token's owner.",
            )


@contextmanager
def connect(
    settings: SynadiaSettings,
    group: str | None = None,
    wait: Callable[[float], None] = sleep,
    clock: Callable[[], float] = monotonic,
) -> Generator[SynadiaProvider]:
    """Give the provider for one run, and close its connections at the end.

    Args:
        settings: address, token, trust and patience.
        group: see `SynadiaProvider`.
        wait: waits for so many seconds.
        clock: seconds that only ever grow; not the time of day.
    """
    with Transport(settings, wait, clock) as transport:
        yield SynadiaProvider(ControlPlane(transport), group)


def _checked_end(credentials: Credentials, user: UserRef, lifetime: int) -> int:
    """Return when credentials end.

    Raises:
        InvalidInputError: they are another user's, or end too late or never.
    """
    claims = credentials.claims
    if claims.subject != user.public_key:
        raise _wrong(
            f"they are of the key {claims.subject}, not of {user.public_key}; somebody rotated it. "
            "Run it again."
        )
    if claims.expires is None:
        raise _wrong(f"they never end, where {lifetime} s were asked for.")
    if claims.expires - claims.issued > lifetime + _SLACK:
        length = claims.expires - claims.issued
        raise _wrong(f"they are valid for {length} s, where {lifetime} s were asked for.")
    return claims.expires


def _wrong(text: str) -> InvalidInputError:
    return InvalidInputError(Reason.PROVIDER_ANSWER_INVALID, text)
