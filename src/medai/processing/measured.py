"""Steps of calls as their watchers see them: timed, counted, with their ids in each log line."""

from medai.calls.models import Call, Step
from medai.infra.logging import context
from medai.infra.measures import step_attempt
from medai.processing.pipeline import Facts, StepAction


def measured(actions: dict[Step, StepAction]) -> dict[Step, StepAction]:
    """The same actions, measured."""
    return {step: _measured(step, action) for step, action in actions.items()}


def _measured(step: Step, action: StepAction) -> StepAction:
    async def run(call: Call) -> Facts:
        ids = {"call_id": call.id, "client_id": call.client_id, "step": step.value}
        with context(**ids), step_attempt(step.value):
            return await action(call)

    return run
