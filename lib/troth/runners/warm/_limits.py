"""What one run may use up."""

from dataclasses import dataclass

__all__ = ["Limits"]

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stage may use up before it is stopped or its output refused.

    Attributes:
        seconds: wall clock that each container of a pipeline has.
        memory_bytes: private memory on top of what an idle worker has (RLIMIT_DATA).
        scratch_file_bytes: the largest file a stage may write anywhere (RLIMIT_FSIZE), its
            printed output included; over it a write fails.
        file_bytes: the largest file of the output, and of the metadata.
        output_bytes: all files of the output together.
        files: how many files the output may have; and as many folders.
        runs: how many stages a worker runs before it is replaced, so that leaks end somewhere.
    """

    seconds: float = 60.0
    memory_bytes: int = 512 * _MIB
    scratch_file_bytes: int = 64 * _MIB
    file_bytes: int = 1 * _MIB
    output_bytes: int = 20 * _MIB
    files: int = 2000
    runs: int = 1000
