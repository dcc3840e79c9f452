"""The stages we ship, one module each, and the entry point of the stage image.

A stage sees only what any author sees: ``troth.sdk``, ``troth.api`` and ``troth.errors``.
"""
