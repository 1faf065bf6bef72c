"""Russian given names: every everyday form leads to the full name on the schedule."""

_DIMINUTIVES: dict[str, tuple[str, ...]] = {
    "александр": ("саша", "шура", "саня"),
    "александра": ("саша", "шура", "аля"),
    "алексей": ("леша", "алеша"),
    "алина": ("аля", "алиночка"),
    "анастасия": ("настя", "ася"),
    "андрей": ("андрюша",),
    "анна": ("аня", "анюта", "нюра"),
    "валентина": ("валя",),
    "валерия": ("лера",),
    "виктория": ("вика",),
    "галина": ("галя",),
    "дарья": ("даша",),
    "дмитрий": ("дима", "митя"),
    "евгений": ("женя",),
    "евгения": ("женя",),
    "екатерина": ("катя", "катюша"),
    "елена": ("лена", "алена"),
    "елизавета": ("лиза",),
    "иван": ("ваня",),
    "ирина": ("ира",),
    "ксения": ("ксюша",),
    "людмила": ("люда", "мила"),
    "маргарита": ("рита",),
    "мария": ("маша", "маруся"),
    "михаил": ("миша",),
    "надежда": ("надя",),
    "наталья": ("наташа", "наталия"),
    "николай": ("коля",),
    "ольга": ("оля",),
    "полина": ("поля",),
    "светлана": ("света",),
    "сергей": ("сережа",),
    "софья": ("соня", "софия"),
    "татьяна": ("таня",),
    "юлия": ("юля",),
}


def normalised(name: str) -> str:
    """Lower case, ё as е, single spaces."""
    return " ".join(name.lower().replace("ё", "е").split())


def same_first_name(one: str, other: str) -> bool:
    """Whether two given names may belong to one person: equal, or one is a form of the other."""
    left, right = normalised(one), normalised(other)
    return left == right or bool(_full_names(left) & _full_names(right))


def _full_names(name: str) -> set[str]:
    return {full for full, forms in _DIMINUTIVES.items() if name == full or name in forms}
