"""Why a host's certificate was not trusted, in words.

Git's TLS library may say no more than that it was not. So the host is asked once more, for the
words alone: nothing is sent to it, and nothing is trusted for it.
"""

import os
import ssl
from pathlib import Path
from socket import create_connection
from urllib.parse import urlsplit
from urllib.request import getproxies

__all__ = ["why_not_trusted"]

_PATIENCE = 5.0  # seconds
_HTTPS = 443


def why_not_trusted(url: str, ca_file: Path | None) -> str | None:
    """Return what is wrong with a host's certificate, None where that cannot be told.

    Args:
        url: of the store; only https has certificates.
        ca_file: what vouches for hosts, None for what the machine trusts.
    """
    parts = urlsplit(url) if "://" in url else None
    if (
        parts is None
        or parts.scheme != "https"
        or parts.hostname is None
        or "https" in getproxies()
    ):
        return None
    bundle = ca_file or os.environ.get("GIT_SSL_CAINFO")
    try:
        context = ssl.create_default_context(cafile=None if bundle is None else str(bundle))
        with (
            create_connection((parts.hostname, parts.port or _HTTPS), _PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname),
        ):
            return None
    except ssl.SSLCertVerificationError as exc:
        return exc.verify_message.rstrip(".")
    except (OSError, ValueError):
        return None  # git has said what there is to say
