"""Templates compiled once in a process: for both apps, and every app of the tests."""

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

_KNOWN: dict[str, bytes] = {}


class Compiled(BytecodeCache):
    """Keeps compiled templates in memory; one whose source changed is compiled anew."""

    def load_bytecode(self, bucket: Bucket) -> None:
        known = _KNOWN.get(bucket.key)
        if known is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        _KNOWN[bucket.key] = bucket.bytecode_to_string()
