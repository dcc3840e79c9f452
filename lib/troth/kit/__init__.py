"""The author's kit: what makes bundles, tests them, and writes reference pages of their Promises.

Here belong the checks of a bundle, its golden output, what is needed to run its stages in several
conditions, the files of a new bundle (`scaffold`) and the pages of ``troth docs`` (`reference`).
How a request is rendered and what no output may be is the engine's, and words on a terminal are
the commands'. `troth.kit.strategies` makes random requests and needs hypothesis;
`troth.kit.plugin` is what pytest loads. Nothing else here needs either.

Words:
    bundle: the folder of a Promise, with its requests and their golden output.
    check: one thing that is looked at, of a request or of the bundle as a whole.
    finding: how one check ended.
    examination: all checks of a bundle, each made once.
    setting: what all requests of a bundle are examined with.
    case: one request, and what the checks brought about of it so far.
    rehearsal: the engine's rungs, climbed with no store and nothing written.
    take: what one rendering in a rehearsal left.
    bench: runners of the stages, in several conditions that no stage should notice.

Its modules are its doors. The package itself imports none of them, for pytest loads it with the
plugin into runs that test no bundle.
"""

__all__ = []
