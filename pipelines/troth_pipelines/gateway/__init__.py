"""What the stages of the Gateway API share: its values, as people write them in a request.

Here belong value types with their patterns, and pure functions over them: hostnames, durations,
sizes. What a stage renders from them does not, and nothing here knows a request or its context.
"""

__all__ = []
