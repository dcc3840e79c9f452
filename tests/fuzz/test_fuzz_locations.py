"""Addresses of repositories: read or refused, and a secret in one is never shown."""

from hypothesis import assume
from hypothesis import strategies as st
from support.fuzzing import fuzz, pieces, texts

from troth.errors import InvalidInputError
from troth_statestore.git._location import SCHEMES, Location, scrub

SECRET = "hunter2-S3CR3T"  # noqa: S105  (nobody's)

SCHEME = st.sampled_from([*SCHEMES, *(scheme.upper() for scheme in SCHEMES), "ext", "ftp", "", "x"])
AFTER_SCHEME = st.sampled_from(["://", ":/", "//", ":", "::", ":///", "://://"])
USERS = st.sampled_from(["", "git", "user", "x-token-auth", "us@er", "%40", "a:b", "-u"]) | texts
HOSTS = st.sampled_from(
    ["git.example.com", "localhost:8443", "[::1]", "[::1", "host:port", "", "-oProxyCommand=x"]
)
PATHS = st.lists(pieces, max_size=3).map("/".join)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Something like an address, with a password, a token in the query, or one in the fragment."""
    user, host, path = draw(USERS), draw(HOSTS), draw(PATHS)
    before = draw(st.sampled_from([f"{SECRET}@", f"{user}:{SECRET}@", f"{user}@"]))
    behind = draw(st.sampled_from(["", f"?token={SECRET}", f"#{SECRET}", f"?{SECRET}#{SECRET}"]))
    if before == f"{user}@" and not behind:
        before = f":{SECRET}@"
    separator = draw(st.sampled_from(["/", ":", "/", ""]))
    scheme, after = draw(SCHEME), draw(AFTER_SCHEME)
    assume(scheme.lower() != "file" or after == "://")  # else all that follows is a path
    return f"{scheme}{after}{before}{host}{separator}{path}{behind}"


def shown(url: str) -> list[str]:
    try:
        location = Location.parse(url)
    except InvalidInputError as error:
        return [error.message, str(error), repr(error)]
    return [location.description]


@fuzz(texts | PATHS | st.builds("".join, st.lists(pieces | SCHEME | AFTER_SCHEME, max_size=6)))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    assert shown(text)


@fuzz(addresses())
def test_no_secret_of_an_address_is_shown(url: str) -> None:
    assert not [text for text in shown(url) if SECRET in text]


@fuzz(addresses())
def test_no_address_that_git_is_given_holds_a_password(url: str) -> None:
    try:
        location = Location.parse(url)
    except InvalidInputError:
        return
    url = location.url.lower()
    if SECRET in location.url and not url.startswith("file:"):  # which is sent nowhere
        assert url.startswith(f"ssh://{SECRET.lower()}@")  # the name of a user is no secret


@fuzz(st.lists(texts | addresses(), max_size=4).map(" ".join))
def test_scrubbed_text_scrubs_no_further(text: str) -> None:
    once = scrub(text)

    assert scrub(once) == once
