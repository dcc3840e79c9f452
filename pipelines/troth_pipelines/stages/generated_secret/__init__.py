"""The stage of the Promise ``generated-secret``: passwords, tokens and keys that nobody chose.

Here belong the model of the request and what is made for it. When it is made anew, and how it is
sealed, stands in `troth_pipelines.credentials`.
"""

from datetime import timedelta

from troth.api import Fields, digest_of
from troth.errors import Reason
from troth.sdk import Context, Control, Output, Request, Stage
from troth.sdk.sealing import SecretShape, Target, sealed_secret
from troth_pipelines.credentials import (
    Delivery,
    Policy,
    State,
    Wish,
    live,
    read_duration,
    reported,
)
from troth_pipelines.stages.generated_secret._maker import GeneratedMaker
from troth_pipelines.stages.generated_secret._model import GeneratedSecretSpec
from troth_pipelines.stages.generated_secret._values import SECRET_TYPES, keys_of

__all__ = ["STAGE", "GeneratedSecretSpec", "configure"]

_SHORTEST = timedelta(hours=1)


def configure(request: Request[GeneratedSecretSpec], context: Context) -> Output:
    """Render a SealedSecret whose values are made once, and anew when that is due or asked for.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse, or it
            is not known what to seal with.
        OutputRefusedError: another mode would lose what the live Secret holds.
    """
    spec, state = request.spec, State.load(request.status)
    _refuse_contradictions(spec)
    if state.newest is not None:
        _refuse_other_type(spec, Fields(request.status, ("status",), Reason.INVALID_STATUS))
    lifetime = _lifetime(spec)
    nothing = timedelta()  # a value that a Secret holds is good for as long as it holds it
    wish = Wish(
        policy=Policy(lifetime, renew_before=nothing, overlap=nothing, allowance=nothing),
        target=Target(request.namespace, spec.secret_name),
        keys=keys_of(spec),
        wanted=_digest(spec),
        renewal=spec.rotation.request,
        delivery=Delivery.of(spec.secret_mode, spec.secret_seen, "spec.secretSeen"),
        known_by="password" if spec.type == "basic-auth" else "",
    )
    maker = GeneratedMaker(request, context, lifetime)
    lived = live(context, wish, state.ending_after(lifetime), maker)
    after = lived.due - context.now if lived.due is not None else None
    kind = SECRET_TYPES[spec.type]
    shape = SecretShape(kind, {"app.kubernetes.io/managed-by": "troth"})
    sealed = sealed_secret(
        wish.target, lived.destination, lived.ciphertexts, shape, wish.delivery.mode
    )
    return Output(
        files={"sealed-secret.yaml": [sealed]},
        status={"secret": spec.secret_name, "type": kind, **reported(lived)},
        control=Control(reconcile_after=after) if after is not None else None,
    )


def _refuse_contradictions(spec: GeneratedSecretSpec) -> None:
    """Refuse what two fields say together. Raises InvalidInputError, which names one of them."""
    fields = Fields({}, ("spec",))
    if spec.type == "basic-auth" and spec.username is None:
        raise fields.error("username", "the type basic-auth needs one.")
    if spec.type in {"password", "token"} and spec.username is not None:
        raise fields.error("username", f"the type {spec.type} has none; take it out.")
    if spec.type in {"ssh-key", "basic-auth"} and spec.key is not None:
        message = f"the type {spec.type} has the keys that Kubernetes names for it; take it out."
        raise fields.error("key", message)


def _refuse_other_type(spec: GeneratedSecretSpec, status: Fields) -> None:
    """Refuse to make another type of a Secret that is there: Kubernetes changes none.

    Raises:
        InvalidInputError: the request was another type, and names the same Secret.
    """
    before, now = status.text("type", ""), SECRET_TYPES[spec.type]
    if before not in {"", now} and status.text("secret", "") == spec.secret_name:
        message = (
            f"the Secret {spec.secret_name} is of the type {before}, and Kubernetes makes no "
            f"{now} of it; name another Secret in secretName, or take the old type back."
        )
        raise Fields({}, ("spec",)).error("type", message)


def _lifetime(spec: GeneratedSecretSpec) -> timedelta | None:
    """Return how long a value is good, None for ever. Raises InvalidInputError."""
    path = ("spec", "rotation", "every")
    if spec.rotation.every is None:
        return None
    every = read_duration(spec.rotation.every, *path)
    if every < _SHORTEST:
        message = f"{spec.rotation.every!r} is less than an hour; workloads would not keep up."
        raise Fields({}, path[:-1]).error(path[-1], message)
    return every


def _digest(spec: GeneratedSecretSpec) -> str:
    """Return the digest of all that a value is made of.

    Without what is left as it is: a field that a later version adds makes no value another one.
    """
    made_of = {"type", "key", "username"}
    if spec.type in {"password", "basic-auth"}:
        made_of.add("password")
    dumped = spec.model_dump(mode="json", include=made_of, exclude_defaults=True)
    return digest_of(dumped)[:16]


STAGE = Stage(model=GeneratedSecretSpec, configure=configure)
