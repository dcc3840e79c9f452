"""A real Kubernetes on this machine: API server, kubectl, and controllers that run beside it.

What tests say of Kubernetes and of Sealed Secrets is asked of the real programs here. Nothing here
knows a Promise. The programs come from `support.tools`; etcd is the machine's.
"""

from support.cluster.control_plane import (
    Cluster,
    ControlPlane,
    given_cluster,
    run_cluster,
    run_controller_manager,
)
from support.cluster.daemon import Daemon, eventually, free_ports
from support.cluster.kubectl import Kubectl, KubectlError
from support.cluster.sealed_secrets import SealedSecrets, run_sealed_secrets

__all__ = [
    "Cluster",
    "ControlPlane",
    "Daemon",
    "Kubectl",
    "KubectlError",
    "SealedSecrets",
    "eventually",
    "free_ports",
    "given_cluster",
    "run_cluster",
    "run_controller_manager",
    "run_sealed_secrets",
]
