"""Objects are looked into, whatever they are made of."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")


def _archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name in ("code/train.py", "weights.bin"):
            member = tarfile.TarInfo(name)
            member.size = 2048
            tar.addfile(member, io.BytesIO(bytes(2048)))
    return written.getvalue()


def _zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page.html", "<h1>Hello</h1>" * 100)
    return written.getvalue()


def _image() -> bytes:
    """A red picture of 3 × 2."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    rows = (b"\0" + b"\xff\0\0" * 3) * 2
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def show(studio: Any, contents: Any, name: str, body: bytes) -> None:
    contents.server.client("s3").put_object(Bucket=contents.bucket, Key=f"looks/{name}", Body=body)
    studio.open(f"/storage/{contents.bucket}/looks/{name}")
    expect(studio.heading(name)).to_be_visible()


def test_csv_with_quotes_is_a_table(studio: Any, contents: Any) -> None:
    show(studio, contents, "notes.csv", b'id,note\r\n1,"a ""word"", and more\nbelow"\r\n2,plain\r\n')
    table = studio.page.get_by_role("table", name="Rows")
    expect(table.get_by_role("columnheader")).to_have_text(["id", "note"])
    expect(table.get_by_role("cell", name=re.compile('^a "word", and more'))).to_be_visible()
    expect(table.get_by_role("row")).to_have_count(3)
    assert studio.violations() == []


def test_parquet_is_a_table_of_its_first_rows(studio: Any, contents: Any) -> None:
    studio.open(f"/storage/{contents.bucket}/prepared/wines.parquet")
    table = studio.page.get_by_role("table", name="Rows")
    expect(table.get_by_role("columnheader")).to_have_text(["wine", "alcohol"])
    expect(table.get_by_role("row")).to_have_count(201)
    expect(studio.page.get_by_text("(300)")).to_be_visible()


def test_json_is_indented(studio: Any, contents: Any) -> None:
    show(studio, contents, "report.json", json.dumps({"accuracy": 0.97, "classes": [0, 1]}).encode())
    expect(studio.page.get_by_label("JSON", exact=True)).to_contain_text('"accuracy": 0.97')
    assert studio.violations() == []


def test_an_image_is_seen(studio: Any, contents: Any) -> None:
    show(studio, contents, "red.png", _image())
    image = studio.page.get_by_role("img", name="looks/red.png")
    expect(image).to_be_visible()
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [3, 2]


@pytest.mark.parametrize(
    ("name", "make", "members"),
    [("model.tar.gz", _archive, ["code/train.py", "weights.bin"]), ("pages.zip", _zip, ["page.html"])],
)
def test_archives_tell_what_is_in_them(studio: Any, contents: Any, name: str, make: Any, members: list[str]) -> None:
    show(studio, contents, name, make())
    table = studio.page.get_by_role("table", name="In the archive")
    expect(table.get_by_role("rowheader")).to_have_text(members)


def test_what_is_no_text_and_what_is_empty_say_so(studio: Any, contents: Any) -> None:
    show(studio, contents, "weights.bin", bytes(100))
    expect(studio.page.get_by_text("This is no text")).to_be_visible()
    show(studio, contents, "nothing.txt", b"")
    expect(studio.page.get_by_text("The object is empty.")).to_be_visible()


def test_files_are_uploaded_downloaded_and_deleted(studio: Any, contents: Any, tmp_path: Path) -> None:
    page = studio.page
    studio.open("/storage")
    studio.button("Create bucket").click()
    dialog = page.get_by_role("dialog", name="Create bucket")
    dialog.get_by_label("Name").fill("uploads-here")
    dialog.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="uploads-here").click()
    expect(studio.heading("uploads-here")).to_be_visible()
    file = tmp_path / "über uns.txt"
    file.write_text("Hello")
    page.get_by_label("Upload files").set_input_files(file)
    page.get_by_role("link", name="über uns.txt").click()
    expect(page.get_by_label("Content")).to_have_text("Hello")
    with page.expect_download() as downloaded:
        studio.button("Download").click()
    assert downloaded.value.path().read_text() == "Hello"
    studio.open("/storage/uploads-here/")
    page.get_by_role("checkbox", name="Select über uns.txt").check()
    studio.button("Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To confirm, type delete").fill("delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="über uns.txt")).to_have_count(0)
