"""The stage of the Promise ``nats-user``: NATS users whose sealed credentials never churn.

Here belong the model of the request, the platform's accounts, and who makes users. When one is
renewed and how it is sealed stands in `troth_pipelines.credentials`, what NATS is in
`troth_pipelines.nats`.
"""

from collections.abc import Mapping

from troth.api import Fields, Json
from troth.sdk import UNKNOWN, Context, Control, Output, Request, Stage
from troth.sdk.sealing import SecretShape, Target, sealed_secret
from troth_pipelines.credentials import (
    Delivery,
    Lived,
    State,
    Wish,
    condition,
    live,
    read_interval,
    reported,
)
from troth_pipelines.stages.nats_user._accounts import OperatorAccount, find_account
from troth_pipelines.stages.nats_user._inspection import inspect
from troth_pipelines.stages.nats_user._maker import UserMaker
from troth_pipelines.stages.nats_user._model import NatsUserSpec
from troth_pipelines.stages.nats_user._secret import keys_of
from troth_pipelines.stages.nats_user._wanted import WantedUser, read_wanted

__all__ = ["STAGE", "NatsUserSpec", "configure", "delete", "inspect"]


def configure(request: Request[NatsUserSpec], context: Context) -> Output:
    """Render the SealedSecret of a NATS user, made and renewed when that is due.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse, or the
            platform's settings are wrong.
        PermanentError: the provider refuses.
        OutputRefusedError: another mode would lose what the live Secret holds.
    """
    spec = request.spec
    account = find_account(spec.account, context.environ)
    wanted = read_wanted(request, context.promise, account, read_interval(context.environ))
    state = State.load(request.status)
    _refuse_beyond(spec, state)
    maker = UserMaker(account, wanted, spec.secret, context)
    wish = Wish(
        policy=wanted.policy,
        target=Target(spec.secret.namespace or request.namespace, spec.secret.name),
        keys=keys_of(spec.secret, account.servers),
        wanted=wanted.digest,
        renewal=spec.rotation.request,
        end_before=spec.rotation.revoke_before,
        delivery=Delivery.of(spec.secret.mode, spec.secret.seen, "spec.secret.seen"),
    )
    lived = live(context, wish, state, maker)
    shape = SecretShape(labels={"app.kubernetes.io/managed-by": "troth"})
    sealed = sealed_secret(
        wish.target, lived.destination, lived.ciphertexts, shape, wish.delivery.mode
    )
    after = lived.due - context.now if lived.due is not None else None
    return Output(
        files={"sealed-secret.yaml": [sealed]},
        status=_status(maker, wish.target, lived),
        control=Control(reconcile_after=after) if after is not None else None,
    )


def _refuse_beyond(spec: NatsUserSpec, state: State) -> None:
    """Refuse to end what nobody has made yet: a slip there would use up the numbers.

    Where no state is left, nobody knows the numbers, and the request alone counts.

    Raises:
        InvalidInputError: the next generation would be ended as well.
    """
    asked, newest = spec.rotation.revoke_before, state.newest
    if newest is not None and asked > newest.number + 1:
        message = (
            f"{asked} is beyond the next generation; the newest is {newest.number}, so all that "
            f"there are end with {newest.number + 1}."
        )
        raise Fields({}, ("spec", "rotation")).error("revokeBefore", message)


def delete(request: Request[NatsUserSpec], context: Context) -> Output:
    """End every generation of the user. Raises as `configure`; then nothing is removed yet."""
    account = find_account(request.spec.account, context.environ)
    wanted = WantedUser.ended(request, context.promise)
    maker = UserMaker(account, wanted, request.spec.secret, context)
    state = State.load(request.status)
    known = {one: state.details.get(one.number, {}) for one in state.generations}
    context.effects.perform(f"end all users of {wanted.owner}", lambda: maker.retire_all(known))
    return Output(status={"credentials": []})


def _status(maker: UserMaker, target: Target, lived: Lived) -> dict[str, Json]:
    newest = lived.state.newest
    details: Mapping[str, str] = {}
    if newest is not None:
        details = lived.state.details.get(newest.number, {})
    ready = (
        condition("UserReady", "UserMade", f"{maker.title(newest.number)} was made")
        if newest is not None
        else condition("UserReady", "NotMade", lived.problem or "", holds=False)
    )
    return {
        **reported(lived, ready),
        "provider": "operator" if isinstance(maker.account, OperatorAccount) else "synadia",
        "account": maker.account.name,
        "user": details.get("user", "" if maker.context.effects.performed else str(UNKNOWN)),
        "publicKey": details.get("publicKey", ""),
        "secret": f"{target.namespace}/{target.name}",
    }


STAGE = Stage(model=NatsUserSpec, configure=configure, delete=delete, inspect=inspect)
