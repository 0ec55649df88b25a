"""What the ribbon's buttons do, one function a button, on the workbook that is open in Excel.

Every click ends in one of three ways: it is done, one plain sentence says why not, or one says that xlfunnel itself
failed and where the log is. Nothing is written before everything that can fail on the way has succeeded, and what a
click overwrites is kept for `restore_last`. The workbook's path is never needed: it may be a web address.
"""

from dataclasses import replace
from os import fspath
from pathlib import Path

from xlfunnel import app, consolidate, doctor, log, split
from xlfunnel.analysis import analyse
from xlfunnel.click import Click, button, help_button
from xlfunnel.crm import read_sources
from xlfunnel.errors import WorkbookError
from xlfunnel.excel import snapshot
from xlfunnel.excel.carried import carried_shown
from xlfunnel.manifest import MANIFEST
from xlfunnel.pages import PAGES
from xlfunnel.pages.phrases import Phrases
from xlfunnel.paths import guide


@button
def refresh(click: Click) -> None:
    """Data and Settings of the open workbook → its result sheets."""
    chosen = click.settings()
    intake = click.data(chosen)
    click.step("analyse")
    sheet = click.live.table("tbl_data").sheet
    carried, entered = carried_shown(click.live), click.entered()
    click.fill(app.analyse_again(intake, chosen, sheet, carried, entered), with_data=False)


@button
def import_export(click: Click, picked: str | None = None) -> None:
    """CRM exports → the Data sheet and the results, after asking if something is refused or assumed.

    picked  a folder and the names of files in it, parted by |, or one path; None does nothing
    """
    if picked is None:
        return
    first, *names = fspath(picked).split("|")
    chosen = click.settings()
    click.step("read")
    intake = read_sources([Path(first, n) for n in names] or [Path(first)], chosen, as_of=chosen.as_of)
    if not click.wanted(intake, chosen):
        return
    click.step("analyse")
    click.fill(analyse(intake, chosen, entered=click.entered()), with_data=True)
    click.tell(click.accounted("imported", intake, chosen))


@button
def check_data(click: Click) -> None:
    """What a refresh would make of every row of the Data sheet, in a few lines. Writes nothing."""
    chosen = click.settings()
    click.tell(click.accounted("checked", click.data(chosen), chosen))


@button
def load_sample(click: Click) -> None:
    """The bundled sample → the open workbook, after asking if there are data already."""
    if click.live.rows("tbl_data") and not click.agreed("macros.replace_data"):
        return
    click.step("settings")
    files, chosen = app.sample(click.say.language)
    click.step("read")
    intake = app.check(files, chosen)
    click.step("analyse")
    click.fill(analyse(intake, chosen, entered=click.entered()), with_data=True)


@button
def restore_last(click: Click) -> None:
    """What the last click overwrote → back where it was. Once more, and it is as before."""
    report = snapshot.kept(click.snapshot_path)
    if report is None:
        raise WorkbookError("macros.nothing_kept")
    click.write(report)
    click.tell(click.say("macros.restored"))


@button
def export_pdf(click: Click) -> None:
    """The result sheets as they print → a PDF beside the workbook, or among the user's documents."""
    book, path = click.live.book, click.new_file(".pdf")
    results = [p.slots[0].name for p in PAGES if p.slots and not p.input]
    in_front = book.sheets.active
    click.show("macros.step.pdf")
    book.to_pdf(str(path), include=[click.live.cell_of(name)[0] for name in results])
    in_front.activate()
    click.tell(click.say("macros.pdf_written", path=path))


@button
def split_regions(click: Click) -> None:
    """Data and Settings of the open workbook → a folder with a workbook a region, beside it."""
    chosen = click.settings()
    intake = click.data(chosen)
    folder = click.new_file(f" {click.say('macros.regions')}")
    click.show("macros.step.split")
    made = split.split(intake, chosen, folder, entered=click.entered())
    click.tell(click.say("macros.split_written", n=len(made.regions), path=folder))


@button
def consolidate_regions(click: Click, picked: str | None = None) -> None:
    """Workbooks that came back from the regions → the open workbook of headquarters, with what was typed into them.

    picked  a folder and the names of files in it, parted by |; None does nothing. A manifest that lies there is used
    """
    if picked is None:
        return
    folder, *names = picked.split("|")
    manifest = Path(folder) / MANIFEST
    # A book that holds data has settings of headquarters; its day is that of last time.
    own = replace(click.settings(), as_of=None) if click.live.rows("tbl_data") else None
    click.step("read")
    made = consolidate.gathered(
        [Path(folder) / name for name in names],
        manifest_path=manifest if manifest.exists() else None,
        chosen=own,
        language=click.say.language,
    )
    say = Phrases(made.settings)
    if made.intake is None:
        click.tell(consolidate.account(made, say))
        return
    if not made.is_whole and not click.agreed("macros.consolidate_partial", account=consolidate.account(made, say)):
        return
    click.step("analyse")
    _, report = consolidate.reported(made.with_own(click.entered()))
    click.step("report")
    click.write(report)
    click.tell(consolidate.account(made, say))


@button
def rep_cards(click: Click) -> None:
    """The rep card to the front: whose, is chosen on it."""
    click.go_to("tbl_cards")


@button
def show_settings(click: Click) -> None:
    """The sheet of settings to the front."""
    click.go_to("tbl_stages")


@help_button
def diagnose(click: Click) -> None:
    """Whether everything that buttons and worksheet functions need is in its place, a line a finding."""
    click.show("macros.step.diagnose")
    click.tell("\n".join(doctor.sentences(doctor.diagnose(), click.say)))


@help_button
def show_log(click: Click) -> None:
    """The log, in whatever program opens texts."""
    click.open(log.log_path())


@help_button
def show_guide(click: Click) -> None:
    """The user guide, in the workbook's language."""
    click.open(guide(click.say.language, log.state_folder()))
