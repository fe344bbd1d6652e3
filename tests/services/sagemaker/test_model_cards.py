"""Model cards: their versions, and their exports as documents that can be opened."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pypdf import PdfReader

from clary.resources.context import Platform
from clary.services.iam.api import Principal
from clary.services.s3_as_caller import Unanswered
from clary.services.sagemaker.cards import export as exporting
from clary.services.sagemaker.cards.charts import round_steps
from clary.services.sagemaker.cards.content import SECTIONS
from clary.services.sagemaker.cards.page import Card, render
from clary.state.records import Record
from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server

GRAPHS = [
    {"name": "Error by season", "type": "bar_chart", "value": [0.1, -0.2], "x_axis_name": ["Summer", "Winter"]},
    {"name": "Learning", "type": "linear_graph", "value": [[0, 1], [1, 0.5]], "x_axis_name": "round"},
    {"name": "Confusion", "type": "matrix", "value": [[31, 2], [3, 47]], "x_axis_name": ["no", "yes"]},
]
CONTENT: dict[str, Any] = {
    "additional_information": {"custom_details": {"ticket": "TOUR-17"}},
    "model_overview": {"model_name": "tours", "model_artifact": ["s3://models/a.tar.gz"], "model_version": 3},
    "intended_uses": {"purpose_of_model": "Plans that hold", "risk_rating": "Medium"},
    "business_details": {"business_problem": "Tours overrun"},
    "training_details": {
        "objective_function": {"function": {"function": "Minimize", "facet": "RMSE"}, "notes": "early stopping"},
        "training_job_details": {
            "training_metrics": [{"name": "train:rmse", "value": 0.0812}],
            "hyper_parameters": [{"name": "num_round", "value": "200"}],
        },
    },
    "evaluation_details": [
        {
            "name": "Held-out season",
            "metadata": {"season": "winter"},
            "metric_groups": [
                {"name": "Errors", "metric_data": [{"name": "r2", "type": "number", "value": 0.91}, *GRAPHS]}
            ],
        }
    ],
}


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    clary_aws.client("s3").create_bucket(Bucket="cards")
    client = clary_aws.client("sagemaker")
    client.create_model_card(ModelCardName="tours", Content=json.dumps(CONTENT), ModelCardStatus="Draft")
    return client


def start(client: Any, name: str = "job", path: str = "s3://cards/exports", **more: Any) -> str:
    arn: str = client.create_model_card_export_job(
        ModelCardName="tours", ModelCardExportJobName=name, OutputConfig={"S3OutputPath": path}, **more
    )["ModelCardExportJobArn"]
    return arn


def ended(client: Any, arn: str) -> dict[str, Any]:
    def described() -> dict[str, Any] | None:
        shown: dict[str, Any] = client.describe_model_card_export_job(ModelCardExportJobArn=arn)
        return shown if shown["Status"] != "InProgress" else None

    shown = wait_for(described)
    assert shown is not None
    return shown


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def text_of(document: bytes) -> str:
    """All words of a document, with single spaces."""
    pages = PdfReader(io.BytesIO(document)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


# Versions


def numbers(client: Any) -> list[tuple[int, str]]:
    rows = client.list_model_card_versions(ModelCardName="tours")["ModelCardVersionSummaryList"]
    return [(row["ModelCardVersion"], row["ModelCardStatus"]) for row in rows]


def test_a_new_content_is_a_version_and_a_new_status_is_not(sagemaker: Any) -> None:
    sagemaker.update_model_card(ModelCardName="tours", ModelCardStatus="PendingReview")
    assert numbers(sagemaker) == [(1, "PendingReview")]
    sagemaker.update_model_card(ModelCardName="tours", Content='{"business_details": {}}')
    sagemaker.update_model_card(ModelCardName="tours", ModelCardStatus="Approved")
    assert numbers(sagemaker) == [(1, "PendingReview"), (2, "Approved")]
    first = sagemaker.describe_model_card(ModelCardName="tours", ModelCardVersion=1)
    assert (json.loads(first["Content"]), first["ModelCardStatus"]) == (CONTENT, "PendingReview")
    assert (first["ModelCardName"], first["ModelCardVersion"]) == ("tours", 1)
    assert sagemaker.describe_model_card(ModelCardName=first["ModelCardArn"])["ModelCardVersion"] == 2


def test_what_an_update_refuses(sagemaker: Any) -> None:
    update = sagemaker.update_model_card
    both = {"Content": "{}", "ModelCardStatus": "Approved"}
    assert refused(update, ModelCardName="tours", **both) == (
        "ValidationException",
        "You cannot update both model card content and model card status in a single call.",
    )
    assert refused(update, ModelCardName="tours")[0] == "ValidationException"
    assert refused(update, ModelCardName="none", Content="{}")[0] == "ResourceNotFound"
    update(ModelCardName="tours", ModelCardStatus="Archived")
    assert refused(update, ModelCardName="tours", Content="{}")[0] == "ConflictException"
    assert numbers(sagemaker) == [(1, "Archived")]


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"unknown_section": {}}',
        '{"model_overview": "text"}',
        '{"evaluation_details": {}}',
        pytest.param("[" * 50_000, id="nested"),
    ],
)
def test_a_content_that_is_none_is_refused(sagemaker: Any, content: str) -> None:
    create = sagemaker.create_model_card
    assert refused(create, ModelCardName="b", Content=content, ModelCardStatus="Draft")[0] == "ValidationException"


# Exports


def test_the_newest_version_is_exported(clary_aws: Server, sagemaker: Any) -> None:
    sagemaker.update_model_card(ModelCardName="tours", Content='{"business_details": {"line_of_business": "Walks"}}')
    arn = start(sagemaker)
    assert arn.endswith(":model-card/tours/export-job/job")
    job = ended(sagemaker, arn)
    assert job["Status"] == "Completed"
    assert (job["ModelCardName"], job["ModelCardVersion"]) == ("tours", 2)
    assert (job["ModelCardExportJobName"], job["ModelCardExportJobArn"]) == ("job", arn)
    assert job["OutputConfig"] == {"S3OutputPath": "s3://cards/exports"}
    assert job["ExportArtifacts"] == {"S3ExportArtifacts": "s3://cards/exports/tours/job.pdf"}
    assert "FailureReason" not in job
    assert job["CreatedAt"] <= job["LastModifiedAt"]
    stored = clary_aws.client("s3").get_object(Bucket="cards", Key="exports/tours/job.pdf")
    assert stored["ContentType"] == "application/pdf"
    text = text_of(stored["Body"].read())
    assert "Line of business Walks" in text
    assert "Plans that hold" not in text


def test_an_earlier_version_is_exported(clary_aws: Server, sagemaker: Any) -> None:
    sagemaker.update_model_card(ModelCardName="tours", Content="{}")
    sagemaker.update_model_card(ModelCardName="tours", ModelCardStatus="Archived")
    card = sagemaker.describe_model_card(ModelCardName="tours")["ModelCardArn"]
    job = sagemaker.create_model_card_export_job(
        ModelCardName=card,
        ModelCardVersion=1,
        ModelCardExportJobName="old",
        OutputConfig={"S3OutputPath": "https://cards.s3.us-east-1.amazonaws.com/a/b/"},
    )
    assert ended(sagemaker, job["ModelCardExportJobArn"])["Status"] == "Completed"
    text = text_of(clary_aws.client("s3").get_object(Bucket="cards", Key="a/b/tours/old.pdf")["Body"].read())
    for said in ("tours", "Draft", "Plans that hold", "TOUR-17", "s3://models/a.tar.gz", "Held-out season", "r2 0.91"):
        assert said in text


def test_exports_are_listed_filtered_and_sorted(sagemaker: Any) -> None:
    sagemaker.create_model_card(ModelCardName="other", Content="{}", ModelCardStatus="Draft")
    for name, more in (
        ("bravo", {}),
        ("alpha", {"ModelCardVersion": 1}),
        ("charlie", {"path": "s3://nobody-has-this"}),
    ):
        ended(sagemaker, start(sagemaker, name, **more))

    def names(card: str = "tours", **asked: Any) -> list[str]:
        found = sagemaker.list_model_card_export_jobs(ModelCardName=card, **asked)
        return [row["ModelCardExportJobName"] for row in found["ModelCardExportJobSummaries"]]

    assert names() == ["bravo", "alpha", "charlie"]
    assert names("other") == []
    assert names(SortBy="Name") == ["alpha", "bravo", "charlie"]
    assert names(SortBy="Name", SortOrder="Descending") == ["charlie", "bravo", "alpha"]
    assert names(SortBy="Status", SortOrder="Descending")[0] == "charlie"
    assert names(StatusEquals="Failed") == ["charlie"]
    assert names(ModelCardExportJobNameContains="a", StatusEquals="Completed") == ["bravo", "alpha"]
    assert names(ModelCardVersion=1) == ["bravo", "alpha", "charlie"]
    assert names(CreationTimeBefore=datetime(2020, 1, 1, tzinfo=UTC)) == []
    page = sagemaker.list_model_card_export_jobs(ModelCardName="tours", MaxResults=2)
    following = names(MaxResults=2, NextToken=page["NextToken"])
    assert ([row["Status"] for row in page["ModelCardExportJobSummaries"]], following) == (
        ["Completed", "Completed"],
        ["charlie"],
    )


def test_what_create_refuses(sagemaker: Any) -> None:
    create = sagemaker.create_model_card_export_job
    ended(sagemaker, start(sagemaker))
    place = {"OutputConfig": {"S3OutputPath": "s3://cards"}}
    job = {"ModelCardExportJobName": "next", **place}
    taken = {"ModelCardExportJobName": "job", **place}
    assert refused(create, ModelCardName="none", **job)[0] == "ResourceNotFound"
    assert refused(create, ModelCardName="tours", ModelCardVersion=7, **job) == (
        "ResourceNotFound",
        "Modelcard with name tours and version: 7 does not exist",
    )
    assert refused(create, ModelCardName="tours", **taken)[0] == "ConflictException"
    for path in ("s3://", "https://example.com/cards", "s3://A_B", "cards/exports"):
        wrong = {**job, "OutputConfig": {"S3OutputPath": path}}
        assert refused(create, ModelCardName="tours", **wrong)[0] == "ValidationException"
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-card/tours/export-job/none"
    assert refused(sagemaker.describe_model_card_export_job, ModelCardExportJobArn=arn)[0] == "ResourceNotFound"
    assert not hasattr(sagemaker, "stop_model_card_export_job")


def test_exports_go_with_their_card(clary_aws: Server, sagemaker: Any) -> None:
    arn = start(sagemaker)
    ended(sagemaker, arn)
    sagemaker.delete_model_card(ModelCardName="tours")
    assert refused(sagemaker.describe_model_card_export_job, ModelCardExportJobArn=arn)[0] == "ResourceNotFound"
    assert clary_aws.client("s3").head_object(Bucket="cards", Key="exports/tours/job.pdf")
    sagemaker.create_model_card(ModelCardName="tours", Content="{}", ModelCardStatus="Draft")
    assert sagemaker.list_model_card_export_jobs(ModelCardName="tours")["ModelCardExportJobSummaries"] == []


def test_a_bucket_that_is_not_there_fails_the_export(sagemaker: Any) -> None:
    job = ended(sagemaker, start(sagemaker, path="s3://nobody-has-this/x"))
    assert job["Status"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: The model card cannot be written to s3://nobody-has-this/x/tours/job.pdf: NoSuchBucket: "
    )
    assert "ExportArtifacts" not in job


# Whose permissions


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


CARDS_ONLY = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
AND_WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::cards/mine/*"}


def writes(client: Any, name: str, path: str) -> str:
    """How an export ends: ``Completed``, or the code of what S3 said."""
    job = ended(client, start(client, name, path))
    return str(job["Status"] if job["Status"] == "Completed" else job["FailureReason"].split(": ")[2])


def test_an_export_is_written_as_the_user_who_asked(clary_aws: Server, sagemaker: Any) -> None:
    iam = clary_aws.client("iam")
    iam.create_user(UserName="auditor")
    iam.put_user_policy(UserName="auditor", PolicyName="p", PolicyDocument=policy(CARDS_ONLY, AND_WRITE))
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    auditor = clary_aws.session().client("sagemaker", **keys)
    assert writes(auditor, "a", "s3://cards/mine") == "Completed"
    assert writes(auditor, "b", "s3://cards/other") == "AccessDenied"


def test_an_export_is_written_with_what_the_session_may_do(clary_aws: Server, sagemaker: Any) -> None:
    iam, sts = clary_aws.client("iam"), clary_aws.client("sts")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="writer", Path="/team/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    everywhere = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_role_policy(RoleName="writer", PolicyName="p", PolicyDocument=policy(CARDS_ONLY, everywhere))

    def client(**narrower: str) -> Any:
        made = sts.assume_role(RoleArn=role, RoleSessionName="ada", **narrower)["Credentials"]
        return clary_aws.session().client(
            "sagemaker",
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
        )

    assert writes(client(), "a", "s3://cards/other") == "Completed"
    narrow = client(Policy=policy(CARDS_ONLY, AND_WRITE))
    assert writes(narrow, "b", "s3://cards/mine") == "Completed"
    assert writes(narrow, "c", "s3://cards/other") == "AccessDenied"


# The steps of the reconciler


@dataclass
class Look:
    """One look whose result may get lost."""

    platform: Platform
    record: Record
    killed: bool = False

    def save(self, also: Any = None) -> None:
        if self.killed:
            raise SystemExit
        with self.platform.database.write() as transaction:
            transaction.update(self.record)

    def delete(self, also: Any = None) -> None:
        raise AssertionError


@pytest.fixture
def job(installation: Any) -> Any:
    """A card with an export in an installation without processes; gives looks at the job."""
    from clary.services.sagemaker.service import app

    context = installation.context()
    operations = app().operations
    created = {"ModelCardName": "tours", "Content": json.dumps(CONTENT), "ModelCardStatus": "Draft"}
    operations["CreateModelCard"](context, created)
    wanted = {"ModelCardExportJobName": "job", "OutputConfig": {"S3OutputPath": "s3://cards"}}
    arn = operations["CreateModelCardExportJob"](context, {"ModelCardName": "tours", **wanted})["ModelCardExportJobArn"]

    def look(killed: bool = False) -> Look:
        with installation.database.read() as transaction:
            record = transaction.by_arn(arn)
        assert record is not None
        return Look(installation.platform, record, killed)

    return look


def test_an_export_that_was_killed_before_its_end_writes_the_same_again(
    job: Any, installation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[Any, ...]] = []
    monkeypatch.setattr(exporting, "put", lambda *arguments: written.append(arguments))
    with pytest.raises(SystemExit):
        exporting.export(job(killed=True))
    assert job().record.status == "InProgress"
    installation.now += 100
    assert exporting.export(job()) is None
    assert job().record.status == "Completed"
    assert job().record.wake_at is None
    assert written[0][1:] == written[1][1:]
    assert isinstance(written[0][1], Principal)
    assert written[0][2:5] == ("us-east-1", "cards", "tours/job.pdf")


def test_an_export_waits_for_s3_but_not_for_ever(job: Any, installation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(*_: Any) -> None:
        raise Unanswered("connection refused")

    monkeypatch.setattr(exporting, "put", unanswered)
    assert exporting.export(job()) == exporting.RETRY_SECONDS
    assert job().record.status == "InProgress"
    installation.now += exporting.PATIENCE_SECONDS
    assert exporting.export(job()) is None
    assert job().record.status == "Failed"
    assert job().record.document["FailureReason"].startswith("InternalServerError: ")


def test_an_export_without_a_server_is_tried_again(job: Any) -> None:
    assert exporting.export(job()) == exporting.RETRY_SECONDS


def test_an_export_does_not_wait_in_its_thread_for_another(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = threading.Lock()
    monkeypatch.setattr(exporting, "_DRAWING", busy)
    with busy:
        assert exporting.export(job()) == exporting.BUSY_SECONDS
    assert job().record.status == "InProgress"


def test_an_export_of_a_role_that_is_gone_fails(job: Any, installation: Any) -> None:
    looked = job()
    arn = "arn:aws:sts::123456789012:assumed-role/gone/ada"
    gone = Principal(arn, "123456789012", "AROAGONE:ada", "role", "gone", "ada")
    looked.record.document[exporting.CALLER] = gone.to_json()
    assert exporting.export(looked) is None
    assert "AccessDenied: The role gone of the caller does not exist any more" in job().record.document["FailureReason"]


def test_a_role_made_anew_is_not_the_one_that_asked(job: Any, installation: Any, iam: Any) -> None:
    trust = policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="again", AssumeRolePolicyDocument=trust)
    looked = job()
    arn = "arn:aws:sts::123456789012:assumed-role/again/ada"
    before = Principal(arn, "123456789012", "AROAOLD:ada", "role", "again", "ada")
    looked.record.document[exporting.CALLER] = before.to_json()
    exporting.export(looked)
    assert "does not exist any more" in job().record.document["FailureReason"]


# The document

CARD = Card(
    name="tours",
    arn="arn:aws:sagemaker:us-east-1:123456789012:model-card/tours",
    version=3,
    status="PendingReview",
    content=json.dumps(CONTENT),
    created=1_760_000_000,
    created_by="arn:aws:iam::123456789012:user/ada",
    modified=1_760_100_000,
    modified_by="arn:aws:iam::123456789012:user/grace",
    exported=1_760_200_000,
)


def shown(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return text_of(render(replace(CARD, content=text), SECTIONS))


def test_a_document_says_what_the_card_is() -> None:
    reader = PdfReader(io.BytesIO(render(CARD, SECTIONS)))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("Model card tours, version 3", CARD.modified_by)
    assert reader.metadata.creation_date == datetime.fromtimestamp(CARD.exported, UTC)
    first = " ".join(reader.pages[0].extract_text().split())
    for said in ("MODEL CARD", "Pending review", "Medium risk", "Version 3", CARD.arn, CARD.created_by):
        assert said in first
    assert "Last modified 2025-10-10 12:40:00 UTC by arn:aws:iam::123456789012:user/grace" in first
    for number, page in enumerate(reader.pages, 1):
        assert f"Page {number} of {len(reader.pages)}" in page.extract_text()
    assert len(reader.pages) > 1


def test_sections_stand_in_the_order_of_the_schema() -> None:
    text = shown({**CONTENT, "made_up": {"deep": [{"a": 1, "b": [True, None]}, "x"]}})
    titles = ("Model overview", "Intended uses", "Business details", "Training details", "Evaluation details")
    places = [text.index(title) for title in (*titles, "Additional information", "Made up")]
    assert places == sorted(places)
    for said in ("Deep", "Facet RMSE", "num_round 200", "train:rmse 0.0812", "Season winter", "Model version 3"):
        assert said in text


def test_metrics_are_drawn() -> None:
    text = shown(CONTENT)
    for said in ("Error by season", "Summer", "Winter", "-0.2", "Learning", "round", "Confusion", "31", "47", "yes"):
        assert said in text


@pytest.mark.parametrize(
    "value",
    [
        ["a", 2],
        [float("nan"), 1],
        [[1, 2], [3]],
        [[[1, 2, 3]]],
        {"x": 1},
        [],
        "text",
        [1e308 * 10],
        [True],
        pytest.param(list(range(500)), id="many"),
    ],
)
@pytest.mark.parametrize("kind", ["bar_chart", "linear_graph", "matrix"])
def test_a_graph_that_is_none_is_told_in_words(kind: str, value: Any) -> None:
    metric = {"name": "Odd one", "type": kind, "value": value, "notes": "looked at"}
    text = shown({"evaluation_details": [{"name": "e", "metric_groups": [{"name": "g", "metric_data": [metric]}]}]})
    assert "Odd one" in text
    assert "looked at" in text


@pytest.mark.parametrize(
    ("lowest", "highest"), [(0, 0), (5, 5), (-3, 7), (1e-300, 2e-300), (0.1, 0.1000001), (-1e299, 1e299), (10**30, 0)]
)
def test_an_axis_has_a_few_round_steps(lowest: float, highest: float) -> None:
    lowest, highest = sorted((lowest, highest))
    steps = round_steps(lowest, highest)
    assert 3 <= len(steps) <= 14
    assert steps == sorted(set(steps))
    room = (steps[1] - steps[0]) * 1e-6
    assert steps[0] <= lowest + room
    assert steps[-1] >= highest - room


def test_letters_of_many_scripts_are_shown() -> None:
    text = shown(
        {"model_overview": {"model_description": "Größe Łódź Ελληνικά Русский Tiếng Việt ≤ → ✓ “x” 😀 \u0000"}}
    )
    for said in ("Größe", "Łódź", "Ελληνικά", "Русский", "Tiếng Việt", "≤", "“x”", "[U+1F600]", "[U+0000]"):
        assert said in text


@pytest.mark.parametrize("words", ["模型卡的用途", "モデルの説明", "모델 설명"])
def test_eastern_letters_are_set_in_the_fonts_of_readers(words: str) -> None:
    document = render(replace(CARD, content=json.dumps({"model_overview": {"model_owner": words}})), SECTIONS)
    fonts = {
        font.get_object()["/BaseFont"]
        for page in PdfReader(io.BytesIO(document)).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert fonts & {"/STSong-Light", "/HeiseiKakuGo-W5", "/HYGothic-Medium"}


def test_nothing_in_a_card_is_markup() -> None:
    sly = '<img src="file:///etc/passwd"/> &amp; <b>bold</b> ]]> </font>'
    assert sly in shown({"model_overview": {"model_owner": sly}})
    assert sly[:20] in shown({"model_overview": {sly: {sly: [sly]}}})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps({"m": {"d": "a\n" * 1500}}), id="lines"),
        pytest.param(json.dumps({"m": {"d": "a" * 20_000}}), id="word"),
        pytest.param(json.dumps({"m": ["z " * 20_000]}), id="item"),
        pytest.param(json.dumps({"k" * 40_000: {"k" * 40_000: 1}}), id="keys"),
        pytest.param(json.dumps({"m": [{"name": "n" * 40_000, "value": "v" * 40_000}]}), id="metric"),
        pytest.param('{"m": ' + "[" * 400 + "]" * 400 + "}", id="deep"),
        "not JSON <b>",
        "3",
        "{}",
    ],
)
def test_any_content_makes_a_document(content: str) -> None:
    assert "Page 1 of" in shown(content)
