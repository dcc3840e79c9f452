"""The driver for Kubernetes: what is asked for with kubectl goes up the ladder, and comes to Git.

What is had from here needs no Kubernetes; `troth.controller.run` does, with the extra that brings
it.
"""

from troth.controller.agenda import Agenda
from troth.controller.clerk import Answer, Clerk, Desk

__all__ = ["Agenda", "Answer", "Clerk", "Desk"]
