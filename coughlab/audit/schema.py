"""The JSON schema of an audit's report."""

from typing import Any

from coughlab.audit import checks

TEXT, COUNT, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def _object(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _array(items: dict, **limits: int) -> dict:
    return {"type": "array", "items": items, **limits}


def schema() -> dict:
    """The schema of reports, with the findings that the present checks can have."""
    interval = {"$ref": "#/$defs/interval"}
    counts = {"type": "object", "additionalProperties": COUNT}
    kinds = [
        _object(kind={"const": check.name}, severity={"enum": list(check.severities)}, **check.fields)
        for check in checks.found().values()
    ]
    finding = _object(
        recordings=COUNT,
        groups=COUNT,
        message=TEXT,
        advice=TEXT,
        examples=_array(_array(TEXT)),
        sizes=_array(COUNT),
        more=COUNT,
    )
    probe = _object(title=TEXT, recordings=COUNT, people=COUNT)
    report = _object(
        dataset=TEXT,
        read_as=TEXT,
        recordings=COUNT,
        people=COUNT,
        labels=counts,
        sources=counts,
        sound={"type": "boolean"},
        findings=_array(finding | {"anyOf": kinds}),
        probes=_array(probe | {"anyOf": [_object(why=TEXT), _object(auc=NUMBER, interval=interval)]}),
        skipped=_array(_object(recording=TEXT, reason=TEXT)),
    )
    return report | {"$defs": {"interval": _array(NUMBER, minItems=2, maxItems=2)}}


def is_report(value: Any) -> bool:
    """Whether something read from JSON is a report of this version."""
    import jsonschema

    return jsonschema.Draft202012Validator(schema()).is_valid(value) and all(
        len(finding["examples"]) == len(finding["sizes"]) for finding in value["findings"]
    )
