"""What stages share that make credentials: when they are renewed, and what is remembered of them.

Here belongs what holds for every kind of credential. What one is, and who makes it, does not.
"""

from troth_pipelines.credentials.rotation import Generation, Policy, Steps, next_steps

__all__ = ["Generation", "Policy", "Steps", "next_steps"]
