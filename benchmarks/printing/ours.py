"""One rendering by the product in a process of its own: ours.py pdf|excel PICKLE."""

import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medai.reports.excel import render_packed_excel
from medai.reports.pdf import render_pdf
from printing.cost import tell

_RENDER: dict[str, Callable[[Any], bytes]] = {"pdf": render_pdf, "excel": render_packed_excel}


def main() -> None:
    kind, source = sys.argv[1:]
    content = pickle.loads(Path(source).read_bytes())  # noqa: S301  # written by the parent
    began = time.perf_counter()
    tell(_RENDER[kind](content), time.perf_counter() - began)


if __name__ == "__main__":
    main()
