"""Where a repository is: reading a URL, and telling about it without telling secrets.

Pure text, but for `Location.objects`, which looks for a repository on this machine.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from troth.errors import InvalidInputError, Reason

__all__ = ["SCHEMES", "Location", "scrub"]

# Transports that git may use; `ext::` and its like, which run commands, are not among them.
SCHEMES = ("file", "git", "http", "https", "ssh")

# Up to the last `@` before the path: a password may hold one that somebody forgot to escape.
_USER_INFO = re.compile(r"://[^/\s'\"]*@")
# What no address holds that is no URL, but many a URL that lost a character of its scheme.
_URL_IN_DISGUISE = re.compile(r"(//|:).*[@?#]|(?i:file|git|https?|ssh)(:/|//)")
# `ext::` and its like: a program to run in place of a host.
_HELPER = re.compile(r"[A-Za-z0-9]+::")


def scrub(text: str) -> str:
    """Return `text` without the user-info of the URLs in it."""
    return _USER_INFO.sub("://", text)


@dataclass(frozen=True, slots=True)
class Location:
    """A repository's address.

    Attributes:
        url: what git is given; no secret in it.
        description: what people are shown.
        folder: where it lies on this machine, None for a remote host.
    """

    url: str
    description: str
    folder: Path | None

    @classmethod
    def parse(cls, url: str) -> "Location":
        """Read a URL, an scp-like address or a path.

        Raises:
            InvalidInputError: it holds a secret, or no transport that is served.
        """
        if not url or url.startswith("-") or not url.isprintable() or _HELPER.match(url):
            raise _refused("is no URL or path of a Git repository")
        if "://" in url:
            return _parse_url(url)
        if _URL_IN_DISGUISE.search(url):
            raise _refused("looks like a URL, but for the `://` after a scheme")
        # A colon before the first slash makes a host of what stands before it: `git@host:path`.
        host = url.partition("/")[0]
        if ":" in host:
            if ":" in host.rpartition("@")[0]:
                raise _refused("has a password in it")
            return cls(url, url, None)
        folder = Path(url).absolute()
        return cls(str(folder), str(folder), folder)

    @property
    def scheme(self) -> str:
        """The transport: one of `SCHEMES`, whichever way the address is written."""
        if self.folder is not None:
            return "file"
        return self.url.partition("://")[0] if "://" in self.url else "ssh"

    def objects(self) -> Path | None:
        """Return the folder of the objects of a repository on this machine.

        None when there is no repository, or one whose objects are not to be had that simply.
        """
        if self.folder is None:
            return None
        for candidate in (self.folder / ".git", self.folder):
            objects = candidate / "objects"
            if (candidate / "HEAD").is_file() and objects.is_dir():
                return objects.resolve()
        return None


def _parse_url(url: str) -> Location:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise _refused("is no URL of a Git repository") from None
    if parts.scheme not in SCHEMES:
        raise _refused(f"has a scheme that is not served; served are {', '.join(SCHEMES)}")
    if parts.scheme != "file" and not parts.hostname:
        raise _refused("names no host")
    if password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise _refused("has a user name or password in it")
    if parts.query or parts.fragment:
        raise _refused("has a query or a fragment, in which secrets travel")
    description = scrub(parts._replace(query="", fragment="").geturl())
    folder = Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc else None
    return Location(url, description, folder)


def _refused(why: str) -> InvalidInputError:
    # The URL itself is left out: whatever is wrong with it, a secret may be what is wrong.
    return InvalidInputError(
        Reason.INVALID_OBJECT,
        f"The URL of the state store {why}. Give https://HOST/PATH, ssh://git@HOST/PATH, "
        "git@HOST:PATH or a path, and credentials apart from it.",
    )
