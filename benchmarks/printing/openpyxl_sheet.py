"""The sheet of recommendations by openpyxl: openpyxl_sheet.py ROWS_JSON."""

import io
import json
import sys
import time
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from printing.cost import tell

_TRANSCRIPT, _RECORDING, _TEXTS, _SECONDS, _SCORE = 3, 4, 5, 8, 9
_MAX_LINKS = 65_530


def main() -> None:
    rows = json.loads(Path(sys.argv[1]).read_text())
    began = time.perf_counter()
    made = _written(rows)
    tell(made, time.perf_counter() - began)


def _written(rows: list[list[str | float]]) -> bytes:
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("openpyxl gave a book without a sheet")
    head, *body = rows
    sheet.append(head)
    left = _MAX_LINKS
    blue, wrapped = Font(color="0563C1", underline="single"), Alignment(wrap_text=True)
    for number, row in enumerate(body, start=2):
        sheet.append(row)
        for column in (_TRANSCRIPT, _RECORDING):
            if left > 0:
                cell = sheet.cell(number, column)
                cell.hyperlink, cell.value, cell.font = str(cell.value), "открыть", blue
                left -= 1
        sheet.cell(number, _TEXTS).alignment = wrapped
        sheet.cell(number, _SECONDS).number_format = "[m]:ss"
        sheet.cell(number, _SCORE).number_format = "0.0"
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


if __name__ == "__main__":
    main()
