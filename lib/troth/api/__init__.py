"""Typed views of the objects people write: Promise, Pipeline, Destination, requests.

Here belong reading an object and what its annotations say, naming what is wrong with it (names,
fields, schemas), and the spelling of YAML and of durations. What is done with an object does not,
nor pages about it; nothing here touches a file, a network or a clock.
"""

from troth.api.destination import Destination, Layout, Reader
from troth.api.documents import Document, load_documents, load_object, load_values
from troth.api.durations import seconds_of
from troth.api.fence import Fence, is_system_namespace
from troth.api.git_state_store import AuthMethod, CommitEach, GitStateStore, StoreRef
from troth.api.json_values import (
    Fields,
    Json,
    JsonObject,
    canonical,
    digest_of,
    field_path,
    is_object,
)
from troth.api.pipeline import Container, Pipeline
from troth.api.promise import Api, Kind, Promise, Requirement, Workflow, Workflows, WorkflowType
from troth.api.request import RequestKey, ResourceRequest
from troth.api.schema import RequestSchema, Violation
from troth.api.secrets import SecretKind, SecretRef, Secrets
from troth.api.spelling import dump_documents
from troth.api.store_policy import DeletionLimit, StorePolicy
from troth.api.variables import KeyRef, Variable, expand_variables

__all__ = [
    "Api",
    "AuthMethod",
    "CommitEach",
    "Container",
    "DeletionLimit",
    "Destination",
    "Document",
    "Fence",
    "Fields",
    "GitStateStore",
    "Json",
    "JsonObject",
    "KeyRef",
    "Kind",
    "Layout",
    "Pipeline",
    "Promise",
    "Reader",
    "RequestKey",
    "RequestSchema",
    "Requirement",
    "ResourceRequest",
    "SecretKind",
    "SecretRef",
    "Secrets",
    "StorePolicy",
    "StoreRef",
    "Variable",
    "Violation",
    "Workflow",
    "WorkflowType",
    "Workflows",
    "canonical",
    "digest_of",
    "dump_documents",
    "expand_variables",
    "field_path",
    "is_object",
    "is_system_namespace",
    "load_documents",
    "load_object",
    "load_values",
    "seconds_of",
]
