"""Every right of every function, with the reason it is needed.

``NOTICED``: calls the function makes itself. The emulator checks them, and
``tests/e2e/test_grants.py`` takes each away in turn. ``TEMPLATE_ONLY``: calls AWS makes for the
function, or answers the emulator does not make depend on a right; the template alone shows them.
Nothing is granted beyond these.

Resources are spelt as in the templates: a name for what the same stack has, an export otherwise.
"""

from typing import NamedTuple


class Grant(NamedTuple):
    """One action on one resource for one function."""

    function: str
    action: str
    resource: str


TABLE = "table"
INDEX_BEHIND = "table/index/behind"
INDEX_CAUSE = "table/index/cause"
STREAM = "table/stream"
BUS = "bus"
BUCKET = "bucket"
OBJECTS = "bucket/*"
MAPPINGS = "mappings of own functions"
OWN_LOGS = "own log group"
LOGS = "logs of all functions"
EVERYTHING = "*"


def queue(name: str) -> str:
    return f"queue {name}"


def secret(name: str) -> str:
    return f"secret {name}"


def _grants(function: str, *rights: tuple[str, str, str]) -> dict[Grant, str]:
    return {Grant(function, action, resource): reason for action, resource, reason in rights}


_MERGE = (
    ("dynamodb:GetItem", TABLE, "compares with the stored row"),
    ("dynamodb:PutItem", TABLE, "writes a part, a relation or a line of the timeline"),
    ("dynamodb:UpdateItem", TABLE, "moves `wanted`, leases, cursors, the limiter"),
)
_READS = "reads a body too large for its row"
_BODIES = (
    ("s3:GetObject", OBJECTS, _READS),
    ("s3:PutObject", OBJECTS, "stores a body too large for its row"),
)
_HIDE = "finds its queue by name to put a message off"
_LATER = "puts a message off by a delay of its own"

NOTICED: dict[Grant, str] = {
    **_grants(
        "webhook",
        *_MERGE,
        ("s3:PutObject", OBJECTS, "stores a large body or a large spilled delivery"),
        ("secretsmanager:GetSecretValue", secret("signing"), "verifies signatures"),
        ("sqs:SendMessage", queue("pull"), "spills a delivery, or hints at what to fetch"),
    ),
    **_grants(
        "pull",
        *_MERGE,
        *_BODIES,
        ("secretsmanager:GetSecretValue", secret("api"), "signs in at the vendor"),
        ("secretsmanager:GetSecretValue", secret("signing"), "makes webhooks a platform dropped"),
        ("sqs:SendMessage", queue("pull"), "asks for what a poll lists, and for its next pages"),
        ("sqs:SendMessage", queue("dlq"), "points at what was parked"),
        ("sqs:GetQueueUrl", queue("pull"), _HIDE),
        ("sqs:ChangeMessageVisibility", queue("pull"), _LATER),
    ),
    **_grants(
        "target",
        *_MERGE,
        ("dynamodb:Query", TABLE, "reads the whole entity before it converges"),
        ("s3:GetObject", OBJECTS, _READS),
        ("secretsmanager:GetSecretValue", secret("api"), "signs in at the vendor"),
        ("sqs:SendMessage", queue("dlq"), "points at what was parked"),
        *(
            (action, queue(name), reason)
            for name in ("documents", "levels")
            for action, reason in (
                ("sqs:GetQueueUrl", _HIDE),
                ("sqs:ChangeMessageVisibility", _LATER),
            )
        ),
    ),
    **_grants(
        "announce",
        ("events:PutEvents", BUS, "announces"),
        ("s3:GetObject", OBJECTS, _READS),
    ),
    **_grants(
        "assess",
        *_MERGE,
        ("dynamodb:Query", TABLE, "reads the whole entity"),
        ("dynamodb:Query", INDEX_CAUSE, "finds what a new mapping releases"),
        ("dynamodb:DeleteItem", TABLE, "ends claims on stock"),
        *_BODIES,
        ("sqs:GetQueueUrl", queue("assess"), _HIDE),
        ("sqs:ChangeMessageVisibility", queue("assess"), _LATER),
    ),
    **_grants(
        "record",
        ("dynamodb:PutItem", TABLE, "writes lines of the timeline"),
        ("sqs:GetQueueUrl", queue("record"), _HIDE),
        ("sqs:ChangeMessageVisibility", queue("record"), _LATER),
    ),
    **_grants(
        "sweep",
        ("dynamodb:GetItem", TABLE, "looks at the row an index only hints at"),
        ("dynamodb:PutItem", TABLE, "has an open breaker probed"),
        ("dynamodb:Query", INDEX_BEHIND, "finds what is behind"),
        ("sqs:GetQueueUrl", queue("*"), "finds the queue of any connection"),
        ("sqs:SendMessage", queue("*"), "sends hints to any connection"),
        (
            "lambda:ListEventSourceMappings",
            EVERYTHING,
            "sees whether functions get messages; takes no resource, shows names",
        ),
    ),
    **_grants(
        "census",
        ("dynamodb:GetItem", TABLE, "looks at the row an index only hints at"),
        ("dynamodb:Query", TABLE, "reads entities whole"),
        ("dynamodb:Query", INDEX_BEHIND, "finds what is behind for too long"),
        ("s3:GetObject", OBJECTS, _READS),
        ("logs:FilterLogEvents", LOGS, "counts what became of deliveries"),
    ),
    **_grants(
        "watch",
        ("dynamodb:GetItem", TABLE, "looks at the row an index only hints at"),
        ("dynamodb:Query", TABLE, "lists an order's holds, and the orders of a day"),
        ("dynamodb:Query", INDEX_CAUSE, "finds what is held or parked"),
        ("dynamodb:PutItem", TABLE, "writes how many orders an hour brought"),
    ),
}

