"""What doors hold: every service they may call, built by `wiring`."""

from dataclasses import dataclass

import procrastinate

from medai.access.audit import AccessLog
from medai.access.keys import ApiKeys
from medai.analysis.old_files import OldAnalyses
from medai.analysis.recommendations.service import RecommendationService
from medai.analysis.service import AnalysisService
from medai.calls.listing import CallListing
from medai.calls.period_status import PeriodStatuses
from medai.calls.repository import CallRepository
from medai.clinics.repository import ClinicRepository
from medai.clinics.settings import SettingChanges
from medai.crm.accounts import AmocrmAccounts
from medai.crm.event_log import EventLog
from medai.crm.lookups import CardLookups
from medai.crm.registration import ClinicRegistration
from medai.infra.crypto import LinkSigner
from medai.infra.documents import Documents
from medai.infra.files import Files
from medai.infra.log_files import LogFiles
from medai.infra.postgres import Pool
from medai.infra.readiness import Readiness
from medai.kit.clock import Clock
from medai.ledger.service import EffectLedger
from medai.limits.changes import LimitChanges
from medai.limits.service import LimitService
from medai.members.invitations import Invitations
from medai.members.log import MemberLog
from medai.members.repository import Members
from medai.processing.abandoned_minutes import AbandonedMinutes
from medai.processing.bulk import BulkSyncs
from medai.processing.crm_access import CrmAccess
from medai.processing.crm_checks import CrmChecks
from medai.processing.digests.service import Digests
from medai.processing.events_export import EventsExport
from medai.processing.exports import Exports
from medai.processing.figures import Figures
from medai.processing.held import HeldWork
from medai.processing.links import SignedLinks
from medai.processing.note_recordings import NoteRecordings
from medai.processing.own_recordings import OwnRecordings
from medai.processing.period_conclusions import PeriodConclusions
from medai.processing.person_requests import PersonRequests
from medai.processing.pipeline import CallPipeline
from medai.processing.ports import Jobs
from medai.processing.reattribution import Reattribution
from medai.processing.requests import WorkRequests
from medai.processing.retention import Retention
from medai.processing.run_book import RunBook
from medai.processing.run_phases import RunPhases
from medai.processing.runs import Runs
from medai.processing.schedule.begin import Schedule
from medai.processing.seats import Seats
from medai.processing.shift_changes import ShiftChanges
from medai.processing.single_analysis import SingleAnalysis
from medai.processing.stops import Stops
from medai.processing.sweeps import Sweeps
from medai.processing.syncs import Syncs
from medai.processing.token_keeper import TokenKeeper
from medai.processing.transcript_files import TranscriptFiles
from medai.processing.trial_recordings import TrialRecordings
from medai.reports.service import ReportService
from medai.settings import Settings
from medai.staff.repository import StaffRepository
from medai.staff.schedule import WorkSchedule
from medai.transcription.balance import SpeechAccount
from medai.transcription.service import TranscriptionService


@dataclass(frozen=True, slots=True)
class Application:
    """Everything a door may call."""

    settings: Settings
    clock: Clock
    api_key: str
    keys: ApiKeys
    access_log: AccessLog
    members: Members
    invitations: Invitations
    member_log: MemberLog
    engine: procrastinate.App
    pool: Pool
    documents: Documents
    files: Files
    signer: LinkSigner
    clinics: ClinicRepository
    calls: CallRepository
    call_listing: CallListing
    period_statuses: PeriodStatuses
    staff: StaffRepository
    limits: LimitService
    ledger: EffectLedger
    limit_changes: LimitChanges
    abandoned_minutes: AbandonedMinutes
    accounts: AmocrmAccounts
    registration: ClinicRegistration
    card_lookups: CardLookups
    event_log: EventLog
    note_recordings: NoteRecordings
    crm_checks: CrmChecks
    transcription: TranscriptionService
    transcript_files: TranscriptFiles
    links: SignedLinks
    analysis: AnalysisService
    old_analyses: OldAnalyses
    recommendations: RecommendationService
    pipeline: CallPipeline
    requests: WorkRequests
    stops: Stops
    sweeps: Sweeps
    held: HeldWork
    runs: Runs
    run_book: RunBook
    asked: PersonRequests
    setting_changes: SettingChanges
    crm_access: CrmAccess
    work_schedule: WorkSchedule
    shift_changes: ShiftChanges
    speech_account: SpeechAccount
    log_files: LogFiles
    bulk: BulkSyncs
    events_export: EventsExport
    phases: RunPhases
    schedule: Schedule
    token_keeper: TokenKeeper
    retention: Retention
    reattribution: Reattribution
    syncs: Syncs
    exports: Exports
    reports: ReportService
    digests: Digests
    own_recordings: OwnRecordings
    single_analysis: SingleAnalysis
    period_conclusions: PeriodConclusions
    trials: TrialRecordings
    seats: Seats
    jobs: Jobs
    figures: Figures
    readiness: Readiness
