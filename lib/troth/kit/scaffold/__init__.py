"""A Promise to begin with: the files of a new bundle, which passes ``troth test`` as it is.

Here belong the names that a new bundle needs, and the texts of its files. Writing them to a folder
is the command's; nothing here writes to a disk, or runs a stage.
"""

from troth.kit.scaffold._files import new_bundle
from troth.kit.scaffold._names import DEFAULT_GROUP, Names

__all__ = ["DEFAULT_GROUP", "Names", "new_bundle"]
