"""Making users of a NATS system in operator mode: signed here, ended by revocation."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.api import Fields
from troth.errors import InvalidInputError, Reason, TransientError
from troth.sdk import Context
from troth_pipelines.credentials import Generation, Made
from troth_pipelines.nats import minting
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.revoking import AccountWriter
from troth_pipelines.nats.users import AccountSigner
from troth_pipelines.stages.nats_user._accounts import OperatorAccount
from troth_pipelines.stages.nats_user._model import Secret
from troth_pipelines.stages.nats_user._secret import values_of
from troth_pipelines.stages.nats_user._wanted import WantedUser

__all__ = ["OperatorMaker"]

_PUBLIC_KEY, _ISSUER = "publicKey", "issuer"


@dataclass(frozen=True, slots=True)
class OperatorMaker:
    """Makes the generations of one user in one account; see `UserMaker`."""

    account: OperatorAccount
    wanted: WantedUser
    secret: Secret
    context: Context

    def make(self, number: int) -> Made:
        """Sign a generation. Nobody is asked, so nothing of it is left if it is not written."""
        now = self.context.now
        expires = now + self.wanted.lifetime
        generation = minting.Generation(
            user=self.wanted.name,
            number=number,
            raw=self._seed(number),
            issued=int(now.timestamp()),
            expires=int(expires.timestamp()),
            grant=self.wanted.grant,
        )
        signer = self._signer()
        minted = minting.mint(generation, signer)
        return Made(
            values=values_of(self.secret, self.account.servers, minted.creds),
            details={
                _PUBLIC_KEY: minted.public_key,
                "user": minted.name,
                _ISSUER: signer.key.public_key,
            },
            issued=now,
            expires=expires,
        )

    def retire(self, generation: Generation, details: Mapping[str, str]) -> None:
        """Revoke a generation, unless it has ended by itself.

        Raises:
            InvalidInputError: what the platform gives to revoke with is missing or wrong.
            TransientError: NATS does not answer, or the account's users are not revoked.
        """
        now = self.context.now
        if generation.expires is not None and generation.expires <= now:
            return
        account, number = self.account, generation.number
        if not account.revokes:
            message = (
                f"generation {number} cannot be revoked, since the platform gives its account "
                f"{account.name} neither operatorKey nor systemCreds; it ends by itself."
            )
            raise TransientError(Reason.PROVIDER_REFUSED, message)
        user = Fields(
            details, ("status", "credentials", f"generation {number}"), Reason.INVALID_STATUS
        )
        moment = int(now.timestamp())
        self._writer().revoke({user.text(_PUBLIC_KEY): moment}, moment)

    def _writer(self) -> AccountWriter:
        account = self.account
        if account.operator_key is None or account.system_creds is None:
            message = (
                f"users of account {account.name} cannot be revoked: the variables that "
                "NATS_ACCOUNTS names as operatorKey and systemCreds have to come from Secrets that "
                "are there."
            )
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
        credentials = Credentials.parse(account.system_creds)
        return AccountWriter(
            servers=Servers(account.servers, credentials, account.ca),
            account=account.account,
            key=KeyPair.from_seed(account.operator_key, KeyKind.OPERATOR),
            longest=int(account.longest.total_seconds()) if account.longest is not None else None,
        )

    def _signer(self) -> AccountSigner:
        seed = self.account.signing_key
        if seed is None:
            message = (
                f"the signing key of account {self.account.name} is not given: the variable that "
                "NATS_ACCOUNTS names as signingKey has to come from a Secret that is there."
            )
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
        key = KeyPair.from_seed(seed, KeyKind.ACCOUNT)
        return AccountSigner(self.account.account, key, self.account.scoped)

    def _seed(self, number: int) -> bytes:
        """Return the bytes that a generation's key is made of; of this run, and no other."""
        info = f"troth.dev/nats-user/1 {self.account.account} {self.wanted.owner} {number}"
        kdf = HKDF(hashes.SHA256(), 32, salt=None, info=info.encode())
        return kdf.derive(self.context.seed)
