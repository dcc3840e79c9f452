"""What a developer may ask for: the model that the Promise's schema is generated from.

What a structural schema cannot say (which subjects are any, lifetimes that fit each other) is
checked by the modules that read the field.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from troth_pipelines.credentials import DURATION_PATTERN, ModeName, SeenName

__all__ = ["Limits", "NatsUserSpec", "Permissions", "Responses", "Rotation", "Rules", "Secret"]

_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_SUBJECTS_LIMIT = 100

_Subject = Annotated[str, Field(min_length=1, max_length=256)]
_Key = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
_Duration = Annotated[str, Field(max_length=32, pattern=DURATION_PATTERN)]
_Amount = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    """Fields in camel case, nothing unknown, nothing changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Rules(_Part):
    """Subjects that are allowed (all, when none is named), and those denied all the same."""

    allow: tuple[_Subject, ...] = Field(
        default=(), max_length=_SUBJECTS_LIMIT, description="Subjects, such as orders.>"
    )
    deny: tuple[_Subject, ...] = Field(
        default=(), max_length=_SUBJECTS_LIMIT, description="Subjects, even if they are allowed."
    )


class Responses(_Part):
    """Leave to answer requests that were received, whatever their reply subject."""

    max: int = Field(default=1, ge=1, description="How many answers to one request.")
    ttl: _Duration = Field(default="2m", description="How long after the request.")


class Permissions(_Part):
    """What the user may do; all in its account when nothing is said."""

    publish: Rules = Field(default=Rules(), description="What it may publish to.")
    subscribe: Rules = Field(
        default=Rules(), description="What it may subscribe to; a queue after a blank."
    )
    responses: Responses | None = Field(
        default=None, description="Leave to answer requests. Without it, only by publish."
    )


class Limits(_Part):
    """How much it may use; without limit what is left out."""

    subscriptions: _Amount | None = Field(default=None, description="Subscriptions at a time.")
    data: _Amount | None = Field(default=None, description="Bytes in all.")
    payload: _Amount | None = Field(default=None, description="Bytes of one message.")


class Secret(_Part):
    """The Secret that the credentials are delivered in."""

    name: str = Field(
        min_length=1, max_length=253, pattern=_SUBDOMAIN, description="Name of the Secret."
    )
    namespace: str | None = Field(
        default=None,
        min_length=1,
        max_length=63,
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Its namespace; that of the request without it. The Promise's fence has to "
        "allow another one.",
    )
    key: _Key = Field(default="nats.creds", description="Key that the credentials stand under.")
    servers_key: _Key | None = Field(
        default=None, description="Key for the servers' addresses, separated by commas."
    )
    json_key: _Key | None = Field(
        default=None,
        description="Key for the same as JSON: servers, jwt and seed, for clients that take these.",
    )
    mode: ModeName = Field(
        default="replace",
        description="What becomes of a Secret of that name that is there already. take-over and "
        "the others need a word on it in the cluster first: see the README.",
    )
    seen: tuple[SeenName, ...] | None = Field(
        default=None,
        max_length=3,
        description="Annotations that the live Secret was seen to carry; only to change the mode.",
    )


class Rotation(_Part):
    """Wishes besides the schedule."""

    request: str = Field(
        default="", max_length=64, description="Any text; another one renews the credentials now."
    )
    revoke_before: int = Field(
        default=0,
        ge=0,
        description="Generations below this number are ended at once, in use or not; see the "
        "status for the numbers.",
    )


class NatsUserSpec(_Part):
    """A NATS user whose credentials are sealed into a Secret, and renewed before they end."""

    account: str = Field(
        min_length=1,
        max_length=63,
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Account that the user belongs to, by the name that the platform gives it.",
    )
    permissions: Permissions | None = Field(
        default=None,
        description="What it may do. Not where the account's signing key decides that.",
    )
    limits: Limits | None = Field(default=None, description="How much it may use.")
    connection_types: tuple[
        Literal[
            "STANDARD", "WEBSOCKET", "LEAFNODE", "LEAFNODE_WS", "MQTT", "MQTT_WS", "IN_PROCESS"
        ],
        ...,
    ] = Field(default=(), max_length=7, description="Ways to connect; all without it.")
    lifetime: _Duration = Field(
        default="30d", description="How long each generation of the credentials is good."
    )
    renew_before: _Duration = Field(
        default="7d", description="How long before its end the next generation is made."
    )
    overlap: _Duration = Field(
        default="1d",
        description="How long a generation is good after the next one has been delivered.",
    )
    secret: Secret
    rotation: Rotation = Field(default=Rotation(), description="Wishes besides the schedule.")
