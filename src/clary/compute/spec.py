"""What a job is: the document that the control plane writes and the agent reads.

Only the standard library is used, so that every machine with a Python can read it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["job", "server"]
InputKind = Literal["prefix", "object", "manifest", "augmented"]
InputMode = Literal["file", "lazy", "pipe"]
When = Literal["success", "always"]


class SpecError(ValueError):
    """A job document cannot be read."""


@dataclass(frozen=True)
class ImageSpec:
    """The environment that a job runs in: what a container image is to SageMaker."""

    uri: str
    """The URI as the user gave it."""
    environment: str = ""
    """Folder of the built environment (``bin/python`` below it); empty means the interpreter ``python`` alone."""
    python: str = ""
    """The interpreter; empty means ``bin/python`` of the environment."""
    paths: list[str] = field(default_factory=list)
    """Further folders that the environment needs, visible read-only under the same name (the base interpreter's)."""
    train: list[str] = field(default_factory=list)
    """The command ``train`` of the image, used by a job without a command of its own."""
    serve: list[str] = field(default_factory=list)
    """The command ``serve`` of the image, used by a server without a command of its own."""
    variables: dict[str, str] = field(default_factory=dict)
    """Environment variables that the image sets; those of the job win."""
    preload: list[str] = field(default_factory=list)
    """Modules that a standby imports before it has a job."""
    notes: list[str] = field(default_factory=list)
    """Where the environment only comes near to the official image; written at the head of the log."""


@dataclass(frozen=True)
class Input:
    """Objects brought into the job: files before it starts, or streams while it runs."""

    path: str
    """Folder below ``/opt/ml`` (``input/data/train``), or an absolute path inside the container."""
    uri: str
    """``s3://bucket/key-or-prefix``."""
    kind: InputKind = "prefix"
    """``prefix``: every object under it, keys relative to the prefix (a prefix that is itself an object gives that
    object's name);
    ``object``: that object, under its own name; ``manifest``: the objects that it lists; ``augmented``: the attributes
    of the JSON lines of that object (for ``pipe`` alone)."""
    extract: bool = False
    """Unpack a ``tar.gz`` into ``path`` instead of writing it there."""
    optional: bool = False
    """Whether nothing at ``uri`` is fine."""
    filename: str = ""
    """For ``object``: another name for the file."""
    keys: list[str] | None = None
    """For ``prefix``: only these keys (full keys in the bucket), as a manifest or a shard names them; they lie below
    ``uri``."""
    mode: InputMode = "file"
    """``file``: the job gets copies; ``lazy``: nothing is copied where a sandbox can show the store's own files, which
    the job can read and not write; ``pipe``: the objects run through the FIFOs ``<path>_0``, ``<path>_1`` …, one an
    epoch."""
    attributes: list[str] = field(default_factory=list)
    """For ``augmented``: the attributes that are streamed, in this order; those ending in ``-ref`` name objects."""
    framed: bool = False
    """For ``pipe``: wrap every object, or attribute, in a RecordIO record."""
    unzip: bool = False
    """For ``pipe``: the objects are gzip data."""
    lines: bool = False
    """For ``pipe``: the objects are lines of text, so the last line of one gets an end if it has none."""
    seed: int | None = None
    """Shuffle the objects (for ``augmented`` the lines) with this seed, differently in each epoch."""
    sharded: bool = False
    """Only this host's share of the objects (for ``augmented`` of the lines)."""
    among: list[str] = field(default_factory=list)
    """With ``sharded``: the hosts that share them; empty for all of the job."""


@dataclass(frozen=True)
class Output:
    """A folder of the job that goes to S3 when the job ends."""

    path: str
    """Folder below ``/opt/ml``, or an absolute path inside the container."""
    uri: str
    """A prefix for the files, or with ``archive`` the full name of the ``tar.gz``."""
    archive: bool = False
    when: When = "success"
    """``success``: also after a stop, as SageMaker keeps the model of a stopped training job; ``always``: after a
    failure too."""
    optional: bool = True
    """Whether an empty or missing folder is fine (an archive of nothing is still written when it is not)."""
    continuous: bool = False
    """Upload changed files while the job runs, too: checkpoints, and processing outputs of mode ``Continuous``."""
    key: str = ""
    """The KMS key of the objects; empty for what the bucket has as its default."""


@dataclass(frozen=True)
class Transform:
    """What is sent to a model server instead of serving it: batch transform. Members are named after AWS's, which say
    more: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html"""

    source: Input
    """The objects, of kind ``prefix`` or ``manifest``; they are not brought into the job."""
    output: str
    """The prefix under which each object's output gets the object's name and ``.out``."""
    output_key: str = ""
    """The KMS key of the outputs; empty for what the bucket has as its default."""
    content_type: str = ""
    accept: str = ""
    unzip: bool = False
    """The objects are gzip data."""
    split: Literal["None", "Line", "RecordIO", "TFRecord"] = "None"
    assemble_lines: bool = False
    strategy: str = ""
    """``MultiRecord`` or ``SingleRecord``; empty for what the container asks for."""
    max_payload_mb: int | None = None
    """0 for payloads of any size; None for what the container asks for."""
    max_concurrent: int = 0
    """0 for what the container asks for."""
    timeout_s: float = 600
    retries: int = 3
    input_filter: str = "$"
    output_filter: str = "$"
    join: bool = False
    """Join each record with its answer."""
    began: float = 0.0
    """When the job began, in seconds since the epoch: the same for all its hosts and attempts."""
    inference_ids: bool = False
    """Give each record of the output an id of its own, and the time at which the job began."""
    capture: str = ""
    """The prefix under which manifests name what was transformed and what became of it; empty for none."""
    capture_key: str = ""
    """The KMS key of the manifests; empty for none."""


@dataclass(frozen=True)
class MetricDefinition:
    """A number that is read from the log: the first group of ``regex``."""

    name: str
    regex: str


@dataclass(frozen=True)
class Limits:
    """How much time and room a job has."""

    max_runtime_s: float | None = None
    """Seconds from the start of the user's process; None for no limit."""
    ends_at: float | None = None
    """When the process is ended at the latest, in seconds since the epoch (a spot job's longest wait); None for
    never."""
    interrupt_s: float | None = None
    """Seconds from the start of the process after which its machine is taken away, as a spot instance is: after that
    only continuous outputs are uploaded. None for never."""
    grace_s: float = 120
    """Seconds between SIGTERM and SIGKILL (SageMaker gives training jobs 120)."""
    memory_bytes: int | None = None
    cpus: float | None = None
    """The weight with which the job shares the machine's CPUs; None for that of one."""
    disk_bytes: int | None = None
    """Room for all that the job writes, and what is brought in for it; None for as much as there is."""
    processes: int | None = None
    """Processes and threads at once; None for more than a job of its CPUs should want."""
    start_s: float = 600
    """For a server: seconds until it must have answered that it is well."""
    sync_s: float = 10
    """Seconds between two uploads of continuous outputs."""
    retry_s: float = 600
    """Seconds for which a store that does not answer is tried again."""


@dataclass(frozen=True)
class JobSpec:
    """One attempt to run one process on one host: a training host, a processing host, a model server."""

    id: str
    """Unique in the installation; a folder name: letters, digits, dots, dashes and underscores."""
    image: ImageSpec
    attempt: int = 1
    kind: Kind = "job"
    command: list[str] = field(default_factory=list)
    """The command; empty means the image's ``train`` or ``serve``. Its first word is looked up in the environment
    first."""
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Text files to write below ``/opt/ml`` before the start: path (``input/config/hyperparameters.json``) →
    content."""
    inputs: list[Input] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    network: bool = True
    """False is SageMaker's network isolation: no network at all inside."""
    hosts: list[str] = field(default_factory=lambda: ["algo-1"])
    current_host: str = "algo-1"
    cluster: list[str] = field(default_factory=list)
    """The ids of the attempts that run the job's hosts, in the order of ``hosts``; empty for a job on one host. The
    first host packs the archives of all."""
    series: list[str] = field(default_factory=list)
    """The ids of the attempts that run the containers of this host's model, in the order in which a request goes
    through them; the first of them has the batch. Empty for a model of one container."""
    container: str = ""
    """What this container is called among those of the series."""
    endpoint_url: str = ""
    """The platform's address: for the agent's staging, and for AWS clients inside the job."""
    region: str = "us-east-1"
    role_arn: str = ""
    metrics: list[MetricDefinition] = field(default_factory=list)
    requirements: str | None = None
    """A ``requirements.txt``, relative to ``/opt/ml/code`` (where an input with ``extract`` puts the user's code),
    whose packages are
    laid over the environment; if the file is absent there is no overlay."""
    pool: str = ""
    """The pool whose standby may run it, and whose cache it sees as ``/opt/ml/sagemaker/warmpoolcache``; a folder name
    as ``id``. Empty for none."""
    volumes: dict[str, str] = field(default_factory=dict)
    """Folders that outlive the attempt, and the job: absolute path inside the container → the volume's name, which can
    be a folder's, as ``id``. A volume is there from its first use until the placement is told to discard it."""
    fixed: list[str] = field(default_factory=list)
    """The paths of those volumes that the job may read and not write, where a sandbox can hold it to that."""
    health: str = "/ping"
    """For a server: the path that it answers with 200 when it is well."""
    isolation: str = ""
    """``plain`` or ``bubblewrap``; empty means the placement's choice."""
    notes: list[str] = field(default_factory=list)
    """Lines that the platform writes at the head of the job's log."""
    transform: Transform | None = None
    """For a server: the batch that it is run for, after which it ends."""

    def __post_init__(self) -> None:
        check_id(self.id)
        if self.pool:
            check_id(self.pool)
        for path, volume in self.volumes.items():
            check_id(volume)
            if not path.startswith("/"):
                raise SpecError(f"a volume needs an absolute path, got {path!r}")
        if self.attempt < 1:
            raise SpecError(f"attempts are counted from 1, got {self.attempt}")

    def to_json(self) -> str:
        """The document as JSON; every field is written, defaults too."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> JobSpec:
        """The spec that ``to_json`` wrote. Raises ``SpecError`` for anything else."""
        try:
            document = json.loads(text)
            document["image"] = _known(ImageSpec, document["image"])
            document["inputs"] = [_known(Input, each) for each in document.get("inputs", ())]
            document["outputs"] = [_known(Output, each) for each in document.get("outputs", ())]
            document["metrics"] = [_known(MetricDefinition, each) for each in document.get("metrics", ())]
            document["limits"] = _known(Limits, document.get("limits", {}))
            if (transform := document.get("transform")) is not None:
                source = _known(Input, transform["source"])
                document["transform"] = _known(Transform, {**transform, "source": source})
            spec: JobSpec = _known(cls, document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SpecError(f"not a job document: {error}") from error
        return spec


def check_id(text: str) -> str:
    """``text`` if it can name a job's folder. Raises ``SpecError``."""
    if not (
        0 < len(text) <= 200
        and text.isascii()
        and text[0].isalnum()
        and text.replace("-", "").replace(".", "").replace("_", "").isalnum()
    ):
        raise SpecError(f"not a job id: {text!r}")
    return text


def _known(kind: Any, document: dict[str, Any]) -> Any:
    names = {each.name for each in fields(kind)}
    return kind(**{name: value for name, value in document.items() if name in names})
