"""Region workbooks: totals that add up, nothing of anybody else's inside, and a folder that is whole or not there."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import msoffcrypto
import pandas as pd
import pytest
from msoffcrypto.exceptions import InvalidKeyError
from pandas.testing import assert_frame_equal

from xlfunnel import app, settings
from xlfunnel.crm import Intake, Source, read_sources
from xlfunnel.errors import InputError, UsageError, WorkbookError
from xlfunnel.excel import inputs
from xlfunnel.manifest import MANIFEST, Manifest, read_manifest, settings_sha256
from xlfunnel.settings import Settings
from xlfunnel.split import is_workbook, password_of, split, workbook_data

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "p 密码 x"
SCHEMA = json.loads((ROOT / "docs/manifest.schema.json").read_text("utf-8"))

OFFICES = """\
Opportunity ID,Region,Owner,Stage,Entered,Left,Went to,Amount
N-1,North,Ann,T0,2024-01-10,2024-02-15,T1,1000
N-1,North,Ann,T1,2024-02-15,,,1000
N-2,North,Bob,T0,2024-01-20,2024-03-01,Lost,500.25
S-1,South,Cid,T0,2024-02-03,2024-03-05,T3,700
S-1,South,Cid,T3,2024-03-05,,,700
M-1,North,Ann,T0,2024-01-05,2024-02-05,T2,40
M-1,South,Dot,T2,2024-02-05,,,40
X-1,,Eve,T1,2024-03-20,,,9.5
S-9,South,Cid,Limbo,2024-03-05,,,1
"""


@pytest.fixture
def offices(tmp_path: Path) -> Intake:
    path = tmp_path / "North and South.csv"
    path.write_text(OFFICES, "utf-8")
    return read_sources([path], Settings(language="en"))


class Maven:
    """8,800 opportunities of 35 reps in three offices, and the folder they were split into."""

    def __init__(self, shared: Path, folder: Path) -> None:
        source = shared / "data/maven_crm"
        self.settings = settings.load(ROOT / "docs/examples/maven.toml")
        self.files = app.Inputs([source / "sales_pipeline.csv"], owners=source / "sales_teams.csv")
        self.intake = app.check(self.files, self.settings)
        self.folder = folder / "offices"
        self.manifest = split(self.intake, self.settings, self.folder)

    def names(self, region: str) -> set[str]:
        """The region's name, and the owners and ids that are its own alone."""
        visits = self.intake.visits
        mine, others = visits[visits["region"] == region], visits[visits["region"] != region]
        own = {c: set(mine[c]) - set(others[c]) for c in ("owner", "opportunity_id")}
        return {region} | own["owner"] | own["opportunity_id"]


