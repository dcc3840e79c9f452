"""NATS users of Synadia Cloud, or of a Control Plane of one's own, over its HTTP API.

Here belong the way to the API with its errors (`transport`, `failures`), its calls
(`control_plane`, `values`), and what is done with them: users made once and retired once
(`provider`, with its decisions in `choices` and
its answers in `results`), accounts found by name (`places`). What a request
looks like does not, nor state, sealing, or when a credential is due.
"""

from troth_pipelines.nats.synadia.failures import AnswerLostError
from troth_pipelines.nats.synadia.places import Where
from troth_pipelines.nats.synadia.provider import SynadiaProvider, connect
from troth_pipelines.nats.synadia.results import Ensured, Issued, Present, Retired
from troth_pipelines.nats.synadia.settings import SynadiaSettings
from troth_pipelines.nats.synadia.values import AccountRef, UserRef, UserSpec, Wanted

__all__ = [
    "AccountRef",
    "AnswerLostError",
    "Ensured",
    "Issued",
    "Present",
    "Retired",
    "SynadiaProvider",
    "SynadiaSettings",
    "UserRef",
    "UserSpec",
    "Wanted",
    "Where",
    "connect",
]
