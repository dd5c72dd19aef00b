"""What Java does and Python does not, where sifarish's answer depends on it."""


def string_hash(text: str) -> int:
    """Java's String.hashCode: 31-hash over UTF-16 units, as a signed 32-bit number."""
    value = 0
    encoded = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def bucket(record_id: str, count: int) -> int:
    """The bucket of sifarish's self-join: (|hash| % count) / 2, rounded towards zero."""
    hashed = string_hash(record_id)
    # Math.abs(MIN_VALUE) stays negative, and so does Java's remainder of it.
    if hashed == -(1 << 31):
        return -((1 << 31) % count // 2)
    return abs(hashed) % count // 2
