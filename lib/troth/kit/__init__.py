"""What a bundle is tested by: the kit behind ``troth test`` and the pytest plugin.

Here belong the checks of a bundle, its golden output, and what is needed to run its stages in
several conditions. How a request is rendered and what no output may be is the engine's, and words
on a terminal are the commands'. `troth.kit.strategies` makes random requests and needs hypothesis;
`troth.kit.plugin` is what pytest loads. Nothing else here needs either.
"""

from troth.kit.bench import Bench, open_bench
from troth.kit.bundle import Bundle, open_bundle
from troth.kit.crds import Crds, load_crds
from troth.kit.examination import Examination, Options
from troth.kit.findings import Check, Finding, Outcome
from troth.kit.junit import junit

__all__ = [
    "Bench",
    "Bundle",
    "Check",
    "Crds",
    "Examination",
    "Finding",
    "Options",
    "Outcome",
    "junit",
    "load_crds",
    "open_bench",
    "open_bundle",
]
