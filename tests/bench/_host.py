"""Serves one repository over HTTP with TLS on loopback until its standard input ends.

Prints the file with the certificate authority, then the address.
"""

import sys
from pathlib import Path

from support.certificates import Authority
from support.git_http import serve_git


def main() -> None:
    """Serve the repository that the first argument names."""
    remote = Path(sys.argv[1])
    authority = Authority(remote.with_name("certificates"), "bench")
    with serve_git(remote.parent, tls=authority.issue("host")) as host:
        sys.stdout.write(f"{authority.bundle}\n{host.url(remote.name)}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
