"""Choose and open the state stores that a command means, and look at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.api import Destination, GitStateStore, StorePolicy
from troth.engine import View
from troth.errors import InvalidInputError, NotServedError, Reason, TrothError
from troth_statestore import Snapshot, StateStore
from troth_statestore.directory import DirectoryStore
from troth_statestore.git import Author, GitSettings, GitStore, create_bare, local_folder

__all__ = ["StoreChoice", "choose", "exists", "is_remote", "look", "open_store"]

_DIRECTORY = "dir:"
_ANONYMOUS = Author()
_NO_POLICY = StorePolicy()


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """Where a store is, before it is opened.

    `location` is a URL, a path, or ``dir:PATH``; `path` is the folder in it that is ours; `policy`
    is what its object says, if it has one.
    """

    location: str
    branch: str = "main"
    path: str = ""
    author: Author = _ANONYMOUS
    policy: StorePolicy = _NO_POLICY


def choose(
    option: str | None,
    branch: str | None,
    destinations: Iterable[Destination],
    stores: Mapping[str, GitStateStore],
) -> dict[str, StoreChoice]:
    """Return the stores that a command means, by name; a single one has the name "".

    Args:
        option: the one for everything, if there is one.
        branch: its branch, or that of all.
        destinations: refer to stores.
        stores: the objects, by name.

    Raises:
        InvalidInputError: there is none, a reference leads nowhere, or two are the same place.
        NotServedError: one is of another kind, or needs credentials.
    """
    if option is not None:
        return {"": StoreChoice(option, branch or "main")}
    references = {one.store for one in destinations if one.store is not None}
    for kind in sorted({reference.kind for reference in references} - {"GitStateStore"}):
        message = (
            f"Destinations refer to a {kind}, and this version writes only to a GitStateStore; "
            "choose the store with --state-store."
        )
        raise NotServedError(Reason.STATE_STORE_UNSUPPORTED, message)
    # Those that nothing refers to any more may still hold what was written earlier.
    idle = {name for name, store in stores.items() if not store.needs_credentials}
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
    chosen = {name: _choice(name, branch, stores) for name in names}
    _refuse_same_place(chosen)
    return chosen if len(chosen) > 1 else {"": chosen[names[0]]}


def _refuse_same_place(chosen: Mapping[str, StoreChoice]) -> None:
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


def _choice(name: str, branch: str | None, stores: Mapping[str, GitStateStore]) -> StoreChoice:
    store = stores.get(name)
    if store is None:
        message = f"the state store {name!r} that Destinations refer to is not among the files."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if store.needs_credentials:
        message = (
            f"GitStateStore {store.name} has a secretRef, which this version cannot resolve; give "
            "--state-store a URL that needs none."
        )
        raise NotServedError(Reason.STATE_STORE_UNSUPPORTED, message)
    author = Author(store.author_name, store.author_email or _ANONYMOUS.email)
    return StoreChoice(store.url, branch or store.branch, store.path, author, store.policy)


def exists(choice: StoreChoice) -> bool:
    """Tell whether there is something at a store's place; a remote host counts as something."""
    if choice.location.startswith(_DIRECTORY):
        return True  # a folder that is not there is an empty store
    folder = local_folder(choice.location)
    return folder is None or folder.exists()


def is_remote(choice: StoreChoice) -> bool:
    """Tell whether a store is on a host that may ask for few pushes."""
    return not choice.location.startswith(_DIRECTORY) and local_folder(choice.location) is None


def open_store(choice: StoreChoice, *, create: bool) -> StateStore:
    """Open a store; a path that does not exist becomes a bare repository when `create` is set.

    Raises:
        InvalidInputError: the path is something else than a store.
        StoreError, TransientError: as the store itself says.
    """
    if choice.location.startswith(_DIRECTORY):
        return DirectoryStore(Path(choice.location.removeprefix(_DIRECTORY)) / choice.path)
    folder = local_folder(choice.location)
    settings = GitSettings(author=choice.author)
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
