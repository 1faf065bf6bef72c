"""The only wiring: stores and providers -> services."""

from contextlib import AsyncExitStack
from functools import partial

from medai.access.keys import ApiKeys
from medai.analysis.old_files import OldAnalyses
from medai.analysis.recommendations.service import RecommendationService
from medai.analysis.repository import AnalysisRepository
from medai.analysis.service import AnalysisService
from medai.bootstrap.application import Application
from medai.bootstrap.ground import Ground
from medai.bootstrap.notices import digests
from medai.bootstrap.providers import Providers
from medai.calls.listing import CallListing
from medai.calls.period_status import PeriodStatuses
from medai.clinics.settings import SettingChanges
from medai.crm.event_log import EventLog
from medai.crm.lookups import CardLookups
from medai.crm.registration import ClinicRegistration
from medai.datalens.postgres_exporter import PostgresExporter
from medai.infra.job_figures import has_worker
from medai.infra.log_files import LogFiles
from medai.infra.readiness import Readiness
from medai.limits.changes import LimitChanges
from medai.limits.service import LimitService
from medai.members.invitations import Invitations
from medai.members.log import MemberLog
from medai.members.repository import Members
from medai.processing.abandoned_minutes import AbandonedMinutes
from medai.processing.attribution import Attributor
from medai.processing.bulk import BulkSyncs
from medai.processing.crm_access import CrmAccess
from medai.processing.crm_checks import CrmChecks
from medai.processing.events_export import EventsExport
from medai.processing.exports import Exports
from medai.processing.figures import Figures
from medai.processing.held import HeldWork
from medai.processing.link_repair import LinkRepair
from medai.processing.links import SignedLinks
from medai.processing.measured import measured
from medai.processing.note_recordings import NoteRecordings
from medai.processing.own_recordings import OwnRecordings
from medai.processing.period_conclusions import PeriodConclusions
from medai.processing.person_requests import PersonRequests
from medai.processing.pipeline import CallPipeline, PipelineParts
from medai.processing.reattribution import Reattribution
from medai.processing.requests import WorkRequests
from medai.processing.rescoring import BookingRescore
from medai.processing.retention import KeepDays, Retention
from medai.processing.run_book import RunBook
from medai.processing.run_phases import RunPhases
from medai.processing.schedule.begin import Schedule
from medai.processing.schedule.memory import ScheduleMemory
from medai.processing.seats import SeatParts, Seats
from medai.processing.shift_changes import ShiftChanges
from medai.processing.single_analysis import SingleAnalysis
from medai.processing.sliced_sync import SlicedSync
from medai.processing.steps import StepParts, Steps
from medai.processing.stops import STOPS, Stops
from medai.processing.sweeps import Sweeps
from medai.processing.syncs import Syncs
from medai.processing.token_keeper import TokenKeeper
from medai.processing.transcript_files import TranscriptFiles
from medai.processing.trial_recordings import TrialRecordings
from medai.processing.waiting import Waiting
from medai.reports.renderer import ReportRenderer
from medai.reports.service import ReportService
from medai.staff.schedule import WorkSchedule
from medai.transcription.balance import SpeechAccount
from medai.transcription.paid_once import lease_for
from medai.transcription.repository import TranscriptRepository
from medai.transcription.service import TranscriptionService


