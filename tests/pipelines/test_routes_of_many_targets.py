"""Two hundred random sets of targets: no route is anybody's twice, in whatever order they come.

The stages are the real ones and the engine is the real one; what is checked are the files.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.platform import Platform

from troth.api import (
    Document,
    Json,
    JsonObject,
    Promise,
    ResourceRequest,
    dump_documents,
    load_object,
)
from troth.engine import Submission
from troth.runners import StageJob, StageResult
from troth.sdk import find_stage, run_stage

BUNDLES = Path(__file__).parents[2] / "promises"
API = "marketplace.troth.dev/v1alpha1"


def render(job: StageJob) -> StageResult:
    """Run the stage that a pipeline names, on a folder with the file contract."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("input", "output", "metadata"):
            (root / folder).mkdir()
        (root / "input/object.yaml").write_bytes(dump_documents([job.object]))
        [container] = job.pipeline.containers
        run_stage(find_stage(container.args[0]), root, {**job.environ, **container.literals})
        found = {
            folder: {path.name: path.read_bytes() for path in sorted((root / folder).iterdir())}
            for folder in ("output", "metadata")
        }
    return StageResult(found["output"], found["metadata"])


def bundle(name: str) -> Promise:
    path = BUNDLES / name / "promise.yaml"
    return Promise.parse(load_object(path.read_text(), str(path)))


def platform() -> Platform:
    promises = [bundle("api-aggregator"), bundle("api-aggregator-target")]
    names = {pipeline.name for one in promises for pipeline in one.workflows.resource_configure}
    return Platform(stages=dict.fromkeys(names, render), promises=promises)


def submission(kind: str, namespace: str, name: str, spec: JsonObject) -> Submission:
    raw: JsonObject = {
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    document = Document(raw, f"{name}.yaml", "", 0)
    return Submission(ResourceRequest.parse(raw), document, "requests")


HOSTS = ("api.example.com", "www.example.com", "*.example.com")
AGGREGATOR = submission(
    "ApiAggregator",
    "platform",
    "public",
    {"gateway": {"className": "nginx"}, "hosts": [{"name": host} for host in HOSTS]},
)

paths = st.builds(
    lambda kind, value: {"type": kind, "value": value},
    st.sampled_from(["Prefix", "Exact"]),
    st.sampled_from(["/", "/a", "/a/b", "/a/", "/b", "/ab"]),
)
routes = st.fixed_dictionaries(
    {"path": paths, "service": st.just({"name": "api", "port": 80})},
    optional={
        "methods": st.lists(st.sampled_from(["GET", "POST"]), min_size=1, unique=True),
        "headers": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["X-A", "x-a"]), "value": st.sampled_from("12")}
            ),
            max_size=1,
        ),
    },
)
specs = st.fixed_dictionaries(
    {
        "aggregatorRef": st.just({"name": "public", "namespace": "platform"}),
        "routes": st.lists(routes, min_size=1, max_size=3),
    },
    optional={
        "hostnames": st.lists(
            st.sampled_from([*HOSTS, "x.example.com"]), min_size=1, max_size=2, unique=True
        )
    },
)
targets = st.dictionaries(
    st.tuples(st.sampled_from(["team-a", "team-b"]), st.sampled_from(["one", "two", "three"])),
    specs,
    max_size=5,
)


def claims(files: Mapping[str, bytes]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return (who, claim) for all that the routes in the files match, worked out anew."""
    for path, content in files.items():
        if "/api-aggregator-target/" not in path:
            continue
        who = "/".join(path.split("/")[2:5])
        for manifest in yaml.safe_load_all(content):
            if manifest["kind"] != "HTTPRoute":
                continue
            spec = manifest["spec"]
            for host in spec.get("hostnames", HOSTS):
                for rule in spec["rules"]:
                    for match in rule["matches"]:
                        yield who, (host, *spelled(match))


def spelled(match: Mapping[str, Json]) -> Iterable[str]:
    path = match["path"]
    assert isinstance(path, Mapping)
    value = str(path["value"])
    if path["type"] == "PathPrefix":
        value = value.rstrip("/")
    headers = match.get("headers") or []
    assert isinstance(headers, list)
    named = sorted(f"{one['name'].lower()}={one['value']}" for one in headers)
    return (str(path["type"]), value, str(match.get("method", "any")), *named)


@settings(max_examples=200)
@given(targets, st.data())
def test_no_two_requests_have_one_route_and_the_order_of_files_decides_nothing(
    asked: dict[tuple[str, str], JsonObject], data: st.DataObject
) -> None:
    given_in = [AGGREGATOR]
    given_in += [
        submission("ApiAggregatorTarget", namespace, name, spec)
        for (namespace, name), spec in asked.items()
    ]
    first, second = platform(), platform()

    first.sync(*given_in)
    second.sync(*data.draw(st.permutations(given_in)))

    owners: dict[tuple[str, ...], str] = {}
    for who, claim in claims(first.files):
        assert owners.setdefault(claim, who) == who
    assert first.files == second.files
