"""Documents: any text is YAML that JSON could hold, or is refused with the name of its file."""

import json

from hypothesis import strategies as st
from support.fuzzing import fuzz, texts

from troth.api import load_documents, load_values
from troth.errors import InvalidInputError, Reason

TYPES = "binary bool float int map merge null omap pairs set seq str timestamp value python/name:os"
TAGS = [f"!!{name}" for name in TYPES.split(" ")]
MARKS = "! !x &a *a <<: ? : - --- ... [ ] { } , | > >- ' \" # %YAML a a: b: ~ ="
SCALARS = "1 .nan 1e999 0b 0o9 2001-01-01 \\ud800"
SPACE = [" ", "\n", "\n  ", "\t", "\r", "\ufeff", "\x85"]
TOKENS = st.sampled_from(
    [*TAGS, *MARKS.split(" "), *SCALARS.split(" "), *SPACE, *SPACE, "9" * 5000]
)
YAML = st.lists(TOKENS | texts, max_size=16).map("".join)


@fuzz(YAML | texts)
def test_any_text_is_a_list_of_values_or_is_refused(text: str) -> None:
    try:
        values = load_values(text, "a.yaml")
    except InvalidInputError as error:
        refusal = error
    else:
        assert json.loads(json.dumps(values, allow_nan=False)) == values
        return
    assert refusal.reason is Reason.INVALID_YAML
    assert refusal.message.startswith("a.yaml:")


@fuzz(YAML, st.lists(st.sampled_from(["a", "b", "", 0, 1]), max_size=3))
def test_whatever_stands_in_a_document_it_can_be_told_where(
    text: str, path: list[str | int]
) -> None:
    try:
        documents = load_documents(text, "a.yaml")
    except InvalidInputError:
        return
    for document in documents:
        assert 1 <= document.line(path) <= len(text.splitlines()) + 1
