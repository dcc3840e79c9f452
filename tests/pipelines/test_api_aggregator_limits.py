"""Limits become policies of the implementation that serves the class, or are refused by name."""

import pytest
from pydantic import ValidationError
from support.api_aggregators import EXISTING, one, render, spec_of
from support.bundles import containers, manifests
from support.workspace import ROOT

from troth.api import Json, Promise, load_object
from troth.errors import InvalidInputError, Reason

PROMISE_FILE = ROOT / "promises/api-aggregator/promise.yaml"
PROMISE = Promise.parse(load_object(PROMISE_FILE.read_text(), "promise.yaml"))
(CONTAINER,) = containers(PROMISE)
SHIPPED = CONTAINER.literals

NGINX = "nginx-gateway-fabric"
ENVOY = "envoy-gateway"
TARGET: Json = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "name": "public-api",
}


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("50Mi", "50m"),
        ("512k", "500k"),
        ("512Ki", "512k"),
        ("1Gi", "1g"),
        ("10000Mi", None),
        (9999, "9999"),
        (1024, "1k"),
    ],
)
def test_nginx_limits_bodies_in_its_own_spelling(asked: Json, written: str | None) -> None:
    if written is None:
        with pytest.raises(InvalidInputError, match="NGINX cannot say 10000Mi"):
            render(spec_of(maxBodySize=asked))
        return
    policy = one(render(spec_of(maxBodySize=asked)), "ClientSettingsPolicy")
    assert policy.raw == {"targetRef": TARGET, "body": {"maxSize": written}}


def test_nginx_rounds_no_size() -> None:
    with pytest.raises(InvalidInputError, match="NGINX cannot say 10M") as caught:
        render(spec_of(maxBodySize="10M"))
    assert caught.value.field == ("spec", "maxBodySize")


