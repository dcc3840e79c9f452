from pathlib import Path

import pytest
from support.warm import IMAGES, Acme, container, pipeline

from troth.runners.warm import WarmRunner


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Acme:
    found = Acme(tmp_path)
    found.install()
    monkeypatch.syspath_prepend(tmp_path)
    return found


def _fingerprint() -> str:
    with WarmRunner(IMAGES) as runner:
        return runner.fingerprint(pipeline(container("say")))


def test_the_same_sources_have_the_same_fingerprint(acme: Acme) -> None:
    del acme

    assert _fingerprint() == _fingerprint()


def test_an_edited_source_changes_it(acme: Acme) -> None:
    before = _fingerprint()
    acme.module.write_text("# edited\n", encoding="utf-8")

    assert _fingerprint() != before


def test_one_runner_keeps_to_the_sources_it_started_with(acme: Acme) -> None:
    with WarmRunner(IMAGES) as runner:
        before = runner.fingerprint(pipeline(container("say")))
        acme.module.write_text("# edited\n", encoding="utf-8")

        assert runner.fingerprint(pipeline(container("say"))) == before


def test_every_file_of_a_package_counts(tmp_path: Path, acme: Acme) -> None:
    acme.module.unlink()
    package = tmp_path / "acme_stages"
    package.mkdir()
    package.joinpath("__init__.py").touch()
    before = _fingerprint()
    package.joinpath("template.yaml").write_text("a: 1\n", encoding="utf-8")

    assert _fingerprint() != before


def test_compiled_files_do_not_count(tmp_path: Path, acme: Acme) -> None:
    acme.module.unlink()
    cache = tmp_path / "acme_stages" / "__pycache__"
    cache.mkdir(parents=True)
    cache.parent.joinpath("__init__.py").touch()
    before = _fingerprint()
    cache.joinpath("__init__.cpython-311.pyc").write_bytes(b"compiled")

    assert _fingerprint() == before


def test_it_does_not_tell_where_the_sources_lie(
    tmp_path_factory: pytest.TempPathFactory, acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    del acme
    before = _fingerprint()
    other = Acme(tmp_path_factory.mktemp("other"))
    other.install()
    monkeypatch.syspath_prepend(other.folder)

    assert _fingerprint() == before
