"""The stage as it was before there were generations: it mints in every run, and seals anew."""

from dataclasses import replace
from pathlib import Path

from troth.sdk import Context, Output, Request, Stage
from troth_pipelines.stages.nats_user import STAGE, NatsUserSpec

__all__ = ["NAIVE", "install"]


def _configure(request: Request[NatsUserSpec], context: Context) -> Output:
    """Remember nothing, and so make it all again."""
    return STAGE.configure(replace(request, status={}), context)


NAIVE = Stage(model=NatsUserSpec, configure=_configure)


def install(folder: Path) -> None:
    """Install it as the stage ``nats-user`` of a distribution ``naive``."""
    info = folder / "naive-0.1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text("Name: naive\nVersion: 0.1.0\n", encoding="utf-8")
    points = "[troth.stages]\nnats-user = naive_stages:NAIVE\n"
    info.joinpath("entry_points.txt").write_text(points, encoding="utf-8")
    source = Path(__file__).read_text(encoding="utf-8")
    folder.joinpath("naive_stages.py").write_text(source, encoding="utf-8")
