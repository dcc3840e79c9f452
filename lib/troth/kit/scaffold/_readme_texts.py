"""The README of a new bundle, for those who ask and for those who change it."""

__all__ = ["readme"]

_HEAD = """\
# %{name}: what it gives, in one line

Say here what a developer gets who asks for a `%{kind}`. Until then it is a ConfigMap that tells who
owns it and how much memory it has.

```yaml
%{request}```

## Who is responsible for what

| who | answers for |
|---|---|
| the developers | the request |
| the platform team | this Promise |
| Troth | that the manifests stand in the state store, the same bytes for the same request |
| Argo CD or Flux | that the cluster has them |

## Inputs

| field of `spec` | needed | default | meaning |
|---|---|---|---|
| `owner` | yes | | The team that answers for it. |
| `size` | no | `small` | How much memory it gets: `small` or `large`. |

## Outputs

`configmap.yaml`, with one ConfigMap of the request's name. The status tells `memory`.

## Day 2

* **Change the size**: change `size`.
* **Delete**: deleting the request takes its files from the state store, and the agent deletes the
  ConfigMap.

## Changing this bundle

"""

_PYTHON = """\
| file | holds |
|---|---|
| `stage/%{package}/__init__.py` | the stage: the model of a request, and what it renders |
| `promise.yaml` | the API, whose schema is the model's: `troth test` compares them |
| `resource-request*.yaml` | requests, each a test of its own; the first is the example |
| `expected/` | what they give |
| `stage/test_%{package}.py` | tests of the stage's functions |

`troth test` with this folder shows what a change does to the output; `--update` takes that for
expected. `pytest --troth` with this folder makes the same checks, tries random requests, and runs
the stage's own tests.

The stage runs in worker processes when this folder is given to a command, without being installed.
Where it is only found below a given folder, install `stage/` first and say
`--image '%{distribution}:*=%{distribution}'`. On Kratix `%{image}` is an image: the
stage image of Troth, with the package in `stage/` installed in it.
"""

_TEMPLATE = """\
| file | holds |
|---|---|
| `promise.yaml` | the API, and under `TEMPLATES` the objects that a request gives |
| `resource-request*.yaml` | requests, each a test of its own; the first is the example |
| `expected/` | what they give |

`troth test` with this folder shows what a change does to the output; `--update` takes that for
expected. `pytest --troth` with this folder makes the same checks, and tries random requests.
"""


def readme(*, template: bool) -> str:
    """Return the README of a bundle."""
    return _HEAD + (_TEMPLATE if template else _PYTHON)
