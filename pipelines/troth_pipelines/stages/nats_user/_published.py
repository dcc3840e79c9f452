"""What a request has published: the generation that its Secret holds, as its status says."""

from dataclasses import dataclass
from datetime import datetime

from troth.api import Fields
from troth.errors import Reason
from troth.sdk import Request
from troth_pipelines.credentials import State
from troth_pipelines.stages.nats_user._model import NatsUserSpec

__all__ = ["Published", "published"]


@dataclass(frozen=True, slots=True)
class Published:
    """The newest generation of a request's user.

    Attributes:
        request: whose it is.
        account: by the platform's name for it.
        user: its name there.
        id: its id there, where it has one.
        public_key: of its key.
        issuer: public key of who signed its credentials; "" where that was not noted.
        issued: when.
    """

    request: str
    account: str
    user: str
    id: str
    public_key: str
    issuer: str
    issued: datetime


def published(request: Request[NatsUserSpec], now: datetime) -> Published | None:
    """Read it out of a request's status; None where nothing is published, or it has ended by now.

    Of the generations before it nothing has to be there: their readers have this one.

    Raises:
        InvalidInputError: somebody changed the status into something else.
    """
    state = State.load(request.status)
    newest = state.newest
    if newest is None or (newest.expires is not None and newest.expires <= now):
        return None
    details = Fields(
        state.details.get(newest.number, {}),
        ("status", "credentials", f"generation {newest.number}"),
        Reason.INVALID_STATUS,
    )
    return Published(
        request=request.id,
        account=details.text("account", request.spec.account),
        user=details.text("user", ""),
        id=details.text("id", ""),
        public_key=details.text("publicKey"),
        issuer=details.text("issuer", ""),
        issued=newest.issued,
    )
