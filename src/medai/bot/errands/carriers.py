"""Which errand is carried out by what."""

from medai.bot.errands import calls, report
from medai.bot.errands.ledger import ErrandKind
from medai.bot.errands.runner import Carriers

CARRIERS: Carriers = {
    ErrandKind.DAY: calls.read_day,
    ErrandKind.TRANSCRIPT: calls.transcribe,
    ErrandKind.ANALYSIS: calls.analyse,
    ErrandKind.REPORT: report.make_report,
}
