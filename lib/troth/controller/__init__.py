"""The driver for Kubernetes: what is asked for with kubectl goes up the ladder, and comes to Git.

So far it holds the clerk, who serves what is handed in one by one, and knows no API server.
"""

from troth.controller.agenda import Agenda
from troth.controller.clerk import Answer, Clerk, Desk

__all__ = ["Agenda", "Answer", "Clerk", "Desk"]
