"""Immutable objects beside the table: large bodies and deliveries (claim checks)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class ObjectMissingError(LookupError):
    """No object has this key."""


class ObjectsUnavailableError(Exception):
    """The store is down, slow or refuses us; nothing is known about what was sent."""


class Objects(Protocol):
    """Objects that never change: a key stands for one content."""

    def put(self, key: str, data: bytes) -> None:
        """Stores an object; a key that exists keeps what it has."""
        ...

    def get(self, key: str) -> bytes:
        """Reads an object.

        Raises:
            ObjectMissingError: There is none.
        """
        ...


class MemoryObjects:
    """`Objects` in this process."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, data: bytes) -> None:
        """Stores an object."""
        with self._lock:
            self._objects.setdefault(key, data)

    def get(self, key: str) -> bytes:
        """Reads an object."""
        with self._lock:
            if key not in self._objects:
                raise ObjectMissingError(key)
            return self._objects[key]

    def keys(self) -> list[str]:
        """All keys: what a test looks at when all is done."""
        with self._lock:
            return sorted(self._objects)


class S3Objects:
    """`Objects` in an S3 bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, data: bytes) -> None:
        """Stores an object."""
        # The condition spares a new version of what is there already: the bucket keeps versions.
        self._call("put_object", {"412"}, Key=key, Body=data, IfNoneMatch="*")

    def get(self, key: str) -> bytes:
        """Reads an object."""
        answer = self._call("get_object", {"404"}, Key=key)
        if answer is None:
            raise ObjectMissingError(key)
        return bytes(answer)

    def _call(self, operation: str, expected: set[str], **request: Any) -> bytes | None:
        # Imported late: this module's port is used where there is no AWS.
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = getattr(self._client, operation)(Bucket=self._bucket, **request)
            return answer["Body"].read() if "Body" in answer else b""
        except ClientError as error:
            status = str(error.response["ResponseMetadata"]["HTTPStatusCode"])
            code = error.response["Error"]["Code"]
            if status in expected and code != "NoSuchBucket":
                return None
            raise ObjectsUnavailableError(f"{operation}: {code}") from error
        except BotoCoreError as error:
            raise ObjectsUnavailableError(f"{operation}: {type(error).__name__}") from error
