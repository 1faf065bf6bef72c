"""The control door: truth, clinics, clock, leads that move."""

from datetime import UTC, datetime

import httpx2
import pytest
from tests.fixtures.sandbox import RunningSandbox


def granted(sandbox: RunningSandbox) -> tuple[str, httpx2.Client]:
    """A clinic connected as a person would do it."""
    clinic = sandbox.control.clinics()[0]
    base = f"{sandbox.url}/amocrm/{clinic['subdomain']}"
    body = {
        "client_id": clinic["client_id"],
        "client_secret": clinic["client_secret"],
        "grant_type": "authorization_code",
        "code": clinic["auth_code"],
        "redirect_uri": clinic["redirect_url"],
    }
    answer = httpx2.post(f"{base}/oauth2/access_token", json=body, trust_env=False)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    client = httpx2.Client(base_url=f"{base}/api/v4", headers=headers, trust_env=False)
    return str(clinic["subdomain"]), client


def test_what_a_person_copies_opens_the_account(sandbox: RunningSandbox) -> None:
    subdomain, crm = granted(sandbox)
    with crm:
        assert crm.get("/account").json()["subdomain"] == subdomain
    assert sandbox.control.bill()["crm_requests_by_account"] == {subdomain: 2}


def test_truth_is_about_the_same_clinics(sandbox: RunningSandbox) -> None:
    named = {clinic["client_id"] for clinic in sandbox.control.clinics()}
    assert set(sandbox.control.truth()["clinics"]) == named


def test_a_moved_lead_is_seen_with_its_event_and_forgotten_by_reset(
    sandbox: RunningSandbox,
) -> None:
    subdomain, crm = granted(sandbox)
    lead_id, lead = next(iter(sandbox.world.clinics[0].leads.items()))
    at = datetime(2026, 11, 19, 10, 0, tzinfo=UTC)
    order = {"lead_id": lead_id, "status_id": 142, "at": at.isoformat()}
    with crm:
        event = sandbox.control.post(f"/amocrm/{subdomain}/move-lead", **order)
        assert event["created_at"] == int(at.timestamp())
        assert crm.get(f"/leads/{lead_id}").json()["status_id"] == 142
        query = {"filter[type]": "lead_status_changed", "filter[entity]": "lead"}
        found = crm.get("/events", params={**query, "filter[entity_id]": lead_id}).json()
        assert event["id"] in [each["id"] for each in found["_embedded"]["events"]]
    sandbox.control.reset()
    subdomain, crm = granted(sandbox)
    with crm:
        assert crm.get(f"/leads/{lead_id}").json()["status_id"] == lead["status_id"]


def test_an_access_token_ages_with_the_clock(sandbox: RunningSandbox) -> None:
    _, crm = granted(sandbox)
    with crm:
        sandbox.control.advance_clock(25 * 3600)
        assert crm.get("/account").status_code == 401


def test_unknown_faults_are_refused(sandbox: RunningSandbox) -> None:
    with pytest.raises(httpx2.HTTPStatusError, match="422"):
        sandbox.control.fail("openai", "late_link")
