"""aws-chunked bodies: AWS's documented examples, botocore's own encoder, and every way to cut and break them."""

from __future__ import annotations

import calendar
import hashlib
import io
import tracemalloc
from typing import Any

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import given, settings
from hypothesis import strategies as st

from clary.core.errors import ServiceError, SignatureDoesNotMatch
from clary.wire.chunked import ChunkedDecoder
from clary.wire.errors import IncompleteBody, InvalidChunkSize, MalformedTrailer
from clary.wire.http import Request
from clary.wire.sigv4 import Verified, parse_authorization, verify

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = calendar.timegm((2013, 5, 24, 0, 0, 0))
DATA = b"a" * 66560


def example(payload: str, signature: str, extra: dict[str, str], content_length: str) -> Verified:
    """The request of the documentation, its seed signature verified."""
    headers = {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": payload,
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": content_length,
        **extra,
    }
    if "x-amz-trailer" in extra:
        del headers["content-length"]
    names = ";".join(sorted(headers))
    scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={names},Signature={signature}"
    request = Request("PUT", "/examplebucket/chunkObject.txt", headers=headers, host="s3.amazonaws.com")
    authorization = parse_authorization(request)
    assert authorization is not None
    return verify(request, authorization, SECRET, NOW, streaming=True)


def signed() -> tuple[Verified, bytes]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    verified = example(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        {},
        "66824",
    )
    body = (
        b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
        + DATA[:65536]
        + b"\r\n"
        b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
        + DATA[65536:]
        + b"\r\n"
        b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
    )
    return verified, body


