"""S3's own clients, unmodified, each in an environment of its own, with buckets in the path and in the host name.

Each program in ``s3_clients/`` is what a user of one library writes; the command lines are driven from here. With
buckets in the path they sign as the administrator, with buckets in the host name as a role, with a session token.
"""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from parity_clients import Client

from clary.testing.server import Server

pytestmark = [pytest.mark.slow("s3-clients"), pytest.mark.timeout(600)]

_FOLDER = Path(__file__).with_name("s3_clients")
_STORIES = sorted(set(_FOLDER.glob("with_*.py")) - {_FOLDER / "with_spark.py"})
_STYLES = pytest.mark.parametrize("style", ["path", "virtual"])
_LARGE = bytes(range(256)) * 50_000


class Program:
    """Runs programs of an environment of S3 clients with buckets in the path (``path``) or the host (``virtual``)."""

    def __init__(self, client: Client, server: Server, style: str) -> None:
        self._client, self._server, self.style = client, server, style
        self.role = None if style == "path" else "ClaryExecutionRole"
        self.endpoint = server.url if style == "path" else on_localhost(server)

    def __call__(self, *command: str, **variables: str) -> str:
        return self._client.run(self._server, *command, role=self.role, **self._variables(variables))

    def start(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return self._client.start(self._server, *command, role=self.role, **self._variables(variables))

    def _variables(self, more: dict[str, str]) -> dict[str, str]:
        # Where the system's resolver does not know names under localhost, Python's is taught them.
        paths = [str(_FOLDER / "resolver"), self._server.environment["PYTHONPATH"]]
        return {"PYTHONPATH": os.pathsep.join(paths), "AWS_ENDPOINT_URL": self.endpoint, **more}


def on_localhost(server: Server) -> str:
    """The server's address with the name under which buckets are host names."""
    return server.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with two small files and a large one."""
    for name, content in {"up/a é+.txt": b"a", "up/b/c.txt": b"c", "up/b/large": _LARGE}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


@_STYLES
@pytest.mark.parametrize("story", _STORIES, ids=lambda file: file.stem)
def test_library(clary_aws: Server, client_environment: Callable[[str], Client], story: Path, style: str) -> None:
    program = Program(client_environment("s3-clients"), clary_aws, style)
    assert program("python", str(story), style, program.endpoint).endswith("the story ended well\n")


def test_spark(clary_aws: Server, client_environment: Callable[[str], Client]) -> None:
    for style in ("path", "virtual"):
        clary_aws.client("s3").create_bucket(Bucket=f"spark-{style}")
    program = Program(client_environment("s3a"), clary_aws, "virtual")
    told = program("python", str(_FOLDER / "with_spark.py"), clary_aws.url, on_localhost(clary_aws))
    assert told.endswith("the story ended well\n")


@_STYLES
def test_aws_command_line(
    clary_aws: Server, client_environment: Callable[[str], Client], tree: Path, style: str
) -> None:
    program = Program(client_environment("aws-cli"), clary_aws, style)
    (tree / "config").write_text(f"[default]\ns3 =\n  addressing_style = {style}\n  multipart_chunksize = 5MB\n")

    def s3(*words: str) -> str:
        return program("aws", "s3", *words, AWS_CONFIG_FILE=str(tree / "config"))

    bucket = f"s3://cli-{style}"
    s3("mb", bucket)
    assert s3("sync", f"{tree}/up", f"{bucket}/tree").count("upload: ") == 3
    assert s3("sync", f"{tree}/up", f"{bucket}/tree") == ""
    assert s3("sync", f"{bucket}/tree", f"{tree}/down").count("download: ") == 3
    assert s3("sync", f"{bucket}/tree", f"{tree}/down") == ""
    assert (tree / "down/b/large").read_bytes() == _LARGE
    (tree / "up/b/c.txt").unlink()
    (tree / "up/a é+.txt").write_text("changed")
    told = s3("sync", f"{tree}/up", f"{bucket}/tree", "--delete")
    assert (told.count("upload: "), told.count("delete: ")) == (1, 1)
    told = s3("sync", f"{bucket}/tree", f"{tree}/down", "--delete")
    assert (told.count("download: "), told.count("delete: ")) == (1, 1)
    assert s3("sync", f"{bucket}/tree", f"{bucket}/twin").count("copy: ") == 2
    s3("mv", f"{bucket}/twin/b/large", f"{bucket}/moved é+")
    s3("cp", f"{tree}/up/b/large", f"{bucket}/sealed", "--sse", "aws:kms")
    listed = [line.split(maxsplit=3)[2:] for line in s3("ls", bucket, "--recursive").splitlines()]
    large = str(len(_LARGE))
    assert listed == [
        [large, "moved é+"],
        [large, "sealed"],
        ["7", "tree/a é+.txt"],
        [large, "tree/b/large"],
        ["7", "twin/a é+.txt"],
    ]
    head = clary_aws.client("s3").head_object(Bucket=bucket[5:], Key="sealed")
    assert (head["ServerSideEncryption"], head["ETag"][-3:]) == ("aws:kms", '-3"')
    s3("cp", f"{bucket}/sealed", f"{tree}/opened")
    assert (tree / "opened").read_bytes() == _LARGE
    assert fetched(s3("presign", f"{bucket}/tree/a é+.txt").strip()) == b"changed"
    s3("rm", f"{bucket}/tree", "--recursive")
    s3("rb", bucket, "--force")


@_STYLES
def test_s3cmd(clary_aws: Server, client_environment: Callable[[str], Client], tree: Path, style: str) -> None:
    program = Program(client_environment("s3-clients"), clary_aws, style)
    address = program.endpoint.removeprefix("http://")
    settings = tree / "s3cfg"
    settings.write_text(
        f"[default]\nhost_base = {address}\nuse_https = False\nmultipart_chunk_size_mb = 5\nprogress_meter = False\n"
        f"host_bucket = {'%(bucket)s.' if style == 'virtual' else ''}{address}\n"
    )

    def s3cmd(*words: str) -> str:
        return program("s3cmd", "-c", str(settings), *words)

    bucket = f"s3://s3cmd-{style}"
    s3cmd("mb", bucket)
    assert s3cmd("sync", f"{tree}/up/", f"{bucket}/tree/").count("upload: ") == 3
    assert clary_aws.client("s3").head_object(Bucket=bucket[5:], Key="tree/b/large")["ETag"].endswith('-3"')
    assert "upload: " not in s3cmd("sync", f"{tree}/up/", f"{bucket}/tree/")
    s3cmd("get", f"{bucket}/tree/b/large", f"{tree}/back")
    assert (tree / "back").read_bytes() == _LARGE
    # It wants to carry the list of permissions along, which no bucket has that S3 makes today.
    refused = program.start("s3cmd", "-c", str(settings), "cp", f"{bucket}/tree/b/large", f"{bucket}/copy")
    assert "AccessControlListNotSupported" in refused.stderr
    s3cmd("cp", "--acl-private", f"{bucket}/tree/b/large", f"{bucket}/copy")
    s3cmd("mv", "--acl-private", f"{bucket}/copy", f"{bucket}/moved")
    (tree / "up/b/c.txt").unlink()
    assert "delete: " in s3cmd("sync", "--delete-removed", f"{tree}/up/", f"{bucket}/tree/")
    listed = [line.split(maxsplit=3)[3] for line in s3cmd("ls", "-r", bucket).splitlines()]
    assert listed == [f"{bucket}/{key}" for key in ("moved", "tree/a é+.txt", "tree/b/large")]
    if program.role is None:  # its links leave the session token out, without which no temporary key is taken
        assert fetched(s3cmd("signurl", f"{bucket}/tree/a é+.txt", "+60").strip()) == b"a"
    s3cmd("del", "--recursive", "--force", bucket)
    s3cmd("rb", bucket)


@_STYLES
def test_rclone(clary_aws: Server, client_environment: Callable[[str], Client], tree: Path, style: str) -> None:
    program = Program(client_environment("s3-clients"), clary_aws, style)
    remote = {
        "RCLONE_CONFIG": str(tree / "none"),
        "RCLONE_CONFIG_CLARY_TYPE": "s3",
        "RCLONE_CONFIG_CLARY_PROVIDER": "Other",
        "RCLONE_CONFIG_CLARY_ENV_AUTH": "true",
        "RCLONE_CONFIG_CLARY_REGION": "us-east-1",
        "RCLONE_CONFIG_CLARY_ENDPOINT": program.endpoint,
        "RCLONE_CONFIG_CLARY_FORCE_PATH_STYLE": str(style == "path").lower(),
        "RCLONE_S3_UPLOAD_CUTOFF": "5M",
        "RCLONE_S3_CHUNK_SIZE": "5M",
        "RCLONE_RETRIES": "1",
    }
    if style == "virtual":
        # A proxy resolves names by itself; Go's resolver does not know those under localhost on every system.
        remote |= {"HTTP_PROXY": program.endpoint, "http_proxy": program.endpoint, "NO_PROXY": "", "no_proxy": ""}

    def rclone(*words: str) -> str:
        return program("rclone", *words, **remote)

    bucket = f"clary:rclone-{style}"
    rclone("mkdir", bucket)
    rclone("sync", f"{tree}/up", f"{bucket}/tree")
    again = program.start("rclone", "sync", "-v", f"{tree}/up", f"{bucket}/tree", **remote)
    assert "There was nothing to transfer" in again.stderr
    rclone("check", "--download", f"{tree}/up", f"{bucket}/tree")
    rclone("copyto", f"{bucket}/tree/b/large", f"{bucket}/copy")
    rclone("moveto", f"{bucket}/copy", f"{bucket}/moved")
    (tree / "up/b/c.txt").unlink()
    rclone("sync", f"{tree}/up", f"{bucket}/tree")
    assert sorted(rclone("lsf", "-R", "--files-only", bucket).splitlines()) == [
        "moved",
        "tree/a é+.txt",
        "tree/b/large",
    ]
    assert len(rclone("cat", "--offset", "3", "--count", "5", f"{bucket}/moved")) == 5
    link = rclone("link", "--expire", "1m", f"{bucket}/tree/a é+.txt").strip()
    assert fetched(link) == b"a"
    rclone("purge", bucket)
    assert f"rclone-{style}" not in rclone("lsd", "clary:")


def fetched(address: str) -> bytes:
    """What lies at a presigned address, also if this system does not resolve its host."""
    host = address.split("/")[2]
    reachable = address.replace(host, host.partition(".")[2], 1) if ".localhost" in host else address
    request = urllib.request.Request(reachable, headers={"Host": host})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())
