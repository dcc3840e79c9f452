"""The stages, one module each; every module offers a ``STAGE`` named in pyproject.toml."""