SOME: dict[Grant, str] = (
    _grants(
        "pull",
        (
            "dynamodb:Query",
            TABLE,
            "lists the orders of a day, where a platform deletes without a word, or the customers "
            "of a shop that leaves; reads which of our codes an ERP's are",
        ),
        (
            "dynamodb:ConditionCheckItem",
            TABLE,
            "keeps what an ERP says of an order it does not know by our name",
        ),
    )
    | _grants(
        "webhook",
        ("dynamodb:Query", TABLE, "reads which of our codes the sender's are"),
        (
            "dynamodb:ConditionCheckItem",
            TABLE,
            "keeps what is said of an order not known by our name",
        ),
    )
    | _grants(
        "target",
        ("dynamodb:Query", INDEX_BEHIND, "brings what was just sold to a shop first"),
    )
)
"""What only the functions of some platforms have."""

FUNCTIONS = (
    "webhook",
    "pull",
    "target",
    "announce",
    "assess",
    "record",
    "sweep",
    "census",
    "watch",
)

_MISSING = "tells a missing object from a forbidden one; the emulator always tells"
_POLLED = "the event source mapping reads the queue; the emulator does not check its own"
_POLLED_BY = {
    "pull": ("pull",),
    "target": ("documents", "levels"),
    "assess": ("assess",),
    "record": ("record",),
}

_OF_CONNECTIONS = ("webhook", "pull", "target")

TEMPLATE_ONLY: dict[Grant, str] = {
    **{
        Grant(function, action, OWN_LOGS): "Lambda writes the log on the function's behalf"
        for function in FUNCTIONS
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    },
    **{
        Grant(function, action, EVERYTHING): "adds to a trace; takes no resource, and reads none"
        for function in FUNCTIONS
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
    },
    **{
        Grant(function, action, queue(name)): _POLLED
        for function, names in _POLLED_BY.items()
        for name in names
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    },
    **{
        Grant(function, "s3:ListBucket", BUCKET): _MISSING
        for function in ("pull", "target", "assess", "announce", "census")
    },
    **_grants(
        "announce",
        ("dynamodb:DescribeStream", STREAM, "the event source mapping reads the stream"),
        ("dynamodb:GetRecords", STREAM, "the event source mapping reads the stream"),
        ("dynamodb:GetShardIterator", STREAM, "the event source mapping reads the stream"),
        ("dynamodb:ListStreams", EVERYTHING, "takes no resource; shows names, no rows"),
        ("sqs:SendMessage", queue("announce-dlq"), "the mapping leaves what it gave up"),
    ),
    **_grants(
        "sweep",
        (
            "lambda:UpdateEventSourceMapping",
            MAPPINGS,
            # The emulator lets everybody.
            "turns the functions of a connection off and on that is paused or in trouble",
        ),
    ),
}
