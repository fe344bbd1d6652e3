"""CRC-32C and CRC-64/NVME in plain Python, and the CRC of two joined byte strings from the CRCs of its parts.

``zlib`` has only CRC-32. Byte by byte with a table Python does 10 MB/s; extension packages that do better are
either large (awscrt) or know one of the two. A CRC is the remainder of a polynomial division over GF(2), though,
and Python's whole numbers are fast at exactly what that needs: shifts and exclusive or over many bytes. So a piece
is read as one number and *folded*: with ``r = x**L mod P`` the part above ``x**L`` may be replaced by itself times
``r``, one shift and one exclusive or for every term of ``r``, which halves the number. Squaring keeps the number of
terms, since over GF(2) ``r(x)**2 = r(x**2)``; so one ``L`` whose ``r`` has few terms serves for ``L``, ``2L``,
``4L`` and on. The ``fold`` of each kind is such an ``L``, found by search. What remains, about a kilobyte, goes
through the table: 80 MB/s in all.

Reference: https://reveng.sourceforge.io/crc-catalogue/ (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME)
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property

_PIECE = 128 * 1024
"""Bytes folded at a time: large enough to gain, small enough to stay in the processor's cache and to let other
threads run."""


@dataclass(frozen=True)
class Crc:
    """A reflected CRC of ``width`` bits with all bits set as its start value and as its last exclusive or."""

    width: int
    polynomial: int
    """The generator without its highest term, highest power first."""
    fold: int
    """The distance of the smallest fold, in bits."""

    @cached_property
    def _table(self) -> list[int]:
        reflected = int(f"{self.polynomial:0{self.width}b}"[::-1], 2)
        table = []
        for value in range(256):
            for _ in range(8):
                value = value >> 1 ^ reflected if value & 1 else value >> 1
            table.append(value)
        return table

    @cached_property
    def _terms(self) -> list[int]:
        remainder = self._power_of_x(self.fold)
        return [power for power in range(self.width) if remainder >> power & 1]

    def update(self, data: bytes, crc: int = 0) -> int:
        """The CRC of what ``crc`` is the CRC of, followed by ``data``; like ``zlib.crc32``."""
        for start in range(0, len(data), _PIECE):
            crc = self._update(data[start : start + _PIECE], crc)
        return crc

    def _update(self, data: bytes, crc: int) -> int:
        ones = (1 << self.width) - 1
        register = crc ^ ones
        if len(data) * 8 > 2 * self.fold:
            # Reflected: the first bit sent is the highest power and the lowest bit of the number. The register
            # joins the first bits.
            data = self._folded(int.from_bytes(data, "little") ^ register, len(data) * 8)
            register = 0
        table = self._table
        for byte in data:
            register = table[(register ^ byte) & 0xFF] ^ register >> 8
        return register ^ ones

    def _folded(self, number: int, bits: int) -> bytes:
        """Bytes of the same remainder as the ``bits`` bits of ``number``, but only somewhat more than ``fold`` bits."""
        step = 1
        while self.fold * step * 2 < bits:
            step *= 2
        while step:
            distance = self.fold * step
            while bits > distance + 2 * self.width * step:
                above = bits - distance
                base = min(above, distance - (self.width - 1) * step)
                high = number & (1 << above) - 1
                number = number >> above << above - base
                for power in self._terms:
                    number ^= high << distance - power * step - base
                bits -= base
            step //= 2
        padding = -bits % 8
        return (number << padding).to_bytes((bits + padding) // 8, "little")

    def joined(self, first: int, second: int, length: int) -> int:
        """The CRC of two byte strings one after the other: ``first`` and ``second`` are theirs, ``length`` the
        second's bytes."""
        shifted = self._multiply(self._reflect(first), self._power_of_x(8 * length))
        return self._reflect(shifted) ^ second

    def _reflect(self, value: int) -> int:
        return int(f"{value:0{self.width}b}"[::-1], 2)

    def _multiply(self, a: int, b: int) -> int:
        product = 0
        for power in range(self.width - 1, -1, -1):
            product <<= 1
            if product >> self.width:
                product ^= 1 << self.width | self.polynomial
            if b >> power & 1:
                product ^= a
        return product

    def _power_of_x(self, exponent: int) -> int:
        result = 1
        for bit in f"{exponent:b}":
            result = self._multiply(result, result)
            if bit == "1":
                result = self._multiply(result, 2)
        return result


@dataclass(frozen=True)
class _Zlib(Crc):
    def update(self, data: bytes, crc: int = 0) -> int:
        return zlib.crc32(data, crc)


CRC32: Crc = _Zlib(32, 0x04C11DB7, 7416)
CRC32C = Crc(32, 0x1EDC6F41, 7368)
CRC64NVME = Crc(64, 0xAD93D23594C93659, 2360)
