"""Summaries of the ledger: counts that a run is compared with."""

from collections import Counter
from typing import Any

from medai.sandbox.ledger import (
    CrmRequest,
    Ledger,
    LlmRequest,
    TelegramMessage,
    busiest_second,
)


def bill(ledger: Ledger) -> dict[str, Any]:
    """Everything the providers saw, ready for JSON (GET /control/bill)."""
    entries = ledger.entries()
    return {
        **_crm(ledger.crm_requests()),
        **_notes(ledger),
        **_stt(ledger),
        **_llm([entry for entry in entries if isinstance(entry, LlmRequest)]),
        "telegram_messages": sum(isinstance(entry, TelegramMessage) for entry in entries),
    }


def _crm(requests: list[CrmRequest]) -> dict[str, Any]:
    accounts = sorted({request.account for request in requests})
    busiest = {
        account: busiest_second(request.at for request in requests if request.account == account)
        for account in accounts
    }
    return {
        "crm_requests": len(requests),
        "crm_requests_by_account": dict(Counter(request.account for request in requests)),
        "crm_requests_by_path": dict(Counter(f"{r.method} {r.path}" for r in requests)),
        "crm_max_requests_in_one_second": max(busiest.values(), default=0),
        "crm_max_requests_in_one_second_by_account": busiest,
    }


def _notes(ledger: Ledger) -> dict[str, Any]:
    notes = ledger.notes()
    cards = Counter(f"{note.account}/{note.collection}/{note.entity_id}" for note in notes)
    return {"notes": len(notes), "notes_by_card": dict(cards)}


def _stt(ledger: Ledger) -> dict[str, Any]:
    billed = [entry for entry in ledger.recognitions() if entry.billed]
    return {
        "stt_paid": len(billed),
        "stt_paid_by_sha256": dict(ledger.stt_paid()),
        "stt_audio_seconds": round(sum(entry.seconds for entry in billed), 3),
        "stt_billed_seconds": round(sum(entry.seconds * entry.channels for entry in billed), 3),
    }


def _llm(requests: list[LlmRequest]) -> dict[str, Any]:
    return {
        "llm_requests": len(requests),
        "llm_requests_by_kind": dict(Counter(request.kind for request in requests)),
        "llm_input_tokens": sum(request.input_tokens for request in requests),
        "llm_cached_tokens": sum(request.cached_tokens for request in requests),
        "llm_output_tokens": sum(request.output_tokens for request in requests),
    }
