"""What stages need to speak of NATS: keys, JWTs, creds files, subjects, and revocation.

Here belong values of a NATS system in operator mode, pure functions over them, and the one way to
its servers that changes an account. Requests, their status and what is rendered from them do not:
they are the stages'. Nothing here has a clock or randomness; both come as arguments.
"""

__all__ = []
