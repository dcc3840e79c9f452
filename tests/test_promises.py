"""What every bundle in promises/ has, beyond what ``troth test`` asks of any bundle."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundles import bundles, requests

from troth.api import Fields, JsonObject, Promise, is_object, load_object


def promise_of(bundle: Path) -> Promise:
    return Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_a_bundle_has_a_fence_and_requests_enough(bundle: Path) -> None:
    promise = promise_of(bundle)
    assert promise.name == bundle.name
    assert promise.fence.declared
    assert len(requests(bundle)) >= 5


def fields_of(schema: JsonObject, prefix: str = "") -> Iterator[str]:
    for name, child in Fields(schema).mapping("properties").items():
        assert is_object(child)
        yield prefix + name
        yield from fields_of(child, f"{prefix}{name}.")
        yield from fields_of(Fields(child).mapping("items"), f"{prefix}{name}[].")


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_the_readme_explains_every_field(bundle: Path) -> None:
    promise = promise_of(bundle)
    assert promise.api is not None
    explained = (bundle / "README.md").read_text()
    for schema in promise.api.schemas.values():
        spec = Fields(schema).section("properties").mapping("spec")
        # "network" alone is only the way to its fields
        missing = [
            n for n in fields_of(spec) if f"`{n}`" not in explained and f"`{n}." not in explained
        ]
        assert missing == []