@pytest.mark.parametrize(
    ("asked", "written"),
    [("30s", "30s"), ("1m30s", "90s"), ("60s", "1m"), ("1500ms", "1500ms"), ("99999s", None)],
)
def test_nginx_limits_how_long_a_backend_may_pause(asked: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(InvalidInputError, match="NGINX cannot say 99999s"):
            render(spec_of(timeout=asked))
        return
    policy = one(render(spec_of(timeout=asked)), "ProxySettingsPolicy")
    assert policy.raw == {"targetRefs": [TARGET], "timeout": {"read": written, "send": written}}


def test_envoy_has_one_policy_for_both() -> None:
    policy = one(render(spec_of(maxBodySize="10M", timeout="1m30s"), ENVOY), "BackendTrafficPolicy")
    assert policy.raw == {
        "targetRefs": [TARGET],
        "requestBuffer": {"limit": "10M"},
        "timeout": {"http": {"requestTimeout": "1m30s"}},
    }


def test_envoy_counts_in_32_bits() -> None:
    with pytest.raises(InvalidInputError, match="less than 4Gi"):
        render(spec_of(maxBodySize="4Gi"), ENVOY)
    assert manifests(render(spec_of(maxBodySize=2**32 - 1), ENVOY), "BackendTrafficPolicy")


def test_envoy_limits_a_listener_set_of_ones_own() -> None:
    spec = spec_of(gateway={"existing": EXISTING}, timeout="5s")
    (target,) = one(render(spec, ENVOY), "BackendTrafficPolicy").items("targetRefs")
    assert (target.text("kind"), target.text("name")) == ("ListenerSet", "public-api")


def test_nginx_limits_no_gateway_that_is_not_ones_own() -> None:
    with pytest.raises(InvalidInputError, match="whole Gateway") as caught:
        render(spec_of(gateway={"existing": EXISTING}, timeout="5s"))
    assert caught.value.field == ("spec", "timeout")


@pytest.mark.parametrize("implementation", ["traefik", "istio", "other", ""])
@pytest.mark.parametrize(("field", "value"), [("maxBodySize", "1Mi"), ("timeout", "5s")])
def test_an_implementation_without_such_a_limit_is_refused_by_name(
    implementation: str, field: str, value: str
) -> None:
    with pytest.raises(InvalidInputError, match="has no such limit") as caught:
        render(spec_of(**{field: value}), implementation)
    assert caught.value.field == ("spec", field)
    named = implementation in {"traefik", "istio"}
    assert (implementation if named else "GATEWAY_CLASSES") in caught.value.message


@pytest.mark.parametrize(
    ("class_name", "kind"),
    [
        ("nginx", "ClientSettingsPolicy"),
        ("envoy", "BackendTrafficPolicy"),
        ("eg", "BackendTrafficPolicy"),
    ],
)
def test_the_promise_knows_by_the_class_what_limits_bodies(class_name: str, kind: str) -> None:
    spec = spec_of(gateway={"className": class_name}, maxBodySize="1Mi")
    assert len(manifests(render(spec, environ=SHIPPED), kind)) == 1


@pytest.mark.parametrize("class_name", ["traefik", "istio"])
@pytest.mark.parametrize(("field", "value"), [("maxBodySize", "1Mi"), ("timeout", "5s")])
def test_the_promise_refuses_a_limit_that_the_class_cannot_set(
    class_name: str, field: str, value: str
) -> None:
    spec = spec_of(gateway={"className": class_name}, **{field: value})
    with pytest.raises(InvalidInputError, match=f"{class_name} has no policy") as caught:
        render(spec, environ=SHIPPED)
    assert caught.value.field == ("spec", field)


def test_the_promise_takes_no_class_for_nginx_that_it_does_not_know() -> None:
    spec = spec_of(gateway={"className": "nginx-internal"}, maxBodySize="1Mi")
    with pytest.raises(InvalidInputError, match="'nginx-internal'") as caught:
        render(spec, environ=SHIPPED)
    assert "known are eg, envoy, istio, nginx, traefik" in caught.value.message
    assert "add the class to GATEWAY_CLASSES" in caught.value.message


def test_the_promise_limits_no_gateway_of_which_it_knows_nothing() -> None:
    spec = spec_of(gateway={"existing": EXISTING}, maxBodySize="1Mi")
    with pytest.raises(InvalidInputError, match="set GATEWAY_IMPLEMENTATION"):
        render(spec, environ=SHIPPED)


def test_a_class_that_something_else_serves_is_none_of_the_known() -> None:
    environ = {"GATEWAY_CLASSES": f"{{nginx: {NGINX}, cloud: other}}"}
    spec = spec_of(gateway={"className": "cloud"}, maxBodySize="1Mi")
    with pytest.raises(InvalidInputError, match=r"'cloud'.*known are nginx\."):
        render(spec, environ=environ)


@pytest.mark.parametrize("implementation", [NGINX, ENVOY, "traefik", "istio", "other", ""])
def test_what_the_gateway_api_knows_itself_is_the_same_everywhere(implementation: str) -> None:
    assert render(spec_of(), implementation) == render(spec_of())


def test_without_limits_there_is_no_policy() -> None:
    assert "policies.yaml" not in render(spec_of()).files


@pytest.mark.parametrize("timeout", ["0s", "0ms", "0h0m"])
def test_no_time_at_all_is_refused(timeout: str) -> None:
    with pytest.raises(InvalidInputError, match="no time at all"):
        render(spec_of(timeout=timeout))


@pytest.mark.parametrize("size", [0, -1, "0", "1.5Mi", "10MB", "Mi", "1e6", "\u0661Mi", "1Mi\n"])
def test_a_size_that_is_none_is_refused(size: Json) -> None:
    with pytest.raises(InvalidInputError, match="is no size") as caught:
        render(spec_of(maxBodySize=size))
    assert caught.value.field == ("spec", "maxBodySize")


@pytest.mark.parametrize(("size", "written"), [(1e3, "1000"), (2048.0, "2k")])
def test_a_whole_number_of_bytes_may_be_spelled_as_yaml_likes(size: float, written: str) -> None:
    policy = one(render(spec_of(maxBodySize=size)), "ClientSettingsPolicy")
    assert policy.section("body").text("maxSize") == written


@pytest.mark.parametrize("size", [1.5, True, ["1Mi"]], ids=str)
def test_what_is_neither_number_nor_text_is_no_size(size: Json) -> None:
    with pytest.raises(ValidationError) as caught:
        render(spec_of(maxBodySize=size))
    [problem] = caught.value.errors()
    assert problem["loc"] == ("maxBodySize",)
    assert "write a whole number above 0 with a unit such as" in problem["msg"]


@pytest.mark.parametrize(
    ("class_name", "kind"),
    [("envoy", "BackendTrafficPolicy"), ("nginx", "ProxySettingsPolicy")],
)
def test_a_class_may_have_another_implementation(class_name: str, kind: str) -> None:
    environ = {"GATEWAY_IMPLEMENTATION": NGINX, "GATEWAY_CLASSES": f"envoy: {ENVOY}"}
    output = render(spec_of(gateway={"className": class_name}, timeout="5s"), environ=environ)
    assert len(manifests(output, kind)) == 1


def test_a_gateway_that_exists_has_the_implementation_of_all() -> None:
    environ = {"GATEWAY_IMPLEMENTATION": ENVOY, "GATEWAY_CLASSES": f"{{edge: {NGINX}}}"}
    output = render(spec_of(gateway={"existing": EXISTING}, timeout="5s"), environ=environ)
    assert len(manifests(output, "BackendTrafficPolicy")) == 1


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"GATEWAY_IMPLEMENTATION": "nginx"}, "GATEWAY_IMPLEMENTATION is wrong.*'nginx'"),
        ({"GATEWAY_CLASSES": "envoy: enovy"}, "GATEWAY_CLASSES is wrong.*'enovy'"),
        ({"GATEWAY_CLASSES": "[envoy]"}, "GATEWAY_CLASSES is wrong"),
        ({"GATEWAY_CLASSES": "envoy: 1"}, "GATEWAY_CLASSES is wrong.*'envoy'"),
        ({"GATEWAY_CLASSES": "{"}, "GATEWAY_CLASSES is wrong"),
    ],
    ids=str,
)
def test_a_wrong_variable_is_the_promises_fault(environ: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        render(spec_of(), environ=environ)
    assert caught.value.reason is Reason.PROMISE_INVALID


def test_a_wrong_class_is_reported_although_the_request_names_another() -> None:
    with pytest.raises(InvalidInputError, match="'no'"):
        render(spec_of(), environ={"GATEWAY_CLASSES": "{other-class: 'no'}"})
