"""The way to Synadia's API: who must act for each thing that goes wrong, and what is never said."""

import logging
import socket
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.fake_synadia import FakeSynadia, serve_synadia
from support.nats_system import TestSystem
from support.proxy import serve_proxy
from support.synadia.faults import Answer, Cut, Fault, lost, slow, status
from support.synadia.plane import Plane
from support.synadia.visits import TOKEN, Patience, visit_api

from troth.errors import PermanentError, Reason, TransientError, TrothError
from troth_pipelines.nats.synadia import AnswerLostError, UserSpec, Wanted
from troth_pipelines.nats.synadia.control_plane import ControlPlane
from troth_pipelines.nats.synadia.failures import ConflictError

WANTED = Wanted("shop", 1, "team/nats-user/shop", UserSpec(3600))


@pytest.fixture
def fake() -> Generator[FakeSynadia]:
    with serve_synadia(Plane(TestSystem().operator), TOKEN) as served:
        served.plane.add_account("orders")
        yield served


def list_teams(api: ControlPlane, _fake: FakeSynadia) -> object:
    return api.teams()


def create_user(api: ControlPlane, fake: FakeSynadia) -> object:
    account, group = next(iter(fake.plane.accounts)), api.groups(next(iter(fake.plane.accounts)))[0]
    return api.create_user(account, group, WANTED, ["troth-owner:x"])


def fails(
    fake: FakeSynadia,
    work: Callable[[ControlPlane, FakeSynadia], object] = list_teams,
    patience: Patience | None = None,
    **changed: object,
) -> TrothError:
    with visit_api(fake, patience, **changed) as api, pytest.raises(TrothError) as caught:
        work(api, fake)
    error: TrothError = caught.value
    return error


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        (400, Reason.PROVIDER_REFUSED, "Mend what the request asks for"),
        (401, Reason.INVALID_CREDENTIALS, "wrong, expired or withdrawn"),
        (403, Reason.INVALID_CREDENTIALS, "give it a role that may"),
        (404, Reason.PROVIDER_REFUSED, "It was removed there"),
        (422, Reason.PROVIDER_REFUSED, "the account does not allow it"),
        (302, Reason.PROVIDER_REFUSED, "check that the address is that of Synadia's API"),
        (418, Reason.PROVIDER_REFUSED, "check that the address is that of Synadia's API"),
    ],
)
def test_what_a_person_has_to_mend_is_asked_once(
    fake: FakeSynadia, code: int, reason: Reason, says: str
) -> None:
    fake.faults.always("list teams", status(code, "the host's own words"))

    error = fails(fake)

    assert isinstance(error, PermanentError)
    assert error.reason is reason
    assert "was asked to list the teams" in error.message
    assert f"answered {code}" in error.message
    assert "the host's own words" in error.message
    assert says in error.message
    assert fake.called("list teams") == 1


def test_a_conflict_is_told_apart(fake: FakeSynadia) -> None:
    fake.faults.always("create user", status(409))

    assert isinstance(fails(fake, create_user), ConflictError)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (429, Reason.PROVIDER_BUSY),
        *((code, Reason.PROVIDER_UNREACHABLE) for code in (408, 500, 502, 503, 504)),
    ],
)
def test_what_time_mends_is_asked_three_times(fake: FakeSynadia, code: int, reason: Reason) -> None:
    fake.faults.always("list teams", status(code))
    patience = Patience()

    error = fails(fake, patience=patience)

    assert isinstance(error, TransientError)
    assert error.reason is reason
    assert fake.called("list teams") == 3
    assert patience.pauses == [0.5, 1.0]


@pytest.mark.parametrize("fault", [status(503), lost(), Fault(cut=Cut.HALFWAY)])
def test_a_call_that_changes_nothing_is_repeated_until_it_is_answered(
    fake: FakeSynadia, fault: Fault
) -> None:
    fake.faults.next("list teams", fault, fault)

    with visit_api(fake) as api:
        teams = api.teams()

    assert [team.name for team in teams] == ["A Team"]


@pytest.mark.parametrize(
    "fault",
    [
        status(500, works=True),
        status(503),
        lost(),
        Fault(cut=Cut.BEFORE),
        Fault(cut=Cut.HALFWAY),
        status(201, "{", works=True, media_type="application/json"),
        status(201, "[]", works=True, media_type="application/json"),
        status(201, "<html>", works=True, media_type="text/html"),
    ],
)
def test_a_creation_whose_outcome_is_unknown_is_not_repeated(
    fake: FakeSynadia, fault: Fault
) -> None:
    fake.faults.next("create user", fault)

    error = fails(fake, create_user)

    assert isinstance(error, AnswerLostError)
    assert "It may have been done all the same" in error.message
    assert fake.called("create user") == 1


def test_a_creation_that_was_certainly_not_done_is_repeated(fake: FakeSynadia) -> None:
    fake.faults.next("create user", status(429), status(429))

    with visit_api(fake) as api:
        create_user(api, fake)

    assert fake.called("create user") == 3
    assert len(fake.plane.users) == 1