def wired(ground: Ground, providers: Providers, resources: AsyncExitStack) -> Application:
    """Every service over the stores and providers; `resources` closes what some of them open."""
    settings, clock = ground.settings, ground.clock
    stores, documents, files = ground.stores, ground.stores.documents, ground.stores.files
    clinics, calls, staff = ground.clinics, ground.calls, ground.staff
    runs, jobs, accounts = ground.runs, ground.jobs, providers.accounts
    export_days, conclusions = ground.export_days, ground.conclusions

    member_log = MemberLog(documents)
    members = Members(documents, clinics, member_log, clock)
    limits, stops = LimitService(clinics, clock), Stops(documents, clock)
    sweeps = Sweeps(calls, jobs, stops, clock)
    requests = WorkRequests(calls, jobs, clock)
    links = SignedLinks(settings.public_api_url, ground.signer)
    transcription = _transcription(ground, providers)
    analysis = AnalysisService(providers.model, AnalysisRepository(documents), clock)
    recommendations = RecommendationService(
        providers.model, conclusions, calls, ground.locks.hold, clock
    )
    attributor = Attributor(staff, analysis)
    rescore = BookingRescore(calls, clinics, analysis)
    steps = Steps(
        StepParts(
            calls=calls,
            clinics=clinics,
            limits=limits,
            files=files,
            recordings=providers.recordings,
            transcription=transcription,
            analysis=analysis,
            attributor=attributor,
            accounts=accounts,
            effects=ground.ledger,
            speech_slots=providers.speech_slots,
            clock=clock,
        )
    )
    parts = PipelineParts(calls, limits, export_days, rescore, jobs, stops, sweeps, clock)
    pipeline = CallPipeline(parts, measured(steps.actions()))

    registration = ClinicRegistration(clinics, staff, accounts, ground.cipher, clock)
    lookups = CardLookups(accounts)
    checks = CrmChecks(clinics, calls, accounts, files)
    held = HeldWork(calls, transcription, ground.ledger, requests, clock)
    book = RunBook(runs, requests, jobs, clock)
    exporter = PostgresExporter(stores.pool)
    exports = Exports(calls, export_days, conclusions, clinics, exporter, links, clock)
    asked = PersonRequests(runs, requests, stops, jobs, exports)
    reattribution = Reattribution(clinics, calls, transcription, attributor, export_days)
    work_schedule = WorkSchedule(staff, clock)
    single_analysis = SingleAnalysis(calls, jobs, stops, clock)
    own = OwnRecordings(registration, calls, files, clock)
    syncs = Syncs(
        clinics=clinics,
        calls=calls,
        accounts=accounts,
        export_days=export_days,
        rescore=rescore,
        runs=runs,
        locks=ground.locks,
        clock=clock,
    )
    waiting = Waiting(
        runs,
        partial(has_worker, stores.pool),
        clock,
        longest_seconds=settings.api_longest_wait_seconds,
    )
    bulk = BulkSyncs(
        clinics=clinics,
        calls=calls,
        accounts=accounts,
        asked=asked,
        waiting=waiting,
        clock=clock,
    )
    transcript_files = TranscriptFiles(calls, clinics, TranscriptRepository(documents), links)
    renderer = ReportRenderer()
    resources.push_async_callback(renderer.close)
    reports = ReportService(
        calls,
        clinics,
        files,
        renderer,
        links,
        clock,
        analyses=AnalysisRepository(documents),
        conclusions=recommendations,
    )
    return Application(
        settings=settings,
        clock=clock,
        api_key=ground.api_key,
        keys=ApiKeys(documents, clinics, ground.api_key, clock),
        access_log=ground.access_log,
        members=members,
        invitations=Invitations(documents, clinics, members, member_log, clock),
        member_log=member_log,
        engine=ground.engine,
        pool=stores.pool,
        documents=documents,
        files=files,
        signer=ground.signer,
        clinics=clinics,
        calls=calls,
        call_listing=CallListing(calls),
        period_statuses=PeriodStatuses(calls, clock),
        staff=staff,
        limits=limits,
        ledger=ground.ledger,
        limit_changes=LimitChanges(clinics, requests, clock),
        abandoned_minutes=AbandonedMinutes(calls, limits, clock),
        accounts=accounts,
        registration=registration,
        card_lookups=lookups,
        event_log=EventLog(accounts, calls),
        note_recordings=NoteRecordings(lookups, calls, files, providers.recordings, links),
        crm_checks=checks,
        transcription=transcription,
        transcript_files=transcript_files,
        links=links,
        analysis=analysis,
        old_analyses=OldAnalyses(documents),
        recommendations=recommendations,
        pipeline=pipeline,
        requests=requests,
        held=held,
        stops=stops,
        sweeps=sweeps,
        runs=runs,
        run_book=book,
        asked=asked,
        setting_changes=SettingChanges(clinics),
        crm_access=CrmAccess(registration, stops),
        work_schedule=work_schedule,
        shift_changes=ShiftChanges(work_schedule, clinics, reattribution, asked, clock),
        speech_account=SpeechAccount(providers.speech_account),
        log_files=LogFiles(settings.data_dir),
        bulk=bulk,
        events_export=EventsExport(
            clinics=clinics, calls=calls, accounts=accounts, runs=runs, asked=asked, clock=clock
        ),
        phases=RunPhases(
            clinics=clinics,
            runs=runs,
            book=book,
            syncs=SlicedSync(syncs=syncs, runs=runs, calls=calls, clinics=clinics, clock=clock),
            accounts=accounts,
            links=LinkRepair(clinics, calls, accounts, requests, clock),
            checks=checks,
            requests=requests,
            exports=exports,
            recommendations=recommendations,
            reattribution=reattribution,
            stops=stops,
            sweeps=sweeps,
            clock=clock,
        ),
        schedule=Schedule(
            clinics=clinics,
            memory=ScheduleMemory(documents, clock),
            runs=runs,
            book=book,
            jobs=jobs,
            clock=clock,
            night_hour=settings.medai_night_hour,
            poll_minutes=settings.medai_poll_minutes,
        ),
        token_keeper=TokenKeeper(clinics, accounts, stops),
        reattribution=reattribution,
        retention=_retention(ground),
        syncs=syncs,
        exports=exports,
        reports=reports,
        digests=digests(ground, members, reports, stops),
        own_recordings=own,
        single_analysis=single_analysis,
        period_conclusions=PeriodConclusions(clinics, calls, recommendations, jobs),
        trials=TrialRecordings(
            own,
            requests,
            single_analysis,
            stops,
            clock,
            most_megabytes=settings.recordings_max_megabytes,
        ),
        seats=Seats(
            SeatParts(
                calls=calls,
                clinics=clinics,
                files=files,
                links=links,
                bulk=bulk,
                asked=asked,
                single_analysis=single_analysis,
                analysis=analysis,
                transcript_files=transcript_files,
                reports=reports,
                access_log=ground.access_log,
                clock=clock,
            )
        ),
        jobs=jobs,
        figures=Figures(stores.pool, calls, limits, stops, held, clock),
        readiness=Readiness(stores.pool, documents, STOPS),
    )


def _transcription(ground: Ground, providers: Providers) -> TranscriptionService:
    settings = ground.settings
    return TranscriptionService(
        ground.stores.documents,
        ground.stores.files,
        providers.speech,
        ground.ledger,
        ground.clock,
        repeats_after_lost_answer=settings.stt_repeats_after_lost_answer,
        lease=lease_for(settings.elevenlabs_timeout_seconds),
    )


def _retention(ground: Ground) -> Retention:
    settings = ground.settings
    keep = KeepDays(
        jobs=settings.medai_keep_jobs_days,
        runs=settings.medai_keep_runs_days,
        audio=settings.medai_keep_audio_days,
        reports=settings.medai_keep_reports_days,
        access_log=settings.medai_keep_access_log_days,
    )
    return Retention(
        keep,
        pool=ground.stores.pool,
        runs=ground.runs,
        files=ground.stores.files,
        calls=ground.calls,
        access_log=ground.access_log,
        clock=ground.clock,
    )
