"""The same by the program kubeseal, for those whose rules say that it has to be that one.

The value and the certificate reach it as files in memory: neither an argument nor a file of a disk
ever holds them. The value does not go through sh's own standard input, whose chunks sh writes to
its debug log.
"""

import base64
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sh

from troth.errors import NotServedError, PermanentError, Reason, TransientError, shorten
from troth.sdk.sealing._certificate import Certificate
from troth.sdk.sealing._target import Scope, Target

__all__ = ["KubesealSealer"]

_LIMIT = 30.0  # seconds for one value; it takes some hundredths

# What kubeseal may say of a failure: a line or two.
_TEXT_LIMIT = 500

_LENGTH = 2  # bytes that tell the length of the wrapped session key
_TAG = 16  # bytes at the end, by AES-GCM


class KubesealSealer:
    """Seals by running kubeseal, once for each value; the figures are a thousandth of in-process.

    Args:
        certificate: what to seal with.
        program: a name that is looked for on PATH, or a path.
        limit: seconds that it may take for one value.

    Raises:
        NotServedError: there is no such program.
    """

    def __init__(
        self, certificate: Certificate, program: str | Path = "kubeseal", limit: float = _LIMIT
    ) -> None:
        self._certificate = certificate
        self._limit = limit
        self._program = str(program)
        try:
            self._command = sh.Command(self._program)
        except sh.CommandNotFound:
            message = (
                f"the program {self._program} that is to seal was not found, or may not be run. "
                "Install it, name it by its path, or seal in process, which needs no program."
            )
            raise NotServedError(Reason.SEALER_FAILED, message) from None

    @property
    def certificate(self) -> Certificate:
        """Return what it seals with."""
        return self._certificate

    def seal(self, value: bytes, target: Target) -> str:
        """Return the ciphertext of a value, standard base64.

        Raises:
            PermanentError: kubeseal failed, or printed something else.
            TransientError: it took too long, and was ended.
        """
        with _in_memory(value) as given, _in_memory(self._certificate.pem) as certificate:
            os.set_inheritable(certificate, True)  # noqa: FBT003  (takes no keyword)
            printed = self._run(_arguments(certificate, target), given, certificate).strip()
        self._refuse_other(printed, len(value))
        return printed

    def _run(self, arguments: list[str], given: int, certificate: int) -> str:
        """Run it with an empty environment, so that no SEALED_SECRETS_… has a say."""
        try:
            with os.fdopen(os.dup(given), "rb") as stdin:
                return str(
                    self._command(
                        *arguments,
                        _in=stdin,
                        _env={},
                        _pass_fds={certificate},
                        _timeout=self._limit,
                        _tty_out=False,
                    )
                )
        except sh.TimeoutException:
            message = f"{self._program} was ended: it took longer than {self._limit:g} s."
            raise TransientError(Reason.SEALER_FAILED, message) from None
        except sh.ErrorReturnCode as error:
            said = shorten(error.stderr.decode(errors="replace"), _TEXT_LIMIT)
            message = f"{self._program} failed with code {error.exit_code}: {said or 'no word'}"
            raise PermanentError(Reason.SEALER_FAILED, message) from None
        except UnicodeDecodeError:
            raise self._odd("bytes that are no text") from None

    def _refuse_other(self, printed: str, size: int) -> None:
        """Refuse what has not the form of a sealed value of that size; nobody could open it."""
        try:
            sealed = base64.b64decode(printed, validate=True)
        except ValueError:
            raise self._odd(f"{len(printed)} characters that are no base64") from None
        expected = _LENGTH + self._certificate.public_key.key_size // 8 + size + _TAG
        if len(sealed) != expected:
            raise self._odd(f"{len(sealed)} bytes where there should be {expected}")

    def _odd(self, what: str) -> PermanentError:
        message = (
            f"{self._program} printed {what}; a sealed value was expected. Is it really kubeseal?"
        )
        return PermanentError(Reason.SEALER_FAILED, message)


def _arguments(certificate: int, target: Target) -> list[str]:
    arguments = ["--raw", "--cert", f"/proc/self/fd/{certificate}", "--scope", str(target.scope)]
    if target.scope is not Scope.CLUSTER_WIDE:
        arguments += ["--namespace", target.namespace]
    if target.scope is Scope.STRICT:
        arguments += ["--name", target.name]
    return arguments


@contextmanager
def _in_memory(content: bytes) -> Generator[int]:
    """Give a descriptor of a file without a name, in memory; with the block it is gone."""
    descriptor = os.memfd_create("sealing", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
