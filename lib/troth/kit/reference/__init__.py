"""The reference page of a Promise, for ``troth docs``: Markdown made of its schema and its fence.

Here belongs putting what a Promise says in words: its fields, an example, what it may touch.
Reading files does not, nor how a page gets to its readers; nothing here runs a stage.
"""

from troth.kit.reference._page import reference_page

__all__ = ["reference_page"]
