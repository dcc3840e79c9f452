"""Choose and open the state stores that a command means, and look at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from troth.api import AuthMethod, CommitEach, Destination, GitStateStore, StorePolicy
from troth.engine import View
from troth.errors import InvalidInputError, NotServedError, Reason, TrothError
from troth.local.commit_policy import CommitPolicy, policy_of
from troth.local.ways_in import WaysIn
from troth_statestore import Snapshot, StateStore
from troth_statestore.directory import DirectoryStore
from troth_statestore.git import (
    Author,
    Credentials,
    GitSettings,
    GitStore,
    create_bare,
    described,
    local_folder,
)

__all__ = [
    "StoreChoice",
    "choose",
    "exists",
    "is_remote",
    "look",
    "meant",
    "named",
    "of_object",
    "open_store",
    "place_of",
    "refuse_same_place",
]

_DIRECTORY = "dir:"
_NO_POLICY = StorePolicy()
_NO_WAYS = WaysIn()


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """Where a store is, before it is opened.

    `location` is a URL, a path, or ``dir:PATH``; `path` is the folder in it that is ours. `name` is
    the GitStateStore's, "" where it is none; `policy` is what that object says.
    """

    location: str
    branch: str = "main"
    path: str = ""
    commits: CommitPolicy = field(default_factory=CommitPolicy)
    policy: StorePolicy = _NO_POLICY
    name: str = ""
    credentials: Credentials | None = None
    ca_file: Path | None = None


def named(option: str, branch: str | None, ways: WaysIn = _NO_WAYS) -> StoreChoice:
    """Return the store that a command names itself.

    Raises:
        InvalidInputError: its address is wrong.
    """
    credentials = None if option.startswith(_DIRECTORY) else ways.to(option)
    return StoreChoice(
        option,
        branch or "main",
        commits=ways.commits,
        credentials=credentials,
        ca_file=ways.ca_file,
    )


def choose(
    option: str | None,
    branch: str | None,
    destinations: Iterable[Destination],
    stores: Mapping[str, GitStateStore],
    ways: WaysIn = _NO_WAYS,
) -> dict[str, StoreChoice]:
    """Return the stores that a command means, by name; a single one has the name "".

    Args:
        option: the one for everything, if there is one.
        branch: its branch, or that of all.
        destinations: refer to stores.
        stores: the objects, by name.
        ways: what there is to log in with.

    Raises:
        InvalidInputError: there is none, a reference leads nowhere, two are the same place, or it
            is not known where a login is to come from.
        NotServedError: one is of another kind, or wants a login of a kind that is not served.
    """
    if option is not None:
        return {"": named(option, branch, ways)}
    names = meant(destinations, stores, ways)
    chosen = {name: of_object(name, branch, stores, ways) for name in names}
    refuse_same_place(chosen)
    return chosen if len(chosen) > 1 else {"": chosen[names[0]]}


def meant(
    destinations: Iterable[Destination], stores: Mapping[str, GitStateStore], ways: WaysIn
) -> list[str]:
    """Return the names of the stores that a command means when it names none itself.

    Raises:
        InvalidInputError: there is none, there are several to choose from, or the login that was
            given has no store to be for.
        NotServedError: one is of another kind.
    """
    references = {one.store for one in destinations if one.store is not None}
    for kind in sorted({reference.kind for reference in references} - {"GitStateStore"}):
        message = (
            f"Destinations refer to a {kind}, and this version writes only to a GitStateStore; "
            "choose the store with --state-store."
        )
        raise NotServedError(Reason.STATE_STORE_UNSUPPORTED, message)
    if ways.has_login:
        message = (
            "a login was given, and it is for --state-store, which was not; a GitStateStore has "
            "its own by spec.secretRef, with --secrets-dir."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    # Those that nothing refers to any more may still hold what was written earlier.
    idle = {name for name, store in stores.items() if _can_be_entered(store, ways)}
    names = sorted({reference.name for reference in references} | idle) or sorted(stores)
    if not names:
        message = "no state store: give --state-store URL|DIR, or a GitStateStore object."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if not references and len(names) > 1:
        message = (
            f"there are several state stores ({', '.join(names)}) and no Destination refers to "
            "one; choose it with --state-store, or give a Destination."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return names


def _can_be_entered(store: GitStateStore, ways: WaysIn) -> bool:
    served = store.auth_method is not AuthMethod.GITHUB_APP
    return served and (store.secret is None or ways.secrets is not None)


def refuse_same_place(chosen: Mapping[str, StoreChoice]) -> None:
    """Refuse two stores that would write over each other.

    Raises:
        InvalidInputError: two names stand for the same folder of the same branch.
    """
    places: dict[tuple[str, str, str], str] = {}
    for name, choice in chosen.items():
        place = (choice.location, choice.branch, choice.path)
        if place in places:
            message = (
                f"GitStateStores {places[place]} and {name} are the same place: {choice.branch} of "
                f"{choice.location}. Let the Destinations refer to one of them."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        places[place] = name


def of_object(
    name: str, branch: str | None, stores: Mapping[str, GitStateStore], ways: WaysIn
) -> StoreChoice:
    """Return the store that a GitStateStore stands for.

    Raises:
        InvalidInputError: there is no such object, or it is not known where Secrets are.
        NotServedError: it wants a login of a kind that is not served.
    """
    store = stores.get(name)
    if store is None:
        message = f"the state store {name!r} that Destinations refer to is not among the files."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return StoreChoice(
        location=store.url,
        branch=branch or store.branch,
        path=store.path,
        commits=ways.commits.or_else(policy_of(store, ways.secrets)),
        policy=store.policy,
        name=name,
        credentials=ways.to_store(store),
        ca_file=ways.ca_file,
    )


def place_of(choice: StoreChoice) -> str:
    """Return where a store is, as people may be shown it; "" where the address is wrong."""
    if choice.location.startswith(_DIRECTORY):
        return choice.location
    try:
        return described(choice.location)
    except InvalidInputError:
        return ""  # whoever opens it says what is wrong


def exists(choice: StoreChoice) -> bool:
    """Tell whether there is something at a store's place; a remote host counts as something."""
    if choice.location.startswith(_DIRECTORY):
        return True  # a folder that is not there is an empty store
    folder = local_folder(choice.location)
    return folder is None or folder.exists()


