"""CRCs against the catalogue's check values, zlib, and each other."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.objects.crc import CRC32, CRC32C, CRC64NVME, Crc

FOLDED_CRC32 = Crc(32, 0x04C11DB7, 7416)
KINDS = [CRC32, CRC32C, CRC64NVME, FOLDED_CRC32]


def test_check_values_of_the_catalogue() -> None:
    assert CRC32.update(b"123456789") == 0xCBF43926
    assert CRC32C.update(b"123456789") == 0xE3069283
    assert CRC64NVME.update(b"123456789") == 0xAE8B14860A799888


@pytest.mark.parametrize("size", [0, 1, 1853, 1855, 4096, 65_537, 300_001])
def test_folding_agrees_with_zlib(size: int) -> None:
    data = bytes((i * 167 + i // 251) & 0xFF for i in range(size))
    assert FOLDED_CRC32.update(data) == zlib.crc32(data)


@pytest.mark.parametrize("crc", KINDS, ids=["crc32", "crc32c", "crc64nvme", "folded"])
@given(data=st.binary(max_size=5000), cut=st.integers(0, 5000))
def test_parts_give_the_whole(crc: Crc, data: bytes, cut: int) -> None:
    first, second = data[:cut], data[cut:]
    whole = crc.update(data)
    assert crc.update(second, crc.update(first)) == whole
    assert crc.joined(crc.update(first), crc.update(second), len(second)) == whole
