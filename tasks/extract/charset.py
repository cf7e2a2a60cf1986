"""Bodies that are no UTF-8."""

import codecs
from email.message import Message

_UTF8 = {"utf-8", "ascii"}


def to_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, where it is written in another charset that its content type names.

    JSON is UTF-8 (RFC 8259, 8.1), whatever an old server's default charset says: only a body that is not
    is read by it. What cannot be read by it either is left as it is, for the decoder to reject.
    """
    if "charset" not in content_type.lower() or (body.isascii() and b"\0" not in body):
        return body
    declared = Message()
    declared["Content-Type"] = content_type
    try:
        charset = codecs.lookup(declared.get_content_charset() or "utf-8").name
        if charset in _UTF8 or _is_utf8(body):
            return body
        return body.decode(charset).removeprefix("\ufeff").encode()
    except (LookupError, UnicodeError):
        return body


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body
