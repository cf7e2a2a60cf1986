"""Memory of what was seen, small enough for millions of pages."""

from array import array

_SLOTS = 1024


class FirstSeen:
    """Where each thing was seen first, by its 64-bit hash: 24 to 48 bytes a thing, where a dict takes 170.

    An open-addressed table: the number of the sighting beside the hash, 0 in a free slot.
    """

    def __init__(self) -> None:
        self._count = 0
        self._make(_SLOTS)

    def note(self, key: int, number: int) -> int:
        """Note that `key` was seen at `number` (from 1 on); returns where it was seen first."""
        slot = self._find(key)
        if self._numbers[slot]:
            return self._numbers[slot]
        self._hashes[slot], self._numbers[slot] = key, number
        self._count += 1
        if self._count * 2 > len(self._numbers):
            self._grow()
        return number

    def _find(self, key: int) -> int:
        last = len(self._numbers) - 1
        slot = key & last
        while self._numbers[slot] and self._hashes[slot] != key:
            slot = (slot + 1) & last
        return slot

    def _make(self, slots: int) -> None:
        self._hashes = array("q", [0]) * slots
        self._numbers = array("I", [0]) * slots

    def _grow(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._make(2 * len(numbers))
        for key, number in zip(hashes, numbers, strict=True):
            if number:
                slot = self._find(key)
                self._hashes[slot], self._numbers[slot] = key, number
