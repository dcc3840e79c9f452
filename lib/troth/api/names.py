"""Kubernetes' rules for names, labels and namespaces.

Source: apimachinery ``pkg/util/validation`` and ``pkg/api/validation`` (RFC 1123 and 1035 names).
Each function returns what is wrong in words, or None when the name is good.
"""

import re

__all__ = [
    "dns_label_problem",
    "dns_subdomain_problem",
    "label_key_problem",
    "label_value_problem",
    "path_segment_problem",
]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")

_QUOTE_LIMIT = 80  # characters of a name that a message quotes
_LABEL_LIMIT = 63  # characters, RFC 1123
_SUBDOMAIN_LIMIT = 253  # characters, RFC 1123


def dns_label_problem(name: str) -> str | None:
    """Check a namespace, or the name of a kind that must be one DNS label."""
    if len(name) > _LABEL_LIMIT:
        return f"{_cut(name)!r} has {len(name)} characters, at most {_LABEL_LIMIT} are allowed"
    if not _LABEL.fullmatch(name):
        return (
            f"{_cut(name)!r} is not made of a-z, 0-9 and '-', with a letter or digit at both ends"
        )
    return None


def dns_subdomain_problem(name: str) -> str | None:
    """Check the name of most kinds."""
    if len(name) > _SUBDOMAIN_LIMIT:
        return f"{_cut(name)!r} has {len(name)} characters, at most {_SUBDOMAIN_LIMIT} are allowed"
    if not _SUBDOMAIN.fullmatch(name):
        return (
            f"{_cut(name)!r} is not made of a-z, 0-9, '-' and '.', with a letter or digit at both "
            "ends"
        )
    return None


def path_segment_problem(name: str) -> str | None:
    """Check the name of an RBAC object, which may hold more than DNS allows."""
    if name in {"", ".", ".."} or "/" in name or "%" in name:
        return f"{_cut(name)!r} cannot stand in a URL: it is empty, a dot name, or has '/' or '%'"
    return None


def label_value_problem(value: str) -> str | None:
    """Check a label's value."""
    if len(value) > _LABEL_LIMIT:
        return f"{_cut(value)!r} has {len(value)} characters, at most {_LABEL_LIMIT} are allowed"
    if value and not _QUALIFIED.fullmatch(value):
        return (
            f"{_cut(value)!r} is not made of letters, digits, '-', '_' and '.', with a letter or "
            "digit at both ends"
        )
    return None


def label_key_problem(key: str) -> str | None:
    """Check the key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    if slash and (problem := dns_subdomain_problem(prefix)):
        return f"the prefix of {_cut(key)!r}: {problem}"
    if not name or len(name) > _LABEL_LIMIT or not _QUALIFIED.fullmatch(name):
        return f"{_cut(key)!r} is no key: its name needs 1 to 63 letters, digits, '-', '_' or '.'"
    return None


def _cut(name: str) -> str:
    return name if len(name) <= _QUOTE_LIMIT else f"{name[:_QUOTE_LIMIT]}…"
