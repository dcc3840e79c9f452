"""Templates: YAML that is parsed first, with jinja2 expressions in its values.

Because the structure is YAML's before any expression is evaluated, no value can break it: there
is no indentation to keep and nothing to quote. Conditions and loops are structure too, keys in
parentheses. docs/templates.md describes the language.

Here belongs what makes plain data of templates and variables. Reading templates from anywhere and
writing what comes of them does not. Not part of ``troth.sdk`` itself: a stage without templates
need not wait for jinja2.
"""

from troth.sdk.templates._render import (
    FileTemplates,
    ValueTemplate,
    read_files,
    read_value,
    render,
)
from troth.sdk.templates._variables import request_variables

__all__ = [
    "FileTemplates",
    "ValueTemplate",
    "read_files",
    "read_value",
    "render",
    "request_variables",
]
