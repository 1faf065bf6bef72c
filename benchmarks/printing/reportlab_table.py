"""The table of recommendations by ReportLab: reportlab_table.py TABLES_JSON FONT.

Runs under the peer's own interpreter, which has ReportLab and not our product.
"""

import importlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from printing.cost import tell

_MM = 72 / 25.4
_WIDTHS = (104, 40, 298, 62)


def main() -> None:
    tables, font = sys.argv[1:]
    people = json.loads(Path(tables).read_text())
    began = time.perf_counter()
    made = _written(people, font)
    tell(made, time.perf_counter() - began)


def _written(people: list[dict[str, Any]], font: str) -> bytes:
    platypus = importlib.import_module("reportlab.platypus")
    metrics = importlib.import_module("reportlab.pdfbase.pdfmetrics")
    fonts = importlib.import_module("reportlab.pdfbase.ttfonts")
    styles = importlib.import_module("reportlab.lib.styles")
    metrics.registerFont(fonts.TTFont("Inter", font))
    style = styles.ParagraphStyle("cell", fontName="Inter", fontSize=8, leading=10.5)
    bullet = styles.ParagraphStyle("bullet", parent=style, leftIndent=7.5, firstLineIndent=-7.5)
    target = io.BytesIO()
    page = platypus.SimpleDocTemplate(
        target, pagesize=(210 * _MM, 297 * _MM),
        leftMargin=16 * _MM, rightMargin=16 * _MM, topMargin=24 * _MM, bottomMargin=18 * _MM,
    )  # fmt: skip
    page.build([_table(platypus, person, style, bullet) for person in people])
    return target.getvalue()


def _table(platypus: Any, person: dict[str, Any], style: Any, bullet: Any) -> Any:
    def text(words: str) -> Any:
        return platypus.Paragraph(words, style)

    head = [text(f"<b>{escape(person['name'])}</b>"), "", "", ""]
    titles = [text(title) for title in ("Звонок", "Оценка", "Рекомендации", "Открыть")]
    rows = [
        [
            text(f"{call['at']}<br/>{escape(call['about'])}<br/>{call['length']}"),
            text(call["score"]),
            [platypus.Paragraph(f"• {escape(one)}", bullet) for one in call["texts"]],
            text(
                f"<a href={quoteattr(call['transcript'])}>Расшифровка</a><br/>"
                f"<a href={quoteattr(call['recording'])}>Запись</a>"
            ),
        ]
        for call in person["calls"]
    ]
    looks = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("SPAN", (0, 0), (-1, 0)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, "#e2e8f0"),
    ]
    table = platypus.Table([head, titles, *rows], colWidths=_WIDTHS, repeatRows=2)
    table.setStyle(platypus.TableStyle(looks))
    return table


if __name__ == "__main__":
    main()
