"""The CRD that a Promise installs is its author's, with a status that a controller can write."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundles import bundles

from troth.api import Fields, Json, JsonObject, Promise, dump_documents, load_object
from troth.api.crds import installed_crd
from troth.errors import InvalidInputError, Reason

GOLDEN = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: greetings.example.com
  labels:
    team: a
    kratix.io/promise-name: greeting
spec:
  group: example.com
  names:
    kind: Greeting
    plural: greetings
    categories:
    - troth
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              name:
                type: string
          metadata:
            type: object
            properties:
              name:
                type: string
                maxLength: 63
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
            properties:
              message:
                type: string
              observedGeneration:
                type: integer
                format: int64
              workflows:
                type: integer
                format: int64
              workflowsSucceeded:
                type: integer
                format: int64
              workflowsFailed:
                type: integer
                format: int64
              conditions:
                type: array
                description: What is known of it, one line of each type.
                items:
                  type: object
                  required:
                  - type
                  properties:
                    type:
                      type: string
                    status:
                      type: string
                    reason:
                      type: string
                    message:
                      type: string
                    lastTransitionTime:
                      type: string
                    observedGeneration:
                      type: integer
                      format: int64
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys:
                - type
              kratix:
                type: object
                properties:
                  workflows:
                    type: object
                    properties:
                      lastSuccessfulConfigureWorkflowTime:
                        type: string
                      pipelines:
                        type: array
                        items:
                          type: object
                          properties:
                            name:
                              type: string
                            phase:
                              type: string
                            message:
                              type: string
                            nextRetryAt:
                              type: string
                            attempts:
                              type: integer
                              format: int64
                            lastTransitionTime:
                              type: string
                      suspendedGeneration:
                        type: integer
                        format: int64
              troth:
                type: object
                x-kubernetes-preserve-unknown-fields: true
    subresources:
      status: {}
    additionalPrinterColumns:
    - name: message
      type: string
      jsonPath: .status.message
    - name: status
      type: string
      jsonPath: .status.conditions[?(@.type=="Reconciled")].message
    - name: commit
      type: string
      jsonPath: .status.troth.commit
      priority: 1
    - name: age
      type: date
      jsonPath: .metadata.creationTimestamp
"""

NAME: JsonObject = {"type": "object", "properties": {"name": {"type": "string"}}}


