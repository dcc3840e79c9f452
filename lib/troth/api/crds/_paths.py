"""Rules for paths in a state store, said of Destinations and of stores alike."""

from troth.api.crds._schema import Schema, rule, text

__all__ = ["store_path_text"]

_LENGTH = 1024


def store_path_text(description: str) -> Schema:
    """Return the schema of a path that may neither lead out of a store nor into what is Git's."""
    expression = "!self.split('/').exists(part, part == '..' || part.lowerAscii() == '.git')"
    message = "'..' and '.git' have no place in a path of a state store"
    return text(description, rules=[rule(expression, message)], maxLength=_LENGTH)
