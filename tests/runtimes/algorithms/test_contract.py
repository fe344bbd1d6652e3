"""The contract of the built-in algorithms: the same suite over all of them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import CSV, JSON, JSONLINES, RECORDIO, Case, Mistake, cases, frames

from clary_runtimes.algorithms import registry

CASES = cases()
LARGE = ("autogluon-tabular", "catboost", "forecasting-deepar")
"""Their environments take longer to install than all others together, so only the slow tests have them."""


def _given(case: Case, *mistakes: Mistake) -> Any:
    marks = pytest.mark.slow("runtimes") if case.name in LARGE else ()
    return pytest.param(case, *mistakes, id="-".join(each.name for each in (case, *mistakes)), marks=marks)


EACH = pytest.mark.parametrize("case", [_given(case) for case in CASES])

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")

_TRAIN_ALL = """
import json, os, sys
from pathlib import Path
from clary_runtimes.train import main
found = {}
for root in map(Path, sys.argv[1:]):
    os.environ["CLARY_ML_ROOT"] = str(root)
    status = main()
    failure, model = root / "output" / "failure", root / "model"
    left = sorted(path.name for path in model.rglob("*")) if model.exists() else []
    found[root.name] = [status, failure.read_text() if failure.exists() else "", left]
Path(os.environ["FOUND"]).write_text(json.dumps(found))
"""
"""Trains in one folder after the other: a process of its own for each would spend its time on imports."""


@pytest.fixture(scope="module")
def trained(runtime_of: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], tuple[Path, str]]:
    """The folder and the log of a case's good job, which runs once."""
    done: dict[str, tuple[Path, str]] = {}

    def train(case: Case) -> tuple[Path, str]:
        if case.name not in done:
            root = tmp_path_factory.mktemp(case.name) / "ml"
            done[case.name] = (root, _job(runtime_of, case, root).succeed(case.hyperparameters))
        return done[case.name]

    return train


@pytest.fixture(scope="module")
def failed(runtime_of: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], dict[str, Any]]:
    """What became of each of a case's mistakes: exit code, reason, files left in the model folder."""
    done: dict[str, dict[str, Any]] = {}

    def fail(case: Case) -> dict[str, Any]:
        if case.name not in done:
            folder = tmp_path_factory.mktemp(case.name)
            runtime = runtime_of(case.image, case.name)
            roots = [_mistaken(runtime, case, mistake, folder / mistake.name) for mistake in case.all_mistakes()]
            variables = runtime.variables(Path("/nowhere"), FOUND=str(folder / "found.json"))
            process = subprocess.run(
                [runtime.python, "-c", _TRAIN_ALL, *map(str, roots)], env=variables, capture_output=True, check=False
            )
            assert process.returncode == 0, process.stderr.decode()
            done[case.name] = json.loads((folder / "found.json").read_text())
        return done[case.name]

    return fail


def _job(runtime_of: Any, case: Case, root: Path) -> Any:
    job = runtime_of(case.image, case.name).job(root)
    for name, data in case.channels.items():
        job.channel(name, data.content, data.content_type)
    return job


def _mistaken(runtime: Any, case: Case, mistake: Mistake, root: Path) -> Path:
    job = runtime.job(root)
    for name, data in {**case.channels, **mistake.channels}.items():
        if data is not None:
            job.channel(name, data.content, data.content_type)
    given = {**case.hyperparameters, **mistake.hyperparameters}
    job.configure({name: text for name, text in given.items() if text is not None})
    return root


def _metrics(case: Case, log: str) -> Iterator[str]:
    algorithm = registry.find(case.name)
    assert algorithm is not None
    log = log.replace("\t", "#011")  # as the platform's logs show it
    for entry in algorithm.metric_definitions():
        if any(float(value) == float(value) for value in re.findall(entry["Regex"], log)):
            yield entry["Name"]


def test_every_algorithm_has_a_case() -> None:
    assert {case.name for case in CASES} == set(registry.ALGORITHMS)