@pytest.mark.parametrize(("patience", "budget"), [(0.05, 45), (15, 0.05)])
def test_an_answer_that_does_not_come_in_time_is_for_time(
    fake: FakeSynadia, patience: float, budget: float
) -> None:
    fake.faults.always("list teams", slow(2))

    error = fails(fake, attempts=1, answer_within=patience, budget=budget)

    assert isinstance(error, TransientError)
    assert "did not answer in time" in error.message


def test_a_host_that_is_not_there_is_for_time(fake: FakeSynadia) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    patience = Patience()

    error = fails(fake, create_user, patience, base_url=f"http://127.0.0.1:{port}")

    assert isinstance(error, TransientError)
    assert not isinstance(error, AnswerLostError)
    assert "cannot be reached" in error.message
    assert len(patience.pauses) == 2


@pytest.mark.parametrize(
    ("wait", "pauses"),
    [
        ("3", [3.0, 3.0]),
        ("0", [0.5, 1.0]),
        ("soon", [0.5, 1.0]),
        ("-3", [0.5, 1.0]),
        ("11", []),
        ("9" * 400, []),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
def test_the_host_says_when_to_come_again(
    fake: FakeSynadia, code: int, wait: str, pauses: list[float]
) -> None:
    fake.faults.always("list teams", status(code, retry_after=wait))
    patience = Patience()

    fails(fake, patience=patience)

    assert patience.pauses == pauses


def test_a_wait_that_is_too_long_for_a_run_is_passed_on(fake: FakeSynadia) -> None:
    fake.faults.always("list teams", status(429, retry_after="600"))

    error = fails(fake)

    assert isinstance(error, TransientError)
    assert error.retry_after == 600


def test_a_date_to_come_again_is_taken_against_the_hosts_own_clock(fake: FakeSynadia) -> None:
    fake.faults.always(
        "list teams",
        Fault(
            Answer(
                503,
                headers={
                    "Retry-After": "Sat, 01 Jan 2000 00:05:00 GMT",
                    "Date": "Sat, 01 Jan 2000 00:00:00 GMT",
                },
            )
        ),
    )

    error = fails(fake)

    assert isinstance(error, TransientError)
    assert error.retry_after == 300


def test_all_calls_together_end_when_the_budget_is_used_up(fake: FakeSynadia) -> None:
    patience = Patience()
    with visit_api(fake, patience, budget=5) as api:
        api.teams()
        patience.time = 5

        with pytest.raises(TransientError, match="the 5 s for all calls are used up"):
            api.teams()

    assert fake.called("list teams") == 1


def test_no_pause_is_begun_that_the_budget_does_not_allow(fake: FakeSynadia) -> None:
    fake.faults.always("list teams", status(503))
    patience = Patience()

    fails(fake, patience=patience, budget=0.4)

    assert patience.pauses == []
    assert fake.called("list teams") == 1


@pytest.mark.parametrize(
    ("body", "media_type", "says"),
    [
        ("{", "application/json", "it is no JSON"),
        ('{"items": [', "application/json", "it is no JSON"),
        ("\xff", "application/json", "it is no JSON"),
        ("[" * 100_000, "application/json", "it is no JSON"),
        ("[]", "application/json", "it is no JSON object"),
        ("{}", "application/json", "items is missing"),
        ('{"items": {}}', "application/json", "items is missing, or not as it should be"),
        ('{"items": [{"name": "x"}]}', "application/json", r"items\[0\].id is missing"),
        ('{"items": [1]}', "application/json", r"items\[0\] is missing"),
        ("<html>", "text/html; charset=utf-8", "its type is 'text/html'"),
        ("{}", "", "its type is ''"),
    ],
)
def test_an_answer_that_makes_no_sense_is_for_a_person(
    fake: FakeSynadia, body: str, media_type: str, says: str
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = Answer(200, headers, body.encode("latin-1"))
    fake.faults.always("list teams", Fault(answer))

    error = fails(fake)

    assert error.reason is Reason.PROVIDER_ANSWER_INVALID
    assert isinstance(error, PermanentError)
    with pytest.raises(PermanentError, match=says):
        raise error


def test_the_hosts_own_words_are_cut_and_stand_on_one_line(fake: FakeSynadia) -> None:
    fake.faults.always(
        "list teams", status(400, "\x1b[31m one\n\n two " + "x" * 3000 + "\x1b[0m end")
    )

    error = fails(fake)

    assert "\n" not in error.message
    assert "\x1b" not in error.message
    assert "end." in error.message
    assert len(error.message) < 600


@pytest.mark.parametrize(
    "words",
    [
        f"Authorization: Bearer {TOKEN}",
        "seed SUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "jwt eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ",
        "-----BEGIN USER NKEY SEED-----",
        "uat_somebodyelses",
    ],
)
def test_words_with_a_secret_in_them_are_withheld(fake: FakeSynadia, words: str) -> None:
    fake.faults.always("list teams", status(400, words))

    error = fails(fake)

    assert "its text is withheld" in error.message
    assert words not in error.message


def test_nothing_of_an_answer_with_a_secret_is_quoted(fake: FakeSynadia) -> None:
    user = fake.plane.add_user(
        next(iter(fake.plane.accounts)),
        {"name": "x", "sk_group_id": next(iter(fake.plane.groups))},
    )
    fake.faults.always("issue creds", status(400, "something hidden"))

    error = fails(fake, lambda api, _: api.creds(user.id))

    assert "hidden" not in error.message


def cut_off(fake: FakeSynadia) -> None:
    fake.faults.always("list teams", lost())


def hang(fake: FakeSynadia) -> None:
    fake.faults.always("list teams", slow(60))


def echo(fake: FakeSynadia) -> None:
    fake.faults.always("list teams", status(500, f"Bearer {TOKEN}"))


def refuse(fake: FakeSynadia) -> None:
    fake.token = "another"  # noqa: S105  (opens nothing but a fake)


@pytest.mark.parametrize("misbehave", [cut_off, hang, echo, refuse])
def test_the_token_is_in_no_message_no_chain_of_exceptions_and_no_log(
    fake: FakeSynadia, misbehave: Callable[[FakeSynadia], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    misbehave(fake)

    error = fails(fake, attempts=1, answer_within=0.05)

    assert error.__cause__ is None
    assert error.__context__ is None
    assert TOKEN not in "".join(traceback.format_exception(error))
    assert TOKEN not in caplog.text


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates.make(tmp_path)


def test_a_host_whose_authority_is_given_is_spoken_to(certificates: Certificates) -> None:
    plane = Plane(TestSystem().operator)
    with (
        serve_synadia(plane, TOKEN, tls=certificates.good) as fake,
        visit_api(fake, ca_bundle=certificates.bundle.read_text()) as api,
    ):
        assert len(api.teams()) == 1


@pytest.mark.parametrize("which", ["expired", "other_host", "other_authority"])
def test_a_host_that_is_not_trusted_gets_no_token(certificates: Certificates, which: str) -> None:
    plane = Plane(TestSystem().operator)
    with serve_synadia(plane, TOKEN, tls=getattr(certificates, which)) as fake:
        error = fails(fake, ca_bundle=certificates.bundle.read_text())

    assert isinstance(error, PermanentError)
    assert error.reason is Reason.HOST_NOT_TRUSTED
    assert "its certificate is not trusted" in error.message
    assert fake.called() == 0


def test_without_a_bundle_only_public_authorities_are_trusted(certificates: Certificates) -> None:
    plane = Plane(TestSystem().operator)
    with serve_synadia(plane, TOKEN, tls=certificates.good) as fake:
        error = fails(fake)

    assert error.reason is Reason.HOST_NOT_TRUSTED


def test_variables_of_the_machine_have_no_say(
    fake: FakeSynadia, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with visit_api(fake) as api:
        assert len(api.teams()) == 1


def test_a_proxy_that_is_away_is_for_time(fake: FakeSynadia) -> None:
    error = fails(fake, proxy="http://user:hidden@127.0.0.1:1")

    assert isinstance(error, TransientError)
    assert "hidden" not in error.message
    assert fake.called() == 0


def test_a_proxy_does_not_see_the_token(certificates: Certificates) -> None:
    plane = Plane(TestSystem().operator)
    with (
        serve_synadia(plane, TOKEN, tls=certificates.good) as fake,
        serve_proxy("user:hidden") as proxy,
        visit_api(
            fake,
            ca_bundle=certificates.bundle.read_text(),
            proxy=f"http://user:hidden@127.0.0.1:{proxy.port}",
        ) as api,
    ):
        assert len(api.teams()) == 1

    assert proxy.asked == [f"127.0.0.1:{fake.port}"]


def test_a_proxy_that_refuses_its_login_is_said(certificates: Certificates) -> None:
    plane = Plane(TestSystem().operator)
    with (
        serve_synadia(plane, TOKEN, tls=certificates.good) as fake,
        serve_proxy("user:password") as proxy,
    ):
        error = fails(fake, proxy=f"http://user:hidden@127.0.0.1:{proxy.port}")

    assert "the proxy did not let it through; check it and its login" in error.message
    assert "hidden" not in error.message
    assert fake.called() == 0


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ("..", "%2E%2E"),
        ("../teams", "%2E%2E%2Fteams"),
        ("x/nats-users", "x%2Fnats-users"),
        ("x?y#z", "x%3Fy%23z"),
        ("x\r\ny", "x%0D%0Ay"),
    ],
)
def test_a_part_of_a_path_leads_nowhere_else(fake: FakeSynadia, part: str, path: str) -> None:
    fails(fake, lambda api, _: api.account(part))

    assert fake.paths == [f"/api/core/beta/accounts/{path}"]
