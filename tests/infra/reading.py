"""Reads templates: what a value names, in words a test can compare."""

NAMES = ("QueueName", "FunctionName", "Name", "TableName", "BucketName", "TopicName")


def named(value: object, resources: dict[str, dict]) -> str:
    """Spell an ARN or reference of a template as text, with the names of what it refers to."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return str(value)
    ((function, argument),) = value.items()
    match function:
        case "Ref":
            return f"<{_name(argument, resources)}>"
        case "Fn::GetAtt":
            suffix = "" if argument[1] == "Arn" else f".{argument[1]}"
            return f"<{_name(argument[0], resources)}{suffix}>"
        case "Fn::ImportValue":
            return f"<{argument.partition(':Exports')[2]}>"
        case "Fn::Join":
            return argument[0].join(named(part, resources) for part in argument[1])
        case _:
            return str(value)


def _name(logical_id: str, resources: dict[str, dict]) -> str:
    properties = resources.get(logical_id, {}).get("Properties", {})
    return next(
        (properties[key] for key in NAMES if isinstance(properties.get(key), str)), logical_id
    )


def as_list(value: object) -> list:
    """Return a list of what may be one or several."""
    return value if isinstance(value, list) else [value]
