"""Ten thousand jobs: the server pages, filters and sorts, and the browser holds one page."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Request, expect

from clary.core.settings import load
from clary.state.database import Database

pytestmark = pytest.mark.slow("studio")

JOBS = 10_000
REGION = "eu-west-1"
"""Another region, so that the other tests see few jobs."""


@pytest.fixture(scope="module")
def many(contents: Any) -> Any:
    """A finished job, ten thousand times."""
    server = contents.server
    database = Database(load(server.home).database_url)
    arn = server.client("sagemaker").describe_training_job(TrainingJobName=contents.training_job)["TrainingJobArn"]
    with database.read() as transaction:
        pattern = transaction.by_arn(arn)
    assert pattern is not None
    with database.write() as transaction:
        for number in range(JOBS):
            name = f"job-{number:05}"
            job = copy.deepcopy(pattern)
            job.key = pattern.key._replace(region=REGION, name=name)
            job.arn = arn.replace("us-east-1", REGION).replace(contents.training_job, name)
            job.document = json.loads(json.dumps(job.document).replace(f'"{contents.training_job}"', f'"{name}"'))
            job.status = "Failed" if number % 100 == 0 else "Completed"
            job.created = pattern.created - JOBS + number
            job.wake_at = None
            transaction.insert(job)
    database.close()
    return contents


@pytest.fixture
def there(studio: Any, many: Any) -> Any:
    """Studio, looking at the region with the many jobs."""
    studio.page.add_init_script(f"localStorage.setItem('clary-region', {REGION!r})")
    studio.asked = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path.endswith("/call/sagemaker/ListTrainingJobs"):
            studio.asked.append(json.loads(request.post_data or "{}"))

    studio.page.on("request", note)
    return studio


def names(studio: Any) -> list[str]:
    return studio.page.get_by_role("rowheader").all_inner_texts()


def test_the_server_pages(there: Any) -> None:
    there.open("/training-jobs?sort=Name&order=Ascending")
    expect(there.page.get_by_role("link", name="job-00019")).to_be_visible()
    assert names(there) == [f"job-{number:05}" for number in range(20)]
    there.button("Next page").click()
    expect(there.page.get_by_role("link", name="job-00039")).to_be_visible()
    assert names(there) == [f"job-{number:05}" for number in range(20, 40)]
    there.button("Previous page").click()
    expect(there.page.get_by_role("link", name="job-00000")).to_be_visible()
    assert all(asked["MaxResults"] <= 100 for asked in there.asked)


def test_the_server_sorts(there: Any) -> None:
    there.open("/training-jobs")
    with there.page.expect_request(lambda request: '"SortBy":"Name"' in (request.post_data or "")) as asked:
        there.page.get_by_role("columnheader", name="Name").get_by_role("button").first.press("Enter")
    assert urlsplit(asked.value.url).path.endswith("/ListTrainingJobs")
    there.page.wait_for_url("**sort=Name**")
    first = "job-09999" if "order=Descending" in there.page.url else "job-00000"
    expect(there.page.get_by_role("rowheader").first).to_have_text(first)


def test_the_server_filters(there: Any) -> None:
    tokens = quote(json.dumps([{"propertyKey": "StatusEquals", "operator": "=", "value": "Failed"}]))
    there.open(f"/training-jobs?sort=Name&order=Ascending&q={tokens}&size=50")
    expect(there.page.get_by_role("link", name="job-04900")).to_be_visible()
    assert names(there) == [f"job-{number:05}" for number in range(0, 5000, 100)]
    assert there.asked[-1]["StatusEquals"] == "Failed"


def test_names_are_found_by_the_server(there: Any) -> None:
    there.open("/training-jobs")
    found = there.page.get_by_role("combobox", name="Filter Training jobs")
    found.fill("job-0777")
    found.press("Enter")
    expect(there.page.get_by_role("link", name="job-07770")).to_be_visible()
    expect(there.page.get_by_role("rowheader")).to_have_count(10)
    assert there.asked[-1]["NameContains"] == "job-0777"


def test_the_home_page_counts_them(there: Any) -> None:
    there.open("/")
    expect(there.page.get_by_role("link", name=f"{JOBS} training jobs")).to_have_text(f"{JOBS:,}")