@pytest.fixture(scope="module")
def maven(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Maven:
    return Maven(shared, tmp_path_factory.mktemp("maven"))


def leaks(workbook: bytes, names: Iterable[str]) -> set[str]:
    """Which of `names` stand anywhere in a workbook: in a part's name or bytes, in UTF-8 or UTF-16, XML or not.

    Compressed bytes are read unpacked only: as they are, any word of three letters stands in them sooner or later.
    """
    archive = zipfile.ZipFile(io.BytesIO(workbook))
    beside = (archive.comment, *(i.extra + i.comment for i in archive.infolist()))
    blobs = [*beside, *(archive.read(n) for n in archive.namelist()), "\n".join(archive.namelist()).encode()]
    text = "\n".join(blob.decode(code, "replace") for blob in blobs for code in ("utf-8", "utf-16-le", "utf-16-be"))
    text += "\n".join(blob[1:].decode(code, "replace") for blob in blobs for code in ("utf-16-le", "utf-16-be"))
    words = set(re.findall(r"[\w-]+", text))
    return {n for n in names if n in words or (not re.fullmatch(r"[\w-]+", n) and n in text)}


def visits_in(workbook: Path) -> pd.DataFrame:
    return read_sources([inputs.data_source(workbook)], inputs.read_settings(workbook)).visits


def sums(manifest: Manifest, what: Callable[[Any], Any]) -> Any:
    return sum(what(share.totals) for share in manifest.regions)


def test_three_offices_add_up_to_the_whole(maven: Maven) -> None:
    made = maven.manifest
    assert [s.region for s in made.regions] == ["Central", "East", "West"]
    assert made.totals.rows == made.totals.opportunities == 8800 - 500  # those without any date were refused
    assert made.totals.open == 1589  # "Engaging" rows of the file
    for what in (lambda t: t.rows, lambda t: t.opportunities, lambda t: t.open):
        assert sums(made, what) == what(made.totals)
    for stage, total in made.totals.stages.items():
        assert sums(made, lambda t, s=stage: t.stages[s]["count"]) == total["count"]
    ids = [set(visits_in(maven.folder / s.file)["opportunity_id"]) for s in made.regions]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 8300


def test_no_part_of_any_file_names_another_region(maven: Maven) -> None:
    for share in maven.manifest.regions:
        others = {n for s in maven.manifest.regions if s is not share for n in maven.names(s.region)}
        content = (maven.folder / share.file).read_bytes()
        assert len(others) > 5000
        assert leaks(content, others) == set()
        assert leaks(content, maven.names(share.region)) == maven.names(share.region)


def test_the_leak_scan_finds_what_is_there(maven: Maven, tmp_path: Path) -> None:
    app.report(maven.files, whole := tmp_path / "whole.xlsx", maven.settings)
    everybody = {n for s in maven.manifest.regions for n in maven.names(s.region)}
    assert leaks(whole.read_bytes(), everybody) == everybody
    with zipfile.ZipFile(odd := tmp_path / "odd.zip", "w") as archive:
        archive.writestr("a", b"x" + "Anna Snelling".encode("utf-16-le"))
    assert leaks(odd.read_bytes(), ["Anna Snelling", "Zane Levy"]) == {"Anna Snelling"}


def test_a_region_reads_its_own_visits_back_and_can_refresh(maven: Maven, tmp_path: Path) -> None:
    share = maven.manifest.regions[1]
    workbook = maven.folder / share.file
    assert_frame_equal(visits_in(workbook), maven.intake.of_region(share.region).visits)
    again = app.refresh(workbook, tmp_path / "again.xlsx")
    assert again.headline.open_count == share.totals.open
    assert (again.settings.region, again.settings.as_of) == ("East", date(2017, 12, 31))
    assert settings_sha256(again.settings) == maven.manifest.settings_sha256


def test_the_manifest_keeps_to_its_schema_and_knows_the_files(maven: Maven) -> None:
    text = (maven.folder / MANIFEST).read_text("utf-8")
    assert text == maven.manifest.text()
    assert read_manifest(maven.folder / MANIFEST) == maven.manifest
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert {p.name for p in maven.folder.iterdir()} == {MANIFEST, *(r["file"] for r in found["regions"])}
    for region in found["regions"]:
        assert sha256((maven.folder / region["file"]).read_bytes()).hexdigest() == region["sha256"]
    custom = zipfile.ZipFile(maven.folder / "East.xlsx").read("docProps/custom.xml").decode()
    assert f">{found['template_version']}<" in custom


def test_a_workbook_of_ours_is_split_like_the_export_it_was_made_of(maven: Maven, tmp_path: Path) -> None:
    app.report(maven.files, whole := tmp_path / "whole.xlsx", maven.settings)
    assert is_workbook(whole)
    again = split(*workbook_data(whole), tmp_path / "again")
    assert [(s.region, s.file, s.totals) for s in again.regions] == [
        (s.region, s.file, s.totals) for s in maven.manifest.regions
    ]
    assert again.totals == maven.manifest.totals
    assert again.settings_sha256 == maven.manifest.settings_sha256
    assert settings_sha256(replace(maven.settings, floor_t3=4)) != again.settings_sha256


def test_encrypted_workbooks_open_with_the_password_to_the_same_bytes(offices: Intake, tmp_path: Path) -> None:
    plain = split(offices, Settings(language="en"), tmp_path / "plain")
    hidden = split(offices, Settings(language="en"), tmp_path / "hidden", password=PASSWORD)
    assert hidden.encrypted
    assert not plain.encrypted
    for share in hidden.regions:
        path = tmp_path / "hidden" / share.file
        assert sha256(path.read_bytes()).hexdigest() == share.sha256
        with pytest.raises(InputError) as refused:
            read_sources([Source(path)], Settings())
        assert refused.value.code == "input.encrypted"
        assert decrypted(path, PASSWORD) == (tmp_path / "plain" / share.file).read_bytes()
        with pytest.raises(InvalidKeyError):
            decrypted(path, PASSWORD + " ")
        assert b"xl/workbook.xml" not in path.read_bytes()  # long enough never to come about by chance


def decrypted(path: Path, password: str) -> bytes:
    with path.open("rb") as file:
        office = msoffcrypto.OfficeFile(file)
        assert office.is_encrypted()
        office.load_key(password=password, verify_password=True)
        office.decrypt(out := io.BytesIO(), verify_integrity=True)
    return out.getvalue()


def test_by_hand(offices: Intake, tmp_path: Path) -> None:
    made = split(offices, Settings(language="en"), tmp_path / "out")
    nowhere, north, south = made.regions
    assert [(s.region, s.file) for s in made.regions] == [
        ("", "No region.xlsx"), ("North", "North.xlsx"), ("South", "South.xlsx"),
    ]  # fmt: skip
    assert [(s.totals.rows, s.totals.opportunities, s.totals.open) for s in made.regions] == [
        (1, 1, 1), (4, 3, 1), (3, 2, 2),
    ]  # fmt: skip
    assert (made.totals.rows, made.totals.opportunities, made.totals.open) == (8, 5, 4)  # M-1 is in two of them
    assert north.totals.stages["T1"] == {"count": 1, "amount": 1000}
    assert south.totals.stages["T2"] == {"count": 1, "amount": 40}
    assert nowhere.totals.stages["T1"] == {"count": 1, "amount": 9.5}


def test_visits_of_a_region_are_counted_anew(offices: Intake) -> None:
    south = offices.of_region("South")
    moved = south.visits[south.visits["opportunity_id"] == "M-1"]
    assert moved[["visit", "stage", "owner"]].to_numpy().tolist() == [[1, "T2", "Dot"]]
    assert (south.issues, south.sources, south.as_of) == ((), (), date(2024, 3, 20))
    whole = offices.visits
    assert whole[whole["opportunity_id"] == "M-1"]["visit"].tolist() == [1, 2]  # untouched


def test_what_was_refused_and_where_it_came_from_stays_at_headquarters(offices: Intake, tmp_path: Path) -> None:
    assert [i.value for i in offices.issues if i.treatment == "refused"] == ["Limbo"]
    split(offices, Settings(language="en"), tmp_path / "out")
    north = (tmp_path / "out/North.xlsx").read_bytes()
    assert leaks(north, ["Limbo", "South", "Cid", "Dot", "Eve", "S-1", "S-9", "X-1", "North and South.csv"]) == set()
    assert leaks(north, ["headquarters", "North", "M-1"]) == {"headquarters", "North", "M-1"}


def test_reserves_alone_are_split_too(tmp_path: Path) -> None:
    path = tmp_path / "reserves.csv"
    rows = [
        "Month,Region,Owner,Stage,Count",
        "2024-01,North,Ann,T3,4",
        "2024-02,North,Ann,T3,3",
        "2024-02,South,Cid,T3,2",
    ]
    path.write_text("\n".join(rows), "utf-8")
    made = split(read_sources([path], Settings(language="en")), Settings(language="en"), tmp_path / "out")
    assert [(s.region, s.totals.rows, s.totals.open) for s in made.regions] == [("North", 2, 3), ("South", 1, 2)]
    assert made.totals.open == 5
    assert leaks((tmp_path / "out/North.xlsx").read_bytes(), ["South", "Cid"]) == set()


def test_names_that_are_no_file_names(tmp_path: Path) -> None:
    names = ["CON", "../../x", "end...", "华东/华南", "Ост", "ост", "x" * 300]
    path = tmp_path / "odd.csv"
    rows = "".join(f"{i},{n},Ann,T0,2024-01-01\n" for i, n in enumerate(names))
    path.write_text("Opportunity ID,Region,Owner,Stage,Entered\n" + rows, "utf-8")
    made = split(read_sources([path], Settings()), Settings(), tmp_path / "out")
    files = {s.region: s.file for s in made.regions}
    assert len({f.casefold() for f in files.values()}) == len(names)
    assert files["华东/华南"] == "华东_华南.xlsx"
    assert {p.name for p in (tmp_path / "out").iterdir()} == {MANIFEST, *files.values()}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["odd.csv", "out"]


def test_the_folder_is_whole_or_not_there(offices: Intake, tmp_path: Path) -> None:
    steps: list[str] = []

    def stopped(step: str) -> None:
        steps.append(step)
        if len(steps) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        split(offices, Settings(), tmp_path / "out", progress=stopped)
    assert [p.name for p in tmp_path.iterdir()] == ["North and South.csv"]
    (tmp_path / "out").mkdir()
    split(offices, Settings(), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 4
    (tmp_path / "new").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "new").stat().st_mode


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("full", UsageError, "split.not_empty"),
        ("file", UsageError, "split.is_file"),
        ("deep", WorkbookError, "cli.no_folder"),
    ],
)
def test_folders_that_are_refused(
    offices: Intake, tmp_path: Path, kind: str, error: type[UsageError], code: str
) -> None:
    target = tmp_path / "out"
    if kind == "full":
        target.mkdir()
        (target / "North.xlsx").write_text("older")
    elif kind == "file":
        target.write_text("mine")
    else:
        target = target / "deep"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error) as refused:
        split(offices, Settings(), target)
    assert refused.value.code == code
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "password"),
    [
        ("secret\n", "secret"),
        ("secret\r\nsecond line", "secret"),
        ("\ufeff密码 1", "密码 1"),
        (" blanks count \n", " blanks count "),
        ("x" * 255, "x" * 255),
    ],
)
def test_passwords(tmp_path: Path, content: str, password: str) -> None:
    (tmp_path / "pw").write_bytes(content.encode())
    assert password_of(tmp_path / "pw") == password


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "split.no_password"),
        (b"\nsecret", "split.no_password"),
        (b"\xff\xfe\x00", "split.password_not_text"),
        (b"x" * 256, "split.long_password"),
    ],
)
def test_passwords_that_are_none(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "pw").write_bytes(content)
    with pytest.raises(InputError) as refused:
        password_of(tmp_path / "pw")
    assert refused.value.code == code


