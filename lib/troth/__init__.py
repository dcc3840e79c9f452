"""Troth: promises for platform teams.

What everybody shares stands here: the errors, the typed views of the objects (``api``), what a
stage author imports (``sdk``), the ladder a request climbs (``engine``), the ways a stage is run
(``runners``), the embedded driver (``local``) and the commands (``cli``). Stages themselves live
in ``troth_pipelines``, what writes to Git in ``troth_statestore``.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
