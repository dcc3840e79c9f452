import contextlib
from pathlib import Path

import pytest
from support.warm import run

from troth.errors import OutputRefusedError, Reason, TrothError
from troth.runners.warm import WarmRunner

MIB = 1 << 20


def _refusal(runner: WarmRunner, stage: str, *, text: str = "", number: int = 0) -> TrothError:
    with pytest.raises(OutputRefusedError) as caught:
        run(runner, stage, text=text, number=number)
    return caught.value


@pytest.mark.parametrize("path", ["output/a/link.yaml", "metadata/status.yaml"])
def test_a_symlink_is_refused(runner: WarmRunner, path: str) -> None:
    error = _refusal(runner, "link", text=path)

    assert error.reason is Reason.UNSAFE_PATH
    assert error.message == f"'{path}' is a symlink; output is plain files only."


@pytest.mark.parametrize("path", ["output", "metadata"])
def test_a_folder_replaced_by_a_symlink_is_refused(runner: WarmRunner, path: str) -> None:
    error = _refusal(runner, "link_folder", text=path)

    assert error.reason is Reason.UNSAFE_PATH
    assert error.message.startswith(f"'{path}' is no folder any more")


@pytest.mark.parametrize("path", ["output/pipe", "metadata/status.yaml"])
def test_a_named_pipe_is_refused(runner: WarmRunner, path: str) -> None:
    error = _refusal(runner, "pipe", text=path)

    assert error.reason is Reason.UNSAFE_PATH
    assert error.message.startswith(f"'{path}' is a")


def test_a_hard_link_is_refused(runner: WarmRunner) -> None:
    error = _refusal(runner, "link_hard")

    assert error.message.startswith("'output/object.yaml' is a hard link")


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\\b", "a\udcffb", "a\x7f"])
def test_an_unsafe_name_is_refused(runner: WarmRunner, name: str) -> None:
    error = _refusal(
        runner, "by_hand", text=f"output/{name}".encode("utf-8", "surrogateescape").hex()
    )

    assert error.reason is Reason.UNSAFE_PATH
    assert error.message.isprintable()


def test_a_name_beyond_ascii_is_fine(runner: WarmRunner) -> None:
    result = run(runner, "by_hand", text="output/größe.txt".encode().hex())

    assert result.files == {"größe.txt": b"by hand"}


def test_a_file_written_beside_the_output_is_no_output(runner: WarmRunner) -> None:
    assert run(runner, "by_hand", text=b"output/../x".hex()).files == {}


def test_metadata_that_is_not_of_the_contract_is_left_alone(runner: WarmRunner) -> None:
    assert run(runner, "by_hand", text=b"metadata/notes.yaml".hex()).metadata == {}


def test_a_file_of_the_limit_is_taken(runner: WarmRunner) -> None:
    assert len(run(runner, "bulk", number=1, text=str(MIB)).files["0.txt"]) == MIB


def test_a_file_over_the_limit_is_refused_with_the_figures(runner: WarmRunner) -> None:
    error = _refusal(runner, "bulk", number=1, text=str(MIB + 1))

    assert error.reason is Reason.TOO_LARGE
    assert error.message == "'output/0.txt' has 1,048,577 bytes; at most 1,048,576 are taken."


def test_metadata_over_the_limit_is_refused(runner: WarmRunner) -> None:
    error = _refusal(runner, "bulk_status", number=MIB)

    assert error.reason is Reason.TOO_LARGE
    assert "metadata/status.yaml" in error.message


def test_an_output_over_the_limit_is_refused(runner: WarmRunner) -> None:
    error = _refusal(runner, "bulk", number=21, text=str(MIB))

    assert error.reason is Reason.TOO_LARGE
    assert "at most 20,971,520" in error.message


def test_as_many_files_as_the_limit_are_taken(runner: WarmRunner) -> None:
    assert len(run(runner, "bulk", number=2000, text="1").files) == 2000


@pytest.mark.parametrize(("stage", "what"), [("bulk", "files"), ("bulk_folders", "folders")])
def test_more_than_the_limit_is_refused(runner: WarmRunner, stage: str, what: str) -> None:
    error = _refusal(runner, stage, number=2001, text="1")

    assert error.reason is Reason.TOO_LARGE
    assert f"more than 2000 {what}" in error.message


def test_a_nest_deeper_than_a_path_is_refused_and_removed(runner: WarmRunner) -> None:
    before = _run_folders(runner)
    error = _refusal(runner, "deep", number=40)

    assert error.reason is Reason.UNSAFE_PATH
    assert error.message.startswith("'output/xxxxx")
    assert "File name too long" in error.message
    assert _run_folders(runner) == before


def test_a_folder_without_permissions_is_removed(runner: WarmRunner) -> None:
    before = _run_folders(runner)
    with contextlib.suppress(TrothError):  # none for root, whom permissions do not stop
        run(runner, "unreadable")

    assert _run_folders(runner) == before


def _run_folders(runner: WarmRunner) -> list[Path]:
    return [path for path in Path(runner._workspace.path).iterdir() if path.is_dir()]