def test_command(xlfunnel: Callable[..., Any], export: Path, tmp_path: Path) -> None:
    run = xlfunnel("split", export, "-o", "out", "--as-of", "2024-06-30")
    assert (run.code, run.err) == (0, "")
    assert "North.xlsx" in run.out
    assert json.loads(Path("out/manifest.json").read_text("utf-8"))["as_of"] == "2024-06-30"

    assert xlfunnel("report", export, "-o", "whole.xlsx", "--lang", "en").code == 0
    run = xlfunnel("split", "whole.xlsx", "-o", "zh", "--lang", "zh-CN")
    assert (run.code, run.err) == (0, "")
    assert inputs.language(Path("zh/North.xlsx")) == "zh-CN"

    run = xlfunnel("split", "whole.xlsx", "-o", "again", "--as-of", "2024-06-30")
    assert run.code == 2
    assert "--as-of" in run.err
    run = xlfunnel("split", export, "-o", "out")
    assert run.code == 2
    assert "not empty" in run.err
    run = xlfunnel("split", export, "-o", "sealed", "--password-file", "none.txt")
    assert run.code == 3
    assert "none.txt" in run.err
    Path("pw.txt").write_text(PASSWORD, "utf-8")
    run = xlfunnel("split", export, "-o", "sealed", "--password-file", "pw.txt")
    assert run.code == 0
    assert PASSWORD not in run.out + run.err
    assert decrypted(Path("sealed/North.xlsx"), PASSWORD).startswith(b"PK")
