"""A platform over real Git stores, and people who commit to them."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from support.platform import Platform, config_map, destination, promise
from support.repositories import RECORDS, Clone, Remote, git

from troth.api import dump_documents
from troth.engine import Change, Ledger, View, World
from troth.engine.history import Past
from troth.errors import TrothError
from troth.local.past import hand_over, histories
from troth.runners import StageJob, StageResult
from troth_statestore import Receipt, StateStore
from troth_statestore.git import GitStore

__all__ = ["GitPlatform", "two_stores"]


@dataclass
class GitPlatform:
    """Platform, its remotes by the stores' names, and a clone of each."""

    platform: Platform
    remotes: dict[str, Remote]
    clones: dict[str, Clone]

    @classmethod
    def make(
        cls, folder: Path, exits: ExitStack, platform: Callable[..., Platform], *others: str
    ) -> "GitPlatform":
        """Make the platform with a Git store, and one for each of `others` beside it."""
        names = ["main", *others] if others else [""]
        remotes = {name: Remote.create(folder / f"{name or 'fleet'}.git") for name in names}
        opened: dict[str, StateStore] = {}
        for name, remote in remotes.items():
            store = GitStore(str(remote.folder))
            exits.callback(store.close)
            opened[name] = store
        first = opened.pop(names[0])
        made = platform(store=first, others=opened)
        clones = {name: one.clone(folder / f"clone-{name}") for name, one in remotes.items()}
        return cls(made, remotes, clones)

    @property
    def stores(self) -> dict[str, StateStore]:
        """The stores by name."""
        main = self.platform.store
        return {"main": main, **self.platform.others} if self.platform.others else {"": main}

    @property
    def past(self) -> Past:
        """What the stores hold and held, with the Destinations given."""
        view = View({name: store.snapshot() for name, store in self.stores.items()})
        world = World(
            {}, {one.name: one for one in self.platform.destinations}, tuple(sorted(self.stores))
        )
        return Past(Ledger.read(view), histories(self.stores), world)

    def hand_over(self, change: Change) -> Receipt:
        """Write a change."""
        [fate] = hand_over(self.stores, [change])
        assert not isinstance(fate, TrothError), fate
        return fate

    def tip(self, store: str = "") -> str:
        """Return the newest commit of a store's files."""
        return self.remotes[store].tip()

    def break_record(self, name: str, content: str = "broken: [", namespace: str = "team") -> None:
        """Spoil the record of a request as a person would, on the branch of the records."""
        clone = self.clones[""].folder
        git("-C", clone, "fetch", "-q", "origin")
        git("-C", clone, "checkout", "-q", "-f", "--detach", f"origin/{RECORDS}")
        [path] = clone.glob(f"requests/*/{namespace}/*/{name}.yaml")
        path.write_text(content)
        git("-C", clone, "commit", "-q", "-am", "Spoil it")
        git("-C", clone, "push", "-q", "origin", f"HEAD:{RECORDS}")
        git("-C", clone, "checkout", "-q", "-f", "-B", "main", "origin/main")

    def push(self, files: dict[str, str], message: str = "By hand", store: str = "") -> str:
        """Commit files as a person does; return the commit."""
        return self.clones[store].push(files, message)


def _two_places(job: StageJob) -> StageResult:
    spec = job.object["spec"]
    assert isinstance(spec, dict)
    near, far = str(spec["value"]), str(spec.get("colour"))
    files = {
        "near.yaml": dump_documents([config_map("near", value=near)]),
        "far/far.yaml": dump_documents([config_map("far", value=far)]),
    }
    selectors = dump_documents([[{"directory": "far", "matchLabels": {"role": "far"}}]])
    return StageResult(files, {"destination-selectors.yaml": selectors})


def two_stores(folder: Path, exits: ExitStack) -> GitPlatform:
    """Make one whose requests have files in the stores main (spec.value) and other (colour)."""
    git = GitPlatform.make(folder, exits, Platform, "other")
    git.platform.stages["configure"] = _two_places
    git.platform.promises = [promise(selectors={"role": "near"})]
    git.platform.destinations = [
        destination("near", store="main", role="near"),
        destination("far", store="other", role="far"),
    ]
    return git
