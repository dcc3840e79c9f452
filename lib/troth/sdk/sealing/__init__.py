"""Sealing: secrets become SealedSecrets that only a Destination's cluster can open, and stay so.

A stage says which values a Secret should hold; `seal_stably` gives the old ciphertext back for all
that did not change, and `sealed_secret` the object. docs/contract.md says what holds.

Here belongs what makes SealedSecrets of values, and what is remembered of them. Making credentials
and deciding when they are rotated does not. Not part of ``troth.sdk`` itself: a stage without
secrets need not wait for cryptography.
"""

from troth.sdk.sealing._access import HttpAccess
from troth.sdk.sealing._certificate import Certificate, key_fingerprint
from troth.sdk.sealing._controller import Controller
from troth.sdk.sealing._key import SealingKey
from troth.sdk.sealing._kubeseal import KubesealSealer
from troth.sdk.sealing._manifest import SecretShape, sealed_secret
from troth.sdk.sealing._mode import PatchMode, refuse_unsafe_switch
from troth.sdk.sealing._sealer import InProcessSealer, Sealer
from troth.sdk.sealing._sources import (
    CertificateCache,
    CertificateSource,
    ControllerService,
    load_certificate,
)
from troth.sdk.sealing._stable import Note, Sealable, SealedResult, Sealing, seal_stably
from troth.sdk.sealing._target import SEALED_SECRETS_PREFIX, Scope, Target
from troth.sdk.sealing._value import SealedValue, read_sealed_values

__all__ = [
    "SEALED_SECRETS_PREFIX",
    "Certificate",
    "CertificateCache",
    "CertificateSource",
    "Controller",
    "ControllerService",
    "HttpAccess",
    "InProcessSealer",
    "KubesealSealer",
    "Note",
    "PatchMode",
    "Scope",
    "Sealable",
    "SealedResult",
    "SealedValue",
    "Sealer",
    "Sealing",
    "SealingKey",
    "SecretShape",
    "Target",
    "key_fingerprint",
    "load_certificate",
    "read_sealed_values",
    "refuse_unsafe_switch",
    "seal_stably",
    "sealed_secret",
]
