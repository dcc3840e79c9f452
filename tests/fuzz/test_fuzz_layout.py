"""Layouts: nobody's files lie in another's folder, and a key tells whose record it is."""

from hypothesis import assume
from hypothesis import strategies as st
from support.fuzzing import fuzz, owners, pieces, safe_paths, texts

from troth.api import Destination, RequestKey, StoreRef
from troth.api.destination import same_place
from troth.engine.ledger import names_in
from troth_statestore import (
    Owner,
    flat_file,
    group_id,
    nested_folder,
    nested_group,
    record_key,
    revision_key,
    why_unsafe,
)
from troth_statestore.layout import namespace_of

FOLDERS = st.just("") | safe_paths
DIRECTORIES = st.just(".") | safe_paths
KEYS = st.lists(pieces | st.sampled_from(["requests", "promises", "revisions"]), max_size=6)


def within(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/")


@fuzz(FOLDERS, owners, owners)
def test_two_owners_share_no_folder_and_neither_lies_in_the_others(
    folder: str, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assume(one != other)
    first, second = nested_folder(folder, Owner(*one)), nested_folder(folder, Owner(*other))

    assert not within(first, second)
    assert not within(second, first)


@fuzz(FOLDERS, FOLDERS, owners, owners)
def test_two_destinations_that_are_let_beside_each_other_share_no_folder_of_an_owner(
    one_path: str, other_path: str, one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    store = StoreRef("GitStateStore", "fleet")
    first, second = (
        Destination(name, {}, path, store) for name, path in (("a", one_path), ("b", other_path))
    )
    assume(same_place(first, second) is None)
    here, there = nested_folder(one_path, Owner(*one)), nested_folder(other_path, Owner(*other))

    assert not within(here, there)
    assert not within(there, here)


@fuzz(owners, owners)
def test_two_owners_have_two_records_and_none_is_a_folder_of_the_other(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assume(one != other)
    first, second = record_key(Owner(*one)), record_key(Owner(*other))

    assert not within(first, second)
    assert not within(second, first)


@fuzz(owners)
def test_the_key_of_a_record_tells_whose_it_is(owner: tuple[str, str, str]) -> None:
    key = record_key(Owner(*owner))

    assert names_in(key) == RequestKey(*owner)
    assert namespace_of(key) == (owner[0] or None)


@fuzz(KEYS.map("/".join))
def test_any_key_tells_of_somebody_or_of_nobody(key: str) -> None:
    found, namespace = names_in(key), namespace_of(key)

    assert found is None or isinstance(found, RequestKey)
    if namespace is not None:
        assert found is not None
        assert found.namespace == namespace


@fuzz(texts)
def test_the_key_of_a_revision_tells_of_nobody(digest: str) -> None:
    key = revision_key(digest)

    assert names_in(key) is None
    assert namespace_of(key) is None


@fuzz(FOLDERS, owners, DIRECTORIES, safe_paths)
def test_what_layouts_make_of_names_is_safe(
    folder: str, owner: tuple[str, str, str], directory: str, file: str
) -> None:
    group = nested_group(folder, Owner(*owner), "configure" if owner[2] else "", directory)

    assert why_unsafe(f"{group}/{file}") is None
    assert why_unsafe(flat_file(folder, file)) is None
    assert why_unsafe(record_key(Owner(*owner))) is None


@fuzz(owners, st.sampled_from(["configure", "5058f", "static", "a"]), DIRECTORIES, DIRECTORIES)
def test_two_groups_of_a_pipeline_share_a_folder_only_where_their_ids_are_one(
    owner: tuple[str, str, str], pipeline: str, one: str, other: str
) -> None:
    first, second = (nested_group("", Owner(*owner), pipeline, path) for path in (one, other))

    assert (first == second) == (group_id(one) == group_id(other))
    assert not within(first, second) or first == second


@fuzz(owners, st.sampled_from(["configure", "5058f", "static", "dependencies"]), DIRECTORIES)
def test_the_static_dependencies_of_a_promise_are_in_no_group_of_its_pipelines(
    owner: tuple[str, str, str], pipeline: str, directory: str
) -> None:
    promise = Owner("", owner[1], "")
    static = f"{nested_group('', promise, '', '.')}/static"

    assert not within(static, nested_group("", promise, pipeline, directory))
    assert not within(nested_group("", promise, pipeline, directory), static)