def test_the_control_plane_reads_every_algorithm_without_its_libraries() -> None:
    code = (
        "import sys\n"
        "from clary_runtimes.algorithms import registry\n"
        "for name in registry.ALGORITHMS:\n"
        "    algorithm = registry.find(name)\n"
        "    algorithm.validate({}), algorithm.metric_definitions()\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'sklearn', 'xgboost', 'faiss', 'torch', 'numba', 'asyncio'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@EACH
def test_a_good_job_has_its_metrics(case: Case, trained: Any) -> None:
    root, log = trained(case)
    assert set(case.metrics) <= set(_metrics(case, log)), log
    assert any((root / "model").iterdir())


@EACH
def test_metrics_have_a_direction_and_names_of_their_own(case: Case) -> None:
    algorithm = registry.find(case.name)
    assert algorithm is not None
    definitions = algorithm.metric_definitions()
    names = [entry["Name"] for entry in definitions]
    assert len(set(names)) == len(names)
    assert all(re.compile(entry["Regex"]).groups == 1 for entry in definitions)


@EACH
def test_every_format_gives_the_same_answer(case: Case, trained: Any, runtime_of: Any, serve: Any) -> None:
    server = serve(runtime_of(case.image, case.name), trained(case)[0]).wait()
    answers = {}
    for content_type, body in case.requests.items():
        answer = server.invoke(body, content_type, JSON)
        assert answer.status == 200, (content_type, answer)
        answers[content_type] = answer.json()
        case.check(answers[content_type])
    assert all(answer == next(iter(answers.values())) for answer in answers.values())
    content_type, body = next(iter(case.requests.items()))
    for accept in case.outputs:
        answer = server.invoke(body, content_type, accept)
        assert (answer.status, answer.content_type.partition(";")[0]) == (200, accept.partition(";")[0])
        if accept == RECORDIO:
            assert frames(answer.body) == case.rows
        elif accept == JSONLINES:
            assert len([json.loads(line) for line in answer.body.splitlines()]) == case.rows
        elif accept == CSV:
            lines = answer.body.decode().strip()
            assert max(len(lines.splitlines()), lines.count(",") + 1) >= case.rows
    for refusal in case.all_refusals():
        answer = server.invoke(refusal.body, refusal.content_type, refusal.accept)
        assert answer.status == refusal.status and refusal.words in answer.body.decode(), (refusal, answer)
    for content_type in case.requests:
        for body in (b"\xff\xfe garbage", b"", b"{"):
            answer = server.invoke(body, content_type)
            nothing = not body and answer.status == 204  # XGBoost's documented answer to no row
            assert nothing or (400 <= answer.status < 500 and answer.body), (content_type, body, answer)
    assert server.ping() == 200


@EACH
def test_requests_at_one_moment_get_what_each_gets_alone(case: Case, trained: Any, runtime_of: Any, serve: Any) -> None:
    server = serve(runtime_of(case.image, case.name), trained(case)[0]).wait()
    asked = [(kind, body if isinstance(body, bytes) else body.encode()) for kind, body in case.requests.items()] * 3
    asked.insert(2, (asked[0][0], b"\xff\xfe garbage"))
    with server.frames() as connection:
        connection.ask(*((number, kind.encode(), body) for number, (kind, body) in enumerate(asked)))
        together = [connection.answer(number) for number in range(len(asked))]
    for (kind, body), (status, content_type, answer) in zip(asked, together, strict=True):
        alone, again = server.invoke(body, kind), server.invoke(body, kind)
        assert (status, content_type.decode()) == (alone.status, alone.content_type)
        if alone.body == again.body:  # DeepAR draws its samples anew
            words, numbers = _NUMBER.sub("", answer.decode()), _NUMBER.findall(answer.decode())
            assert words == _NUMBER.sub("", alone.body.decode())
            expected = [float(number) for number in _NUMBER.findall(alone.body.decode())]
            # A product of larger matrices may round its last digit otherwise.
            assert [float(number) for number in numbers] == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("case", "mistake"),
    [_given(case, each) for case in CASES for each in case.all_mistakes()],
)
def test_a_mistake_is_named(case: Case, mistake: Mistake, failed: Any) -> None:
    status, reason, left = failed(case)[mistake.name]
    assert status == 2, reason
    assert reason.startswith("ClientError: ") and len(reason) < 1024
    assert all(word in reason for word in mistake.words), reason
    assert left == []


@pytest.mark.parametrize("case", [_given(case) for case in CASES if case.pipe])
def test_channels_can_be_streamed(case: Case, runtime_of: Any, tmp_path: Path) -> None:
    job = _job(runtime_of, case, tmp_path / "ml")
    for name in case.channels:
        folder = tmp_path / "ml" / "input" / "data" / name
        for epoch in range(30):  # what is read once may as well be a file as a FIFO
            shutil.copy(folder / f"{name}.data", folder.with_name(f"{name}_{epoch}"))
        shutil.rmtree(folder)
        job.channels[name]["TrainingInputMode"] = "Pipe"
    log = job.succeed(case.hyperparameters)
    assert set(case.metrics) <= set(_metrics(case, log)), log


@EACH
def test_a_stopped_job_leaves_a_whole_model_or_none(case: Case, trained: Any, runtime_of: Any, tmp_path: Path) -> None:
    job = _job(runtime_of, case, tmp_path / "ml")
    process = job.start(case.hyperparameters)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    model = tmp_path / "ml" / "model"
    left = {path.name: path.stat().st_size for path in model.rglob("*")} if model.exists() else {}
    whole = {path.name for path in (trained(case)[0] / "model").rglob("*")}
    assert not left or (set(left) == whole and all(left.values()))
