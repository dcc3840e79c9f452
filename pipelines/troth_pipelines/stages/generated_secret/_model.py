"""What a developer may ask for: the model that the Promise's schema is generated from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from troth_pipelines.credentials import DURATION_PATTERN, ModeName, SeenName

__all__ = ["GeneratedSecretSpec", "Password", "Rotation"]

_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_KEY = r"^[-._a-zA-Z0-9]+$"

# A character that YAML, a shell or a connection string gives a meaning to is left out: a password
# is often put where nobody thought of quoting it.
_SYMBOLS = "-_.~+=@%,:^"

_Key = Annotated[str, Field(min_length=1, max_length=253, pattern=_KEY)]


class _Part(BaseModel):
    """Fields in camel case, nothing unknown, nothing changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Password(_Part):
    """What a password or token is like."""

    length: int = Field(default=32, ge=12, le=256, description="How many characters it has.")
    symbols: str = Field(
        default="",
        max_length=32,
        pattern=r"^[!-/:-@\[-`{-~]*$",
        description="Symbols that may occur in it beside letters and digits, at least one of them "
        f"does; {_SYMBOLS} need no quoting in most places. Without this letters and digits only.",
    )


class Rotation(_Part):
    """When it is made anew."""

    every: str | None = Field(
        default=None,
        max_length=32,
        pattern=DURATION_PATTERN,
        description="How long it is good, such as 90d; without it, until somebody asks.",
    )
    request: str = Field(
        default="",
        max_length=64,
        description="Any text; another one has it made anew at once.",
    )


class GeneratedSecretSpec(_Part):
    """A secret that is made once, sealed, and made anew only on request or on schedule."""

    type: Literal["password", "token", "ssh-key", "basic-auth"] = Field(
        description="password: letters, digits and the symbols you name. token: 256 random bits in "
        "hex. ssh-key: an Ed25519 key pair. basic-auth: a user name and a password."
    )
    secret_name: str = Field(
        min_length=1,
        max_length=253,
        pattern=_SUBDOMAIN,
        description="Name of the Secret, in the namespace of this request.",
    )
    secret_mode: ModeName = Field(
        default="replace",
        description="What becomes of a Secret of that name that is there already. take-over and "
        "the others need a word on it in the cluster first: see the README.",
    )
    secret_seen: tuple[SeenName, ...] | None = Field(
        default=None,
        max_length=3,
        description="Annotations that the live Secret was seen to carry; only to change the mode.",
    )
    key: _Key | None = Field(
        default=None,
        description="Key of the Secret that a password or token stands under; its type without "
        "this. The other types have the keys that Kubernetes names for them.",
    )
    username: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        pattern=r"^[^:\x00-\x1f\x7f]+$",
        description="User name; needed for basic-auth, and a comment in the public key of ssh-key.",
    )
    password: Password = Field(default=Password(), description="What a password is like.")
    rotation: Rotation = Field(default=Rotation(), description="When it is made anew.")
