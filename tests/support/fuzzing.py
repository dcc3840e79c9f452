"""Fuzzing: properties tried on whatever comes to hypothesis' mind, for as long as one likes.

In the suite each is tried a few hundred times, with the same examples in every run.
``TROTH_FUZZ_SECONDS=60`` tries each for so long, with other examples every time.
"""

import os
import secrets
import time
from collections.abc import Callable

import hypothesis
from hypothesis import HealthCheck
from hypothesis import strategies as st

from troth.api import Json

__all__ = ["SECONDS", "fuzz", "json_values", "owners", "pieces", "safe_paths", "texts"]

# Read when tests are collected: later no variable of the machine is there any more.
SECONDS = float(os.environ.get("TROTH_FUZZ_SECONDS", "0"))

_EXAMPLES = 100

_SETTINGS = hypothesis.settings(
    max_examples=_EXAMPLES if not SECONDS else 1000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def fuzz(
    *strategies: st.SearchStrategy[object],
) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make a test of a property over examples of these strategies."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            until = time.monotonic() + SECONDS
            seed = secrets.randbits(64) if SECONDS else 0
            while True:
                hypothesis.seed(seed)(_SETTINGS(hypothesis.given(*strategies)(check)))()
                seed += 1
                if time.monotonic() >= until:
                    break

        test.__name__ = test.__qualname__ = check.__name__
        test.__module__ = check.__module__
        return test

    return decorate


# Parts of paths that somebody, somewhere, takes for something else than they seem.
_ODD_PIECES = (
    *(".troth", ".TROTH", ".trothy"),
    *("", ".", "..", "...", " ", ".git", ".GIT", ".Git ", ".git.", ".git::$INDEX_ALLOCATION"),
    *(
        "git~1",
        "GIT~1",
        "git~2",
        ".g\u200cit",
        "\ufeff.git",
        ".g\u0131t",
        ".troth",
        ".TROTH",
        ".trothy",
    ),
    *(
        ".gitmodules",
        ".gitattributes",
        "a",
        "b",
        "a.yaml",
        "-",
        "-rf",
        "~",
        "con",
        "nul.txt",
        "a:b",
    ),
    *("\\", "a\\b", "..\\..", "\0", "\n", "\x7f", "\u2028", "ü", "u\u0308", "\ud800", "x" * 255),
    *("x" * 256, "ü" * 127, "ü" * 128, "%2e%2e", "5058f", "static", "resources", "dependencies"),
)

texts = st.text(max_size=30) | st.text(st.characters(codec=None), max_size=30)

pieces = st.sampled_from(_ODD_PIECES) | texts

_LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
_ODD_NAMES = st.sampled_from(
    ["a", "a.b", "a-b", "resources", "dependencies", "static", "5058f", "x.yaml", "promises",
     "requests", "revisions", "git", "a.git", "0", "a" * 63, f"{'a' * 63}.{'b' * 63}"]
)  # fmt: skip
_NAME = _ODD_NAMES | st.lists(_LABEL, min_size=1, max_size=3).map(".".join)

owners = st.tuples(_LABEL | st.sampled_from(["resources", "5058f", "a" * 63]), _NAME, _NAME) | (
    st.tuples(st.just(""), _NAME, st.just(""))
)
"""Namespace, Promise and name as Kubernetes allows them; of a Promise, only the second."""

safe_paths = st.lists(
    st.sampled_from(["a", "b", "a.yaml", "resources", "dependencies", "ü", "5058f", "static"])
    | _NAME,
    min_size=1,
    max_size=4,
).map("/".join)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
)

json_values: st.SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
