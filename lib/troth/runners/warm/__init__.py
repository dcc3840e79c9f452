"""The warm runner: a pool of worker processes that have imported the stages already.

Here belongs running stages of installed distributions, each run apart from the others and within
limits, in place of the image a pipeline names. What runs images does not, and what the output
means is the engine's. The processes are our own (a nursery that forks workers), because
`concurrent.futures` fails every waiting task when one worker dies and cannot kill one, and
`multiprocessing` imports the caller's ``__main__`` into its workers and leaves its fork server
and resource tracker behind.

It keeps runs from disturbing each other; it is no prison. A stage that means harm runs as the
user who runs Troth, and wants a container.
"""

from troth.runners.warm._conditions import Conditions
from troth.runners.warm._images import Step
from troth.runners.warm._limits import Limits
from troth.runners.warm._runner import WarmRunner

__all__ = ["Conditions", "Limits", "Step", "WarmRunner"]
