"""The ladder that a request climbs: admit, render, check, place, claim, write, report.

The engine takes objects and a state store and gives back change sets and a report. It knows
neither files nor Kubernetes, and of stores and runners only their protocols.
"""

from troth.engine.absence import Intake
from troth.engine.change import Change
from troth.engine.drift import Checked, DriftCheck, DriftReport, Verdict
from troth.engine.inspections import Account, Inspector
from troth.engine.ladder import Engine, Plan, Settings
from troth.engine.ledger import Entry, Ledger
from troth.engine.preview import FileChange, Preview, preview
from troth.engine.record import Record
from troth.engine.removal import DeletionBudget
from troth.engine.render import Moment, Rendered, Renderer
from troth.engine.rotations import ROTATIONS, RotationLimit
from troth.engine.rounds import settle
from troth.engine.survey import survey, survey_one
from troth.engine.values import (
    FAILING,
    Item,
    ObjectId,
    ObjectVersion,
    Placement,
    Spot,
    State,
    Submission,
    World,
)
from troth.engine.view import View
from troth.engine.write import Report, Writer

__all__ = [
    "FAILING",
    "ROTATIONS",
    "Account",
    "Change",
    "Checked",
    "DeletionBudget",
    "DriftCheck",
    "DriftReport",
    "Engine",
    "Entry",
    "FileChange",
    "Inspector",
    "Intake",
    "Item",
    "Ledger",
    "Moment",
    "ObjectId",
    "ObjectVersion",
    "Placement",
    "Plan",
    "Preview",
    "Record",
    "Rendered",
    "Renderer",
    "Report",
    "RotationLimit",
    "Settings",
    "Spot",
    "State",
    "Submission",
    "Verdict",
    "View",
    "World",
    "Writer",
    "preview",
    "settle",
    "survey",
    "survey_one",
]
