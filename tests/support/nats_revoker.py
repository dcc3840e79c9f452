"""A process of its own that revokes users one by one, for tests of several at a time.

It reads its orders as JSON from stdin: url, creds, account, seed of the operator's key, users, now.
"""

import json
import sys

from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.revoking import AccountWriter

__all__: list[str] = []


def main() -> None:
    """Revoke them."""
    orders = json.load(sys.stdin)
    writer = AccountWriter(
        Servers((orders["url"],), Credentials.parse(orders["creds"])),
        orders["account"],
        KeyPair.from_seed(orders["seed"], KeyKind.OPERATOR),
    )
    for user in orders["users"]:
        writer.revoke({user: orders["now"]}, orders["now"])


if __name__ == "__main__":
    main()
