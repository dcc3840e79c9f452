"""Hostnames, durations, sizes and names of listeners: what they mean, and how they are spelled."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.api import Fields
from troth.api.names import dns_subdomain_problem
from troth_pipelines.gateway.durations import milliseconds, nginx_duration
from troth_pipelines.gateway.hostnames import hostname_problem
from troth_pipelines.gateway.listeners import Protocol, listener_name
from troth_pipelines.gateway.sizes import kubernetes_size, nginx_size, parse_size

# Few letters, so that names meet.
LABELS = st.text("ab", min_size=1, max_size=2)
HOSTNAMES = st.builds(
    "{}{}".format,
    st.sampled_from(["", "*."]),
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
)
LONG = st.builds(
    "{}{}".format,
    st.sampled_from(["", "*."]),
    st.lists(st.text("ab-", min_size=1, max_size=30), min_size=1, max_size=6)
    .map(lambda parts: ".".join(f"x{part}x" for part in parts)),
)  # fmt: skip
PROTOCOLS = st.sampled_from(["HTTP", "HTTPS"])


@pytest.mark.parametrize(
    "name", ["10.0.0.1", "*.10.0.0.1", "*.0.0.1", "010.0.0.1", "1.2.3.256", "a.0x7f", "10"]
)
def test_a_name_that_reads_as_an_address_is_told(name: str) -> None:
    problem = hostname_problem(name)
    assert problem is not None
    assert "reads as an address" in problem


@pytest.mark.parametrize("name", [f"{'a' * 64}.example.com", f"*.{'a' * 64}.com"])
def test_a_name_that_no_host_can_have_is_told(name: str) -> None:
    assert hostname_problem(name) is not None


@pytest.mark.parametrize(
    "name",
    ["localhost", "*.example.com", "10.0.0.1.example.com", "10.x0", f"{'a' * 63}.example.com"],
)
def test_a_name_that_a_host_can_have_is_no_problem(name: str) -> None:
    assert hostname_problem(name) is None


@pytest.mark.parametrize(
    ("duration", "length"),
    [("0s", 0), ("500ms", 500), ("30s", 30_000), ("1h30m", 5_400_000), ("1s1s", 2_000)],
)
def test_a_duration_has_a_length(duration: str, length: int) -> None:
    assert milliseconds(duration) == length


@given(length=st.integers(1, 10**12))
def test_nginx_is_told_the_same_length_or_none(length: int) -> None:
    spelled = nginx_duration(length)
    if spelled is not None:
        assert re.fullmatch("[0-9]{1,4}(ms|s|m|h)", spelled)
        assert milliseconds(spelled) == length


@given(length=st.integers(1, 9999), unit=st.sampled_from([1, 1_000, 60_000, 3_600_000]))
def test_nginx_is_told_whatever_it_can_say(length: int, unit: int) -> None:
    assert nginx_duration(length * unit) is not None


@pytest.mark.parametrize(
    ("text", "count"),
    [("1", 1), (7, 7), ("512k", 512_000), ("512Ki", 524_288), ("10M", 10**7), ("2Gi", 2**31)],
)
def test_a_size_is_a_number_of_bytes(text: int | str, count: int) -> None:
    assert parse_size(text, Fields({}), "size") == count


@given(count=st.integers(1, 10**15))
def test_the_spelling_of_a_size_means_the_same(count: int) -> None:
    assert parse_size(kubernetes_size(count), Fields({}), "size") == count


@given(count=st.integers(1, 9999), power=st.integers(0, 3))
def test_nginx_is_told_whatever_size_it_can_say(count: int, power: int) -> None:
    spelled = nginx_size(count * 1024**power)
    assert spelled is not None
    digits = spelled.rstrip("kmg")
    assert int(digits) * 1024 ** " kmg".index(spelled[len(digits) :] or " ") == count * 1024**power


@given(first=st.tuples(PROTOCOLS, LONG), second=st.tuples(PROTOCOLS, LONG))
def test_no_two_listeners_share_a_name(
    first: tuple[Protocol, str], second: tuple[Protocol, str]
) -> None:
    assert (listener_name(*first) == listener_name(*second)) is (first == second)


@given(protocol=PROTOCOLS, name=LONG)
def test_a_listeners_name_fits_into_a_label(protocol: Protocol, name: str) -> None:
    found = listener_name(protocol, name)
    assert dns_subdomain_problem(found) is None
    assert len(found) <= 63


@pytest.mark.parametrize(
    ("protocol", "name", "expected"),
    [
        ("HTTPS", "api.example.com", "https-api.example.com"),
        ("HTTP", "*.example.com", "wildcard-http-example.com"),
        ("HTTP", "wildcard.example.com", "http-wildcard.example.com"),
        ("HTTPS", f"{'a' * 60}.example.com", f"https.{'a' * 44}-43c9a14c2b26"),
    ],
)
def test_listeners_are_called(protocol: Protocol, name: str, expected: str) -> None:
    assert listener_name(protocol, name) == expected
