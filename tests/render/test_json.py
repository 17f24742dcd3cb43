"""JSON: valid, one document, and nothing in it acts on a terminal."""

from __future__ import annotations

import json as reference
import unicodedata

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from deliverkit.render import json
from deliverkit.report import Report

UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_survives_and_none_of_it_acts(text):
    made = json.render({"text": text})
    assert reference.loads(made) == {"text": text}
    assert not [char for char in made if unicodedata.category(char) in UNSAFE and char != "\n"]
    made.encode("utf-8")


def test_ordinary_letters_stay():
    assert "bücher" in json.render({"text": "bücher"})


def test_one_document():
    assert json.render([]) == "[]\n"


def test_the_schema_names_every_key():
    schema = reference.loads(json.schema(Report, "deliverkit/report/1"))
    definitions = schema["$defs"]
    assert schema["$ref"] == "#/$defs/Report"
    required = {
        "target", "verdict", "counts", "findings", "inconclusive", "suppressed", "facts",
    }  # fmt: skip
    assert required <= set(definitions["TargetReport"]["properties"])
    assert set(definitions["Counts"]["properties"]) == {"pass", "fail", "not_applicable", "inconclusive"}
    finding = {
        "rule", "area", "severity", "subject", "message", "evidence", "fix", "references", "who", "location",
        "fingerprint", "part_of",
    }  # fmt: skip
    assert finding <= set(definitions["FindingReport"]["properties"])
    assert finding | {"by"} <= set(definitions["SuppressedReport"]["properties"])


def test_absent_is_null():
    class Thing(msgspec.Struct):
        value: int | None = None

    assert reference.loads(json.render(Thing())) == {"value": None}


def test_no_runner_is_commanded_and_the_text_stays_the_same():
    said = "##vso[task.setvariable variable=PATH]x ##[error]y # ##z \\##[w]"
    text = json.render({"said": said})
    assert "##vso[" not in text
    assert "##[" not in text
    assert reference.loads(text)["said"] == said
