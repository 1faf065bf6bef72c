"""Type 5: nothing to judge."""

from medai.sandbox.world.phrases import other as phrases
from medai.sandbox.world.scenes.common import Course
from medai.sandbox.world.script import Script


def play(script: Script, course: Course) -> None:
    """A wrong number, a courier, a lost connection: short and without scores."""
    greetings = phrases.GREETINGS_NAMED if course.introduces else phrases.GREETINGS_PLAIN
    greeting = script.rng.choice(greetings).format_map(script.facts)
    script.facts = {**script.facts, "greeting": greeting}
    script.say(phrases.SCENES)
