"""The bench: warm runners in several conditions, none of which a stage should notice."""

import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from troth.engine import Moment
from troth.errors import Reason, TransientError
from troth.runners.warm import Conditions, Limits, WarmRunner

__all__ = ["LATER", "MOMENT", "Bench", "open_bench"]

MOMENT = Moment(datetime(2024, 2, 29, 12, tzinfo=UTC), bytes(32))
"""Clock and randomness of golden output, the same for ever."""

LATER = Moment(datetime(2031, 12, 31, 23, 59, 59, tzinfo=UTC), bytes(range(1, 33)))
"""Another moment, in which the same request has to give the same."""

_USUAL = Conditions(hash_seed=0)
# Two more, since two values in a set stand in the same order under every second hash seed. Whatever
# the machine's clock says, one of the zones has another date than UTC. They are spelled as offsets,
# for machines that know no names of zones.
_OTHERS = (
    Conditions(time_zone="EAST-13:45", hash_seed=1),
    Conditions(time_zone="WEST+11:30", hash_seed=4242),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Runners of the same stages: the one that golden output comes from, and others."""

    usual: WarmRunner
    others: tuple[WarmRunner, ...]


@contextmanager
def open_bench(images: Mapping[str, str], limits: Limits) -> Generator[Bench]:
    """Set up the runners; their processes start with the first stage, and end with this.

    Args:
        images: image → distribution whose stages stand for it, as `WarmRunner` takes it.
        limits: what one run may use up.

    Raises:
        TransientError: no temporary folder can be made.
    """
    with ExitStack() as stack:
        usual, *others = (
            stack.enter_context(WarmRunner(images, limits=limits, conditions=conditions))
            for conditions in (
                _USUAL,
                *(replace(one, temporary=stack.enter_context(_folder())) for one in _OTHERS),
            )
        )
        yield Bench(usual, tuple(others))


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Make the temporary folder of a runner's stages."""
    try:
        return tempfile.TemporaryDirectory(prefix="troth-")
    except OSError as error:
        message = f"no temporary folder could be made: {error.strerror}."
        raise TransientError(Reason.STAGE_CRASHED, message) from error
