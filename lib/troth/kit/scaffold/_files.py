"""The files of a new bundle: texts with names filled in, and the golden output beside them."""

from collections.abc import Mapping
from string import Template

from troth import __version__
from troth.api import JsonObject, dump_documents
from troth.kit.scaffold import _promise_texts, _readme_texts, _stage_texts
from troth.kit.scaffold._names import Names

__all__ = ["new_bundle"]

# The memory that the stages of both kinds make of these requests' sizes.
_REQUESTS = {"example": "1Gi", "minimal": "256Mi"}
_OWNER = "team-a"


class _Text(Template):
    """A text with ``%{word}`` in it; dollar signs are Python's, YAML's and the shell's."""

    delimiter = "%"


def new_bundle(names: Names, *, template: bool) -> dict[str, bytes]:
    """Return the files of a new bundle: path below its folder → content, in order of reading.

    Args:
        names: what everything is called.
        template: whether the stage is ``template``, or one in Python that the bundle brings.

    Raises:
        InvalidInputError: the stage cannot be called so.
    """
    if not template:
        names.require_free_stage()
    plain = {**names.values(), "troth_image": f"troth-stage:{_tag()}"}
    # What is a name to us may be a number or a truth value to YAML; so no text puts two together.
    quoted = {word: _spelled(text) for word, text in plain.items()}
    container = _promise_texts.TEMPLATE if template else _promise_texts.PYTHON
    request = _fill(_promise_texts.REQUEST, quoted)
    told = {**plain, "request": request.decode()}
    files = {
        "README.md": _fill(_readme_texts.readme(template=template), told),
        "promise.yaml": _fill(_promise_texts.PROMISE + container, quoted),
        "resource-request.yaml": request,
        "resource-request-minimal.yaml": _fill(_promise_texts.MINIMAL, quoted),
    }
    for word, memory in _REQUESTS.items():
        golden = f"expected/{plain[word]}"
        files[f"{golden}/configmap.yaml"] = _spell(_config_map(plain[word], memory))
        files[f"{golden}/status.yaml"] = _spell({"memory": memory})
    if not template:
        files["stage/pyproject.toml"] = _fill(_stage_texts.PROJECT, plain)
        files[f"stage/{names.package}/__init__.py"] = _fill(_stage_texts.STAGE, plain)
        files[f"stage/test_{names.package}.py"] = _fill(_stage_texts.TEST, plain)
        files["stage/.gitignore"] = _stage_texts.IGNORED.encode()
    return files


def _tag() -> str:
    """Return the tag of the stage image of this version: major and minor."""
    return ".".join(__version__.split(".")[:2])


def _fill(text: str, values: Mapping[str, str]) -> bytes:
    return _Text(text).substitute(values).encode()


def _spelled(text: str) -> str:
    """Spell a text as YAML does, in quotes where it needs them."""
    return dump_documents([{"text": text}]).decode().partition(" ")[2].strip()


def _spell(document: JsonObject) -> bytes:
    return dump_documents([document])


def _config_map(name: str, memory: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"app.kubernetes.io/managed-by": "troth"},
        },
        "data": {"owner": _OWNER, "memory": memory},
    }