def is_remote(choice: StoreChoice) -> bool:
    """Tell whether a store is on a host that may ask for few pushes."""
    return not choice.location.startswith(_DIRECTORY) and local_folder(choice.location) is None


def open_store(
    choice: StoreChoice, *, create: bool, writes: bool = False, accept_remote: bool = False
) -> StateStore:
    """Open a store.

    Args:
        choice: where it is.
        create: whether a path that does not exist becomes a bare repository, to be written to.
        writes: whether it will be written to in any case.
        accept_remote: whether branches that were set back are taken as they are.

    Raises:
        InvalidInputError: the path is something else than a store.
        StoreError, TransientError: as the store itself says.
    """
    if choice.location.startswith(_DIRECTORY):
        return DirectoryStore(Path(choice.location.removeprefix(_DIRECTORY)) / choice.path)
    folder = local_folder(choice.location)
    settings = GitSettings(
        author=choice.commits.author or Author(),
        one_commit_a_flush=choice.commits.each is CommitEach.FLUSH,
        signing_key=choice.commits.signing_key,
        credentials=choice.credentials,
        ca_file=choice.ca_file,
        read_only=not (create or writes),
        accept_remote=accept_remote,
    )
    store = GitStore(choice.location, choice.branch, choice.path, settings)  # judges the branch
    if folder is not None:
        _check_local(folder, choice, create=create)
    return store


def _check_local(path: Path, choice: StoreChoice, *, create: bool) -> None:
    if path.is_dir() and ((path / "HEAD").is_file() or (path / ".git").exists()):
        return
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        message = (
            f"{path} exists and is no Git repository; for a plain folder write "
            f"--state-store {_DIRECTORY}{path}."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if not create:
        message = f"there is no state store at {path} yet; troth sync makes it."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    create_bare(path, choice.branch)


def look(stores: Mapping[str, StateStore]) -> View:
    """Return what the stores hold now; of several, some may be out of reach.

    Raises:
        StoreError, TransientError: none can be read.
    """
    snapshots: dict[str, Snapshot] = {}
    unreached: dict[str, TrothError] = {}
    for name, store in sorted(stores.items()):
        try:
            snapshots[name] = store.snapshot()
        except TrothError as error:
            unreached[name] = error
    if not snapshots:
        raise next(iter(unreached.values()))
    return View(snapshots, unreached)
