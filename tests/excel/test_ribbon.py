"""The ribbon: valid, complete in both languages, and each macro it names is one line of VBA that says what it runs."""

import re
from pathlib import Path

import pytest
from lxml import etree

from xlfunnel.excel import ribbon
from xlfunnel.excel.ribbon import BUTTONS, GROUPS, NAMESPACE, label_rows, ribbon_xml
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

WORKBOOK = Path(__file__).resolve().parents[2] / "workbook"
VBA = WORKBOOK / "vba"
N = f"{{{NAMESPACE}}}"
ONE_LINE = re.compile(r"^Public Sub (\w+)\((.*?)\): (.+): End Sub$", re.M)

# The names of Office's images that are used, each looked up in a list of those that Office ships. A new icon is looked
# up before it is added here: Excel shows an empty square for a name it does not know.
ICONS = {
    "AddressBook", "AdvancedFileProperties", "Consolidate", "ControlProperties", "ErrorChecking", "FileSaveAsPdfOrXps",
    "FileSendAsAttachment", "GetExternalDataFromText", "Help", "OfficeDiagnostics", "RefreshAll", "TableInsertExcel",
    "Undo",
}  # fmt: skip

TARGETS = {
    "import": "import_export", "check": "check_data", "sample": "load_sample", "refresh": "refresh",
    "reps": "rep_cards", "restore": "restore_last", "pdf": "export_pdf", "split": "split_regions",
    "consolidate": "consolidate_regions",
    "settings": "show_settings", "diagnose": "diagnose", "log": "show_log", "guide": "show_guide",
}  # fmt: skip


def controls(language: str | None, kind: str) -> list[etree._Element]:
    return list(etree.fromstring(ribbon_xml(language)).iter(f"{N}{kind}"))


def macros(file: str) -> dict[str, tuple[str, str]]:
    """Macro -> (parameters, the line it runs)."""
    return {name: (params, line) for name, params, line in ONE_LINE.findall((VBA / file).read_text("ascii"))}


@pytest.mark.parametrize("language", [*LANGUAGES, None])
def test_the_xml_is_valid(language: str | None, shared: Path) -> None:
    schema = etree.XMLSchema(etree.parse(shared / "schemas" / "customui14.xsd"))
    schema.assertValid(etree.fromstring(ribbon_xml(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_button_has_its_words(language: str) -> None:
    say = words(language)
    assert controls(language, "tab")[0].get("label") == say("ribbon.tab")
    assert [g.get("label") for g in controls(language, "group")] == [say(f"ribbon.group.{key}") for key in GROUPS]
    for button, control in zip(BUTTONS, controls(language, "button"), strict=True):
        for part, most in (("label", 24), ("screentip", 60), ("supertip", 240)):
            text = control.get(part)
            assert text == say(f"ribbon.{part}.{button.key}")
            assert 0 < len(text) <= most, (button.key, part)
        assert control.get("screentip") != control.get("label")


def test_the_tab_is_named_as_promised() -> None:
    assert [words(lang)("ribbon.tab") for lang in LANGUAGES] == ["漏斗体检", "Funnel check"]


def test_icons_exist() -> None:
    assert {b.icon for b in BUTTONS} == ICONS


def test_keytips_lead_to_one_button_each() -> None:
    tips = [b.keytip for b in BUTTONS]
    assert all(re.fullmatch("[A-Z0-9]{1,3}", t) for t in (*tips, ribbon.TAB_KEYTIP))
    assert not [(a, b) for i, a in enumerate(tips) for j, b in enumerate(tips) if i != j and b.startswith(a)]


def test_ids_are_unique() -> None:
    for language in (*LANGUAGES, None):
        ids = [e.get("id") for e in etree.fromstring(ribbon_xml(language)).iter() if e.get("id")]
        assert len(set(ids)) == len(ids) == 1 + len(GROUPS) + len(BUTTONS)


@pytest.mark.parametrize(
    ("language", "file"), [("zh-CN", "XlfunnelRibbon.bas"), ("en", "XlfunnelRibbon.bas"), (None, "XlfunnelAddin.bas")]
)
def test_every_macro_of_the_xml_exists_and_none_is_idle(language: str | None, file: str) -> None:
    named = {
        value
        for element in etree.fromstring(ribbon_xml(language)).iter()
        for name, value in element.attrib.items()
        if name.startswith(("on", "get"))
    }
    assert named == set(macros(file))


SIGNATURES = {
    "OnLoad": "ribbon As IRibbonUI",
    "BookEnabled": "control As IRibbonControl, ByRef enabled",
    "HelpEnabled": "control As IRibbonControl, ByRef enabled",
    "Visible": "control As IRibbonControl, ByRef visible",
    "Label": "control As IRibbonControl, ByRef text",
    "Screentip": "control As IRibbonControl, ByRef text",
    "Supertip": "control As IRibbonControl, ByRef text",
}


@pytest.mark.parametrize("file", ["XlfunnelRibbon.bas", "XlfunnelAddin.bas"])
def test_macros_have_the_parameters_that_office_passes(file: str) -> None:
    for name, (params, _) in macros(file).items():
        assert params == SIGNATURES.get(name[3:], "control As IRibbonControl"), name


@pytest.mark.parametrize(("prefix", "file"), [("Xlf", "XlfunnelRibbon.bas"), ("Xla", "XlfunnelAddin.bas")])
def test_each_button_runs_its_target_in_one_line(prefix: str, file: str) -> None:
    lines = {key: macros(file)[f"{prefix}{key.capitalize()}"][1] for key in TARGETS}
    assert {b.key for b in BUTTONS} == set(TARGETS)
    for key, target in TARGETS.items():
        runners = {"import": "XlfRunOnFile", "consolidate": "XlfRunOnFiles", "diagnose": "XlfRunAlone"}
        runner = runners.get(key, "XlfRun")
        given = f'"{target}"' if key in ("import", "consolidate") else f'"{target}()"'
        assert lines[key] == f"{runner} {given}"


def test_help_is_there_in_any_workbook_and_the_rest_in_ours_only() -> None:
    for control in controls("en", "button"):
        anywhere = control.get("id") in ("xlf_diagnose", "xlf_log", "xlf_guide")
        assert control.get("getEnabled") == ("XlfHelpEnabled" if anywhere else "XlfBookEnabled")


def test_the_sheet_of_words_answers_every_question_of_the_addin() -> None:
    rows = {key: (chinese, english) for key, chinese, english in label_rows(None)}
    asked = {
        f"{e.get('id')}.{name.removeprefix('get').lower()}"
        for e in etree.fromstring(ribbon_xml(None)).iter()
        for name in e.attrib
        if name in ("getLabel", "getScreentip", "getSupertip")
    }
    assert asked | {"no_python"} == set(rows)
    zh, en = (words(lang) for lang in LANGUAGES)
    assert rows["xlf_refresh.label"] == (zh("ribbon.label.refresh"), en("ribbon.label.refresh"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_a_workbook_both_columns_are_in_its_language(language: str) -> None:
    assert all(chinese == english for _, chinese, english in label_rows(language))
    assert {k: e for k, _, e in label_rows(language)}["no_python"] == words(language)("ribbon.no_python")


def test_committed_xml_is_the_built_one() -> None:
    for language in (*LANGUAGES, None):
        path = WORKBOOK / "ribbon" / f"customUI14.{language or 'addin'}.xml"
        assert path.read_bytes() == ribbon_xml(language), "run: make template"
