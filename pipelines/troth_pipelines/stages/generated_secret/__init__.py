"""The stage of the Promise ``generated-secret``: passwords, tokens and keys that nobody chose.

Here belong the model of the request and what is made for it. When it is made anew, and how it is
sealed, stands in `troth_pipelines.credentials`.
"""

from datetime import timedelta

from troth.api import Fields, digest_of
from troth.sdk import Context, Control, Output, OutputFile, Request, Stage
from troth.sdk.sealing import SecretShape, Target, sealed_secret
from troth_pipelines.credentials import Policy, State, Wish, live, read_duration, reported
from troth_pipelines.stages.generated_secret._maker import GeneratedMaker
from troth_pipelines.stages.generated_secret._model import GeneratedSecretSpec
from troth_pipelines.stages.generated_secret._values import SECRET_TYPES, keys_of

__all__ = ["STAGE", "GeneratedSecretSpec", "configure"]


def configure(request: Request[GeneratedSecretSpec], context: Context) -> Output:
    """Render a SealedSecret whose values are made once, and anew when that is due or asked for.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse, or it
            is not known what to seal with.
    """
    spec = request.spec
    _refuse_contradictions(spec)
    every = spec.rotation.every
    lifetime = read_duration(every, "spec", "rotation", "every") if every is not None else None
    nothing = timedelta()  # a value that a Secret holds is good for as long as it holds it
    wish = Wish(
        policy=Policy(lifetime, renew_before=nothing, overlap=nothing, allowance=nothing),
        target=Target(request.namespace, spec.secret_name),
        keys=keys_of(spec),
        wanted=_digest(spec),
        renewal=spec.rotation.request,
    )
    maker = GeneratedMaker(request, context, lifetime)
    lived = live(context, wish, State.load(request.status), maker)
    after = lived.due - context.now if lived.due is not None else None
    shape = SecretShape(SECRET_TYPES[spec.type], {"app.kubernetes.io/managed-by": "troth"})
    files: dict[str, OutputFile] = {}
    if lived.ciphertexts is not None:
        sealed = sealed_secret(wish.target, lived.destination, lived.ciphertexts, shape)
        files["sealed-secret.yaml"] = [sealed]
    return Output(
        files=files,
        status={"secret": spec.secret_name, **reported(lived)},
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


def _digest(spec: GeneratedSecretSpec) -> str:
    """Return the digest of all that a value is made of."""
    drawn = {"password"} if spec.type in {"password", "basic-auth"} else set[str]()
    made_of = spec.model_dump(mode="json", include={"type", "key", "username", *drawn})
    return digest_of(made_of)[:16]


STAGE = Stage(model=GeneratedSecretSpec, configure=configure)