def crd_of(versions: list[Json], **more: Json) -> JsonObject:
    """Return a CRD as an author writes it; `more` are fields of its spec."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "greetings.example.com",
            "labels": {"team": "a"},
            "creationTimestamp": None,
        },
        "spec": {
            "group": "example.com",
            "names": {"kind": "Greeting", "plural": "greetings"},
            "scope": "Namespaced",
            "versions": versions,
            **more,
        },
        "status": {"storedVersions": []},
    }


def version_of(schema: JsonObject | None = None, **more: Json) -> JsonObject:
    root: JsonObject = {"type": "object", "properties": {"spec": NAME}}
    given_schema: JsonObject = {"openAPIV3Schema": root if schema is None else schema}
    return {"name": "v1", "served": True, "storage": True, "schema": given_schema, **more}


def promise_of(api: JsonObject | None) -> Promise:
    return Promise.parse(
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": "greeting"},
            "spec": {} if api is None else {"api": api},
        }
    )


def installed(*versions: Json, **more: Json) -> JsonObject:
    return installed_crd(promise_of(crd_of(list(versions), **more)))


def only_version(crd: JsonObject) -> JsonObject:
    [version] = Fields(crd).section("spec").items("versions")
    return version.raw


def schema_of(version: JsonObject) -> Fields:
    return Fields(version).section("schema").section("openAPIV3Schema").section("properties")


def test_a_plain_crd_gets_what_kratix_adds_and_the_category() -> None:
    assert dump_documents([installed(version_of())]).decode() == GOLDEN


def test_a_promise_without_an_api_installs_none() -> None:
    with pytest.raises(InvalidInputError, match="greeting has no spec") as caught:
        installed_crd(promise_of(None))

    assert caught.value.reason == Reason.PROMISE_INVALID


def test_columns_of_the_author_stay_alone() -> None:
    columns: list[Json] = [{"name": "Size", "type": "string", "jsonPath": ".spec.size"}]

    version = only_version(installed(version_of(additionalPrinterColumns=columns)))

    assert version["additionalPrinterColumns"] == columns


def test_scale_stays_beside_the_status() -> None:
    scale: JsonObject = {"specReplicasPath": ".spec.replicas"}

    version = only_version(installed(version_of(subresources={"scale": scale})))

    assert version["subresources"] == {"scale": scale, "status": {}}


def test_fields_of_the_authors_status_stay() -> None:
    own: JsonObject = {"type": "string", "description": "Where it answers."}
    status: JsonObject = {
        "type": "object",
        "description": "How it is.",
        "properties": {"endpoint": own, "message": {"type": "integer"}},
    }
    schema: JsonObject = {"type": "object", "properties": {"status": status}}

    made = schema_of(only_version(installed(version_of(schema)))).section("status")

    assert made.raw["description"] == "How it is."
    assert made.mapping("properties")["endpoint"] == own
    assert made.mapping("properties")["message"] == {"type": "string"}


@pytest.mark.parametrize(
    "demand",
    [
        {"required": ["endpoint"]},
        {"minProperties": 1},
        {"x-kubernetes-validations": [{"rule": "has(self.endpoint)"}]},
        {"additionalProperties": {"type": "string"}},
    ],
)
def test_what_the_status_as_a_whole_must_be_is_left_out(demand: JsonObject) -> None:
    status: JsonObject = {"type": "object", **demand}
    schema: JsonObject = {"type": "object", "properties": {"status": status}}

    made = schema_of(only_version(installed(version_of(schema)))).section("status")

    assert not set(demand) & set(made.raw)


@pytest.mark.parametrize(("given_length", "length"), [(20, 20), (63, 63), (200, 63), (None, 63)])
def test_names_have_at_most_63_characters(given_length: int | None, length: int) -> None:
    bound: JsonObject = {} if given_length is None else {"maxLength": given_length}
    name: JsonObject = {"type": "string", "pattern": "^a", **bound}
    metadata: JsonObject = {"type": "object", "properties": {"name": name}}
    schema: JsonObject = {"type": "object", "properties": {"metadata": metadata}}

    made = schema_of(only_version(installed(version_of(schema)))).section("metadata")

    expected = {"type": "string", "pattern": "^a", "maxLength": length}
    assert made.section("properties").mapping("name") == expected


@pytest.mark.parametrize("version", [{"name": "v1", "served": True, "storage": True}])
def test_a_version_without_a_schema_takes_everything(version: JsonObject) -> None:
    made = Fields(only_version(installed(version))).section("schema").section("openAPIV3Schema")

    assert made.raw["x-kubernetes-preserve-unknown-fields"] is True


def test_every_version_gets_a_status_also_one_that_is_not_served() -> None:
    old = {**version_of(), "name": "v0", "served": False, "storage": False}

    crd = installed(old, version_of(), conversion={"strategy": "None"})

    versions = Fields(crd).section("spec").items("versions")
    assert [version.text("name") for version in versions] == ["v0", "v1"]
    assert all("status" in schema_of(version.raw).raw for version in versions)
    assert Fields(crd).section("spec").mapping("conversion") == {"strategy": "None"}


def test_categories_of_the_author_stay() -> None:
    names: JsonObject = {"kind": "Greeting", "plural": "greetings", "categories": ["all", "troth"]}

    crd = installed(version_of(), names=names)

    found = Fields(crd).section("spec").section("names").texts("categories")
    assert found == ("all", "troth")


def test_what_the_api_server_wrote_into_it_is_left_out() -> None:
    crd = installed(version_of())

    assert "status" not in crd
    assert set(Fields(crd).mapping("metadata")) == {"name", "labels"}


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_a_crd_made_of_itself_is_itself(bundle: Path) -> None:
    promise = Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))
    crd = installed_crd(promise)

    again = installed_crd(promise_of(crd))

    label = "kratix.io/promise-name"
    assert dump_documents([again]) == dump_documents([crd]).replace(
        f"{label}: {promise.name}".encode(), f"{label}: greeting".encode()
    )


NAMES = st.text("abcdefgh", min_size=1, max_size=8)
SCHEMAS = st.recursive(
    st.sampled_from(["string", "integer", "boolean"]).map(lambda kind: {"type": kind}),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3).map(
        lambda fields: {"type": "object", "properties": fields}
    ),
    max_leaves=6,
)


@given(spec=SCHEMAS, status=st.dictionaries(NAMES, SCHEMAS, max_size=4))
def test_no_field_of_the_author_is_lost(spec: JsonObject, status: JsonObject) -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"spec": spec, "status": {"type": "object", "properties": status}},
    }

    made = schema_of(only_version(installed(version_of(schema))))

    assert made.mapping("spec") == spec
    properties = made.section("status").mapping("properties")
    assert {name: properties[name] for name in status} == status
