"""One rendering by the product in a process of its own: ours.py pdf|excel PICKLE."""

import importlib
import pickle
import sys
import time
from pathlib import Path

from printing.cost import tell

_RENDER = {
    "pdf": ("medai.reports.pdf", "render_pdf"),
    "excel": ("medai.reports.excel", "render_packed_excel"),
}
"""Only the one asked for is imported, as in the product's rendering process."""


def main() -> None:
    kind, source = sys.argv[1:]
    module, name = _RENDER[kind]
    render = getattr(importlib.import_module(module), name)
    content = pickle.loads(Path(source).read_bytes())  # noqa: S301  # written by the parent
    began = time.perf_counter()
    tell(render(content), time.perf_counter() - began)


if __name__ == "__main__":
    main()
