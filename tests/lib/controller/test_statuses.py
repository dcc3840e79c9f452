"""What has to be written for a status to say what it should."""

from hypothesis import given
from hypothesis import strategies as st

from troth.api import Json, JsonObject, is_object
from troth.controller.statuses import news

KEYS = st.sampled_from("abc")
# A merge patch cannot say null, and no status of ours does.
LEAVES: st.SearchStrategy[Json] = st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"])
VALUES: st.SearchStrategy[Json] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=3)


def merged(target: Json, patch: Json) -> Json:
    """Return what RFC 7386, section 2, makes of them."""
    if not is_object(patch):
        return patch
    found: dict[str, Json] = dict(target) if is_object(target) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


@given(before=OBJECTS, after=OBJECTS)
def test_the_patch_makes_one_status_of_the_other(before: JsonObject, after: JsonObject) -> None:
    assert merged(before, news(before, after)) == after


@given(status=OBJECTS)
def test_nothing_is_written_where_it_says_so_already(status: JsonObject) -> None:
    assert news(status, status) == {}


@given(before=OBJECTS, after=OBJECTS)
def test_what_stays_is_not_written(before: JsonObject, after: JsonObject) -> None:
    patch = news(before, after)

    assert all(before.get(key) != after.get(key) or key not in before for key in patch)
