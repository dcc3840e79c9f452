"""Placements as records spell them: where a group is, and what stands there."""

from troth.api import Fields, Json
from troth.engine.values import Group, ObjectId, Placement
from troth_statestore import flat_file

__all__ = ["decode_placement", "encode_placement"]


def encode_placement(placement: Placement, home: str) -> Json:
    """Spell a placement, without contents; the store `home` is not named."""
    group = placement.group
    return {
        "pipeline": group.pipeline,
        "directory": group.directory,
        "selector": dict(sorted(group.selector.items())),
        "destination": placement.destination,
        **({} if placement.store == home else {"store": placement.store}),
        "path": placement.path,
        "owned": placement.owned,
        "files": [path.removeprefix(f"{placement.path}/") for path in placement.files],
        "objects": [item._asdict() for item in placement.objects],
        **({"behind": True} if placement.behind else {}),
    }


def decode_placement(fields: Fields, home: str) -> Placement:
    """Read a placement of a record that is kept in the store `home`. Raises InvalidInputError."""
    path = fields.text("path", "")
    group = Group(
        pipeline=fields.text("pipeline", ""),
        directory=fields.text("directory"),
        selector=fields.string_map("selector"),
        files=None,
    )
    return Placement(
        group=group,
        destination=fields.text("destination"),
        path=path,
        owned=fields.text("owned") if fields.has("owned") else None,
        store=fields.text("store", home),
        files=tuple(flat_file(path, file) for file in fields.texts("files")),
        objects=tuple(
            ObjectId(item.text("group", ""), item.text("kind"), item.text("namespace", ""),
                     item.text("name"))
            for item in fields.items("objects")
        ),
        behind=fields.flag("behind", default=False),
    )  # fmt: skip
