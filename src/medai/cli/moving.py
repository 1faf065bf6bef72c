"""Commands that carry an installation's data to another store, or keep a copy of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from medai.bootstrap.transfer import Transfer, open_transfer
from medai.bot.collections import BOT_COLLECTIONS
from medai.cli.running import console, errors, guarded, read_settings, run_terminable
from medai.infra.logging import configure_from
from medai.processing.transfer.manifest import Manifest

_REPEAT = " Повторите ту же команду: она начнёт заново или продолжит."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export-data")(export_data)
    app.command("import-data")(import_data)


def export_data(
    file: Annotated[Path, typer.Argument(help="архив, который будет записан")],
    files: Annotated[
        bool, typer.Option("--files", help="и записи разговоров, ответы сервисов, отчёты")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="не останавливая службу: копия на ходу, не для переноса")
    ] = False,
) -> None:
    """Записать все документы и журнал расходов в один архив и проверить его чтением.

    Внутри слова пациентов: файл открывается только владельцу. Ключей шифрования в нём нет.
    """

    async def work(transfer: Transfer) -> None:
        made = await transfer.packing.pack(file, files=files, live=live, said=_said)
        if made.cleaned:
            _say(f"символы, которых хранилища не держат, заменены в документах: {made.cleaned}")
        if made.live:
            _say("служба работала: для переноса остановите её и повторите без --live")
        _say(f"строк журнала расходов: {made.ledger.lines}")
        _say(f"архив записан и проверен: {file}, отпечаток ключей {made.keys}")

    _with_transfer(work)


def import_data(
    file: Annotated[Path, typer.Argument(help="архив medai export-data")],
    replace: Annotated[
        bool, typer.Option("--replace", help="удалить документы, которые есть здесь сейчас")
    ] = False,
) -> None:
    """Проверить архив, записать его в пустое хранилище и сравнить записанное с ним.

    Прерванная команда повторяется с тем же архивом; служба до этого не запускается.
    """

    async def work(transfer: Transfer) -> None:
        told = await transfer.unpacking.unpack(file, replace=replace, said=_said)
        _say(f"строк журнала расходов: {told.ledger.lines}")
        _say("архив перенесён, записанное совпадает с ним; задания служба поставит сама")
        _say("таблицы DataLens заполнит medai export --full")
        _tell_gaps(told, transfer.installation.keys)

    _with_transfer(work)


def _tell_gaps(told: Manifest, keys: str) -> None:
    if told.files is None:
        _say("файлов в архиве нет: они остаются в MEDAI_DATA_DIR/files или MEDAI_FILES_URL")
    if told.keys != keys:
        errors.print(
            f"Архив сделан с другими ключами (отпечаток {told.keys}, здесь {keys}): верните"
            " прежний MEDAI_SECRET или MEDAI_DATA_DIR/keys, иначе CRM придётся подключить заново"
        )


def _with_transfer(work: Callable[[Transfer], Awaitable[None]]) -> None:
    async def opened() -> None:
        settings = read_settings(medai_schedules=False)
        level = "ERROR" if settings.log_level == "INFO" else settings.log_level
        configure_from(settings, level=level)
        async with open_transfer(settings, BOT_COLLECTIONS) as transfer:
            await work(transfer)

    guarded(lambda: run_terminable(opened), rest=_REPEAT)


def _said(name: str, count: int) -> None:
    if count:
        _say(f"{name}: {count}")


def _say(line: str) -> None:
    console.print(line, soft_wrap=True, markup=False)
