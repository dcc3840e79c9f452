"""A commit's subject begins with what happened."""

from dataclasses import replace

from support.platform import Platform, destination, request


def titles(platform: Platform) -> list[str]:
    return [one.title for one in platform.handed_in if not one.key.startswith("revisions/")]


def test_each_change_is_called_what_it_is() -> None:
    platform = Platform()
    said: list[str] = []
    platform.sync(request(value="a"))
    said += titles(platform)
    platform.sync(request(value="b"))
    said += titles(platform)
    [path] = platform.files
    platform.tamper({path: b"by: hand\n"})
    platform.sync(request(value="b"))
    said += titles(platform)
    platform.destinations = [replace(platform.destinations[0], path="moved")]
    platform.sync(request(value="b"))
    said += titles(platform)
    platform.sync()
    said += titles(platform)

    verbs = ["Create", "Update", "Put back", "Move", "Remove"]
    assert said == [f"{verb} team/one (thing)" for verb in verbs]


def test_what_stood_there_before_is_adopted() -> None:
    platform = Platform(destinations=[destination("cluster")])
    platform.tamper({"cluster/resources/team/thing/one/configure/5058f/old.yaml": b"old: 1\n"})

    platform.sync(request())

    assert titles(platform) == ["Adopt team/one (thing)"]
