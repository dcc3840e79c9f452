"""The commands: one module each, and what they share.

Here belong options, words for people, and exit codes. What a command does stands in ``local`` and
``engine``. Environment variables are read here and nowhere else.
"""

from troth.cli.main import main

__all__ = ["main"]
