"""What the stages of the Gateway API share: its values, and the names that objects have in common.

Here belong value types of requests with their patterns, pure functions over them (hostnames,
paths, durations, sizes), and names that more than one stage writes, of listeners and of whole
objects. What a stage renders from them does not, and nothing here knows a request or its context.
"""

__all__ = []
