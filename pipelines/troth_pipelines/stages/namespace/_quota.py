"""How much the namespace may use, and what a container gets that does not say what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from troth.api import Fields, Json, JsonObject
from troth_pipelines.stages.namespace._identity import Home
from troth_pipelines.stages.namespace._model import Quota, TeamNamespaceSpec
from troth_pipelines.stages.namespace._quantity import (
    parse_bytes,
    parse_cpu,
    spell_bytes,
    spell_cpu,
)

__all__ = ["SIZES", "Budget", "budget_of", "quota_manifests"]

_MI = 1024**2
_GI = 1024**3

# CPU can be lent, memory cannot: limits may promise twice the CPU there is, never more memory.
_CPU_OVERCOMMIT = 2

# What a container needs to start at all: a quota below it is a mistake.
_LEAST_CPU = 10
_LEAST_MEMORY = 32 * _MI

# What a container commonly needs; more has to be asked for.
_COMMON_CPU = 100
_COMMON_CPU_LIMIT = 500
_COMMON_MEMORY = 256 * _MI


@dataclass(frozen=True, slots=True)
class Budget:
    """What all Pods of a namespace may use together: CPU in thousandths, memory and storage bytes.

    The container_* properties are what one container gets by default: a Pod's share of the
    budget, so that defaults alone never use it up before the Pods do; but no more than a container
    commonly needs, and no less than one needs to start.
    """

    cpu: int
    memory: int
    pods: int
    storage: int

    @property
    def cpu_limit(self) -> int:
        """CPU that limits may reach together."""
        return self.cpu * _CPU_OVERCOMMIT

    @property
    def container_cpu(self) -> int:
        """CPU a container requests by default."""
        return _between(_LEAST_CPU, self.cpu // self.pods, _COMMON_CPU)

    @property
    def container_cpu_limit(self) -> int:
        """CPU a container is limited to by default."""
        share = self.cpu_limit // self.pods
        return _between(_LEAST_CPU * _CPU_OVERCOMMIT, share, _COMMON_CPU_LIMIT)

    @property
    def container_memory(self) -> int:
        """Memory a container requests and is limited to by default, in whole MiB."""
        share = self.memory // self.pods // _MI * _MI
        return _between(_LEAST_MEMORY, share, _COMMON_MEMORY)

    def summary(self) -> JsonObject:
        """Return the budget as people write it."""
        return {
            "cpu": spell_cpu(self.cpu),
            "memory": spell_bytes(self.memory),
            "pods": self.pods,
            "storage": spell_bytes(self.storage),
        }


SIZES: Mapping[str, Budget] = MappingProxyType(
    {
        "small": Budget(cpu=2_000, memory=4 * _GI, pods=16, storage=20 * _GI),
        "medium": Budget(cpu=8_000, memory=16 * _GI, pods=32, storage=100 * _GI),
        "large": Budget(cpu=32_000, memory=64 * _GI, pods=128, storage=500 * _GI),
    }
)


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def budget_of(spec: TeamNamespaceSpec) -> Budget:
    """Return the budget of the size or the quota that was asked for; small without either.

    Raises:
        InvalidInputError: both are given, or the quota is no quota anything could run in.
    """
    if spec.quota is None:
        return SIZES[spec.size or "small"]
    if spec.size is not None:
        raise Fields({}, ("spec",)).error(
            "quota", f"size {spec.size!r} is given too; keep size or quota, not both."
        )
    return _own_budget(spec.quota)


def _own_budget(quota: Quota) -> Budget:
    fields = Fields({}, ("spec", "quota"))
    budget = Budget(
        cpu=parse_cpu(quota.cpu, fields, "cpu"),
        memory=parse_bytes(quota.memory, fields, "memory"),
        pods=quota.pods,
        storage=parse_bytes(quota.storage, fields, "storage"),
    )
    needs = "is less than one container needs to start; ask for at least"
    if budget.cpu < _LEAST_CPU:
        raise fields.error("cpu", f"{quota.cpu} {needs} {spell_cpu(_LEAST_CPU)}.")
    if budget.memory < _LEAST_MEMORY:
        raise fields.error("memory", f"{quota.memory} {needs} {spell_bytes(_LEAST_MEMORY)}.")
    return budget


def quota_manifests(home: Home, budget: Budget) -> list[JsonObject]:
    """Make the ResourceQuota, and the LimitRange without which it refuses plain containers."""
    memory = spell_bytes(budget.memory)
    hard: dict[str, Json] = {
        "requests.cpu": spell_cpu(budget.cpu),
        "limits.cpu": spell_cpu(budget.cpu_limit),
        "requests.memory": memory,
        "limits.memory": memory,
        "requests.storage": spell_bytes(budget.storage),
        "pods": spell_bytes(budget.pods),
    }
    container_memory = spell_bytes(budget.container_memory)
    defaults: dict[str, Json] = {
        "type": "Container",
        "default": {"cpu": spell_cpu(budget.container_cpu_limit), "memory": container_memory},
        "defaultRequest": {"cpu": spell_cpu(budget.container_cpu), "memory": container_memory},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": home.metadata("quota"),
            "spec": {"hard": hard},
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": home.metadata("container-defaults"),
            "spec": {"limits": [defaults]},
        },
    ]
