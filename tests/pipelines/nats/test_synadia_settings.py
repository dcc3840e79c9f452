"""How Synadia's API is reached: what is refused at once, and what is never shown."""

from pathlib import Path

import pytest
from support.certificates import Certificates
from support.synadia.visits import TOKEN

from troth.errors import InvalidInputError, PermanentError, Reason
from troth_pipelines.nats.synadia import SynadiaSettings


def test_the_public_address_is_the_default() -> None:
    assert SynadiaSettings(TOKEN).base_url == "https://cloud.synadia.com"


def test_a_slash_at_the_end_of_an_address_says_nothing() -> None:
    settings = SynadiaSettings(TOKEN, "https://nats.example.com:8443/control/")

    assert settings.base_url == "https://nats.example.com:8443/control"


def test_host_and_port_are_what_messages_name() -> None:
    assert SynadiaSettings(TOKEN, "https://nats.example.com:8443/x").host == "nats.example.com:8443"


def test_token_and_proxy_are_not_shown() -> None:
    settings = SynadiaSettings(TOKEN, proxy="http://user:hidden@proxy.example.com:3128")

    assert TOKEN not in repr(settings)
    assert "hidden" not in repr(settings)


def test_a_line_end_after_a_token_is_no_part_of_it() -> None:
    assert SynadiaSettings(f"{TOKEN}\n").token == TOKEN


@pytest.mark.parametrize("token", ["", " \n", "uat_one two", "uat_a\nb", "uat_\u00e9", "uat_\x00"])
def test_a_token_that_no_header_can_carry_is_refused_unquoted(token: str) -> None:
    with pytest.raises(PermanentError) as caught:
        SynadiaSettings(token)

    assert caught.value.reason is Reason.INVALID_CREDENTIALS
    assert "uat_" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("cloud.synadia.com", "is no https URL"),
        ("ftp://cloud.synadia.com", "is no https URL"),
        ("https://", "is no https URL"),
        ("https://host:port", "is no URL"),
        ("https://[::1", "is no URL"),
        ("http://control-plane.nats.svc:8080", "in the clear"),
        ("https://cloud.synadia.com?x=1", "a query or a fragment"),
        ("https://cloud.synadia.com#x", "a query or a fragment"),
        ("https://cloud.synadia.com/api", "before /api"),
        ("https://cloud.synadia.com/api/core/beta/", "before /api"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        SynadiaSettings(TOKEN, url)


def test_a_login_in_an_address_is_refused_unquoted() -> None:
    with pytest.raises(InvalidInputError, match="there is a login in it") as caught:
        SynadiaSettings(TOKEN, "https://somebody:hidden@cloud.synadia.com")

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_this_machine_may_be_spoken_to_in_the_clear(host: str) -> None:
    assert SynadiaSettings(TOKEN, f"http://{host}").base_url == f"http://{host}"


@pytest.mark.parametrize(
    "proxy", ["proxy.example.com", "ftp://hidden@x", "http://hidden:p@", "http://a b", ""]
)
def test_a_proxy_that_cannot_be_used_is_refused_unquoted(proxy: str) -> None:
    with pytest.raises(InvalidInputError, match="The address of the proxy") as caught:
        SynadiaSettings(TOKEN, proxy=proxy)

    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("bundle", ["", "hidden", "-----BEGIN CERTIFICATE-----\nhidden"])
def test_a_bundle_without_a_certificate_is_refused_unquoted(bundle: str) -> None:
    settings = SynadiaSettings(TOKEN, ca_bundle=bundle)

    with pytest.raises(PermanentError, match="holds no certificate") as caught:
        settings.trust()

    assert caught.value.reason is Reason.HOST_NOT_TRUSTED
    assert "hidden" not in str(caught.value)


def test_a_bundle_is_all_that_is_trusted(tmp_path: Path) -> None:
    settings = SynadiaSettings(TOKEN, ca_bundle=Certificates.make(tmp_path).bundle.read_text())

    assert len(settings.trust().get_ca_certs()) == 1


def test_hosts_are_verified_by_default() -> None:
    trust = SynadiaSettings(TOKEN).trust()

    assert trust.check_hostname
    assert trust.verify_mode.name == "CERT_REQUIRED"
    assert len(trust.get_ca_certs()) > 1