def signed_with_trailer() -> tuple[Verified, bytes]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html"""
    verified = example(
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
        {"x-amz-trailer": "x-amz-checksum-crc32c"},
        "66824",
    )
    body = (
        b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n"
        + DATA[:65536]
        + b"\r\n"
        b"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n"
        + DATA[65536:]
        + b"\r\n"
        b"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
        b"x-amz-checksum-crc32c:sOO8/Q==\n\r\n"
        b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    )
    return verified, body


def decode(decoder: ChunkedDecoder, body: bytes, cuts: list[int]) -> tuple[bytes, dict[str, str]]:
    data = b""
    for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True):
        data += b"".join(decoder.feed(body[start:end]))
    return data, decoder.finish()


def test_the_documented_example() -> None:
    verified, body = signed()
    assert decode(verified.decoder(66560), body, []) == (DATA, {})


def test_the_documented_example_with_a_trailer() -> None:
    verified, body = signed_with_trailer()
    decoded = decode(verified.decoder(66560, ("x-amz-checksum-crc32c",)), body, [])
    assert decoded == (DATA, {"x-amz-checksum-crc32c": "sOO8/Q=="})


@settings(max_examples=30)
@given(st.data(), st.sampled_from([signed, signed_with_trailer]))
def test_the_cuts_do_not_matter(data: st.DataObject, made: Any) -> None:
    verified, body = made()
    framing = sorted({position for position in range(len(body)) if body[position : position + 1] != b"a"})
    cuts = sorted(data.draw(st.lists(st.sampled_from(framing), max_size=12, unique=True)))
    assert decode(verified.decoder(66560), body, cuts)[0] == DATA


@settings(max_examples=80)
@given(st.data(), st.sampled_from([signed, signed_with_trailer]))
def test_a_changed_byte_is_refused(data: st.DataObject, made: Any) -> None:
    verified, body = made()
    framing = [position for position in range(len(body)) if body[position : position + 1] != b"a"] + [200, 66000]
    position = data.draw(st.sampled_from(framing))
    changed = bytearray(body)
    changed[position] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 64, 128]))
    try:
        decoded = decode(verified.decoder(66560), bytes(changed), [])
    except ServiceError as error:
        assert error.status in (400, 403)
    else:
        # The signature does not cover the case of hexadecimal digits or the name of the trailer's last line.
        assert decoded[0] == DATA
        assert body[position : position + 1] in b"\n\r \x0bxXmMzZ-tTraAisgnueSIGNUEl:"


@settings(max_examples=60)
@given(st.integers(0, 1000), st.sampled_from([signed, signed_with_trailer]))
def test_a_short_body_is_refused(missing: int, made: Any) -> None:
    verified, body = made()
    with pytest.raises(ServiceError):
        decode(verified.decoder(66560), body[: -1 - missing], [])


def test_chunks_cannot_be_dropped_or_swapped() -> None:
    verified, body = signed()
    first_end = body.index(b"400;")
    last = body.index(b"0;chunk-signature=b6c6")
    with pytest.raises(SignatureDoesNotMatch):
        decode(verified.decoder(), body[:first_end] + body[last:], [])
    with pytest.raises(SignatureDoesNotMatch):
        decode(signed()[0].decoder(), body[first_end:last] + body[:first_end] + body[last:], [])


@given(st.binary(max_size=300), st.integers(1, 50), st.lists(st.integers(0, 300), max_size=5))
def test_unsigned_bodies_of_botocore(data: bytes, chunk: int, cuts: list[int]) -> None:
    body = AwsChunkedWrapper(io.BytesIO(data), Crc32Checksum, "x-amz-checksum-crc32", chunk).read()
    cuts = sorted(min(cut, len(body)) for cut in cuts)
    decoder = ChunkedDecoder(trailer=True, decoded_length=len(data), trailer_names=("X-Amz-Checksum-CRC32",))
    decoded, trailers = decode(decoder, body, cuts)
    checksum = Crc32Checksum()
    checksum.update(data)
    assert decoded == data
    assert trailers == {"x-amz-checksum-crc32": checksum.b64digest()}
    plain = AwsChunkedWrapper(io.BytesIO(data), chunk_size=chunk).read()
    assert decode(ChunkedDecoder(decoded_length=len(data)), plain, []) == (data, {})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"x\r\n", InvalidChunkSize),
        (b"-1\r\n", InvalidChunkSize),
        (b"\r\n", InvalidChunkSize),
        (b"fffffffffffffff\r\n", InvalidChunkSize),
        (b"1" * 5000, IncompleteBody),
        (b"1\r\nab\r\n", IncompleteBody),
        (b"1\r\na\r\n0\r\n\r\nmore", IncompleteBody),
        (b"1\r\na\r\n", IncompleteBody),
        (b"5\r\nabcde\r\n0\r\n\r\n", IncompleteBody),
        (b"1\r\na\r\n0\r\n\r\n", IncompleteBody),
        (b"2\r\nab\r\n0\r\nno colon\r\n\r\n", MalformedTrailer),
        (b"2\r\nab\r\n0\r\nother:1\r\n\r\n", MalformedTrailer),
        (b"2\r\nab\r\n0\r\n\r\n", MalformedTrailer),
        (b"2\r\nab\r\n0\r\n" + b"a:b\r\n" * 9000, MalformedTrailer),
        (b"2\r\nab\r\n0\r\na:" + b"b" * 50_000, IncompleteBody),
    ],
)
def test_malformed_bodies(body: bytes, error: type[ServiceError]) -> None:
    with pytest.raises(error):
        decode(ChunkedDecoder(trailer=True, decoded_length=2, trailer_names=("x-amz-checksum-crc32",)), body, [])


def test_a_trailer_that_was_not_announced_is_refused() -> None:
    with pytest.raises(MalformedTrailer):
        decode(ChunkedDecoder(), b"0\r\na:b\r\n\r\n", [])


@given(
    st.lists(
        st.sampled_from([b"1\r\n", b"a", b"\r\n", b"0\r\n", b"a:b\r\n", b";", b"\n"]) | st.binary(max_size=9),
        max_size=12,
    ),
    st.booleans(),
)
def test_any_bytes_are_decoded_or_refused(pieces: list[bytes], trailer: bool) -> None:
    decoder = ChunkedDecoder(trailer=trailer)
    try:
        for piece in pieces:
            decoder.feed(piece)
        decoder.finish()
    except ServiceError as error:
        assert error.status in (400, 403)


def test_memory_stays_constant() -> None:
    decoder = ChunkedDecoder(decoded_length=64 * 2**20)
    piece = bytes(2**16)
    digest = hashlib.sha256()
    decoder.feed(b"%x\r\n" % (64 * 2**20))
    tracemalloc.start()
    try:
        for _ in range(1024):
            for part in decoder.feed(piece):
                digest.update(part)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    decoder.feed(b"\r\n0\r\n\r\n")
    assert decoder.finish() == {}
