"""What a controller checks in the files that regions send back: which are refused, what is said of the others."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from xlfunnel.answers import Answer, Figure, RegionName, Remark, Setting, Status, remark
from xlfunnel.calendar import day_number
from xlfunnel.excel.template_id import TEMPLATE_VERSION
from xlfunnel.manifest import Manifest, Totals, data_sha256, own_stage_names, own_targets, same_everywhere, totals
from xlfunnel.returned import Returned
from xlfunnel.settings import Settings, Target
from xlfunnel.terms import Col


def refuse_currencies(read: Iterable[Returned], currency: str, refused: dict[Path, Remark]) -> None:
    for r in read:
        if r.settings.currency and r.settings.currency != currency:
            refused[r.path] = remark("consolidate.currency", theirs=r.settings.currency, ours=currency)


def refuse_strangers(read: Iterable[Returned], manifest: Manifest | None, refused: dict[Path, Remark]) -> None:
    for r in read if manifest else ():
        unknown = tuple(RegionName(region) for region in r.regions if manifest and manifest.share(region) is None)
        if unknown and r.path not in refused:
            refused[r.path] = remark("consolidate.unknown_region", regions=unknown)


def refuse_doubles(read: Sequence[Returned], refused: dict[Path, Remark]) -> dict[Path, Remark]:
    """Two files of one region: the same bytes are a copy, which is left aside; else nobody knows which one counts."""
    copies: dict[Path, Remark] = {}
    first: dict[str, Returned] = {}
    for r in read:
        if r.path not in refused and first.setdefault(r.sha256, r) is not r:
            copies[r.path] = remark("consolidate.copy", file=first[r.sha256].path.name)
    senders: dict[str, list[Path]] = defaultdict(list)
    for r in read:
        for region in r.regions if r.path not in refused and r.path not in copies else ():
            senders[region].append(r.path)
    for region, paths in senders.items():
        for path in paths if len(paths) > 1 else ():
            others = tuple(p.name for p in paths if p != path)
            refused.setdefault(path, remark("consolidate.double", region=RegionName(region), files=others))
    return copies


def answer_of(r: Returned, ours: Settings, manifest: Manifest | None) -> Answer:
    """What is worth saying of an accepted file."""
    visits = r.intake.visits
    return Answer(
        file=r.path.name,
        status=Status.ACCEPTED,
        regions=r.regions,
        rows=len(visits),
        opportunities=int(visits[Col.OPPORTUNITY].nunique()),
        remarks=(
            *_against_manifest(r, manifest),
            *_other_day(r, ours.as_of or r.as_of),
            *_other_settings(r, ours),
            *_other_regions(r),
            *_refused_rows(r),
            *_left_behind(r),
        ),
    )


def _against_manifest(r: Returned, manifest: Manifest | None) -> Iterator[Remark]:
    share = manifest.share(r.regions[0]) if manifest and len(r.regions) == 1 else None
    version = manifest.template_version if manifest else TEMPLATE_VERSION
    if r.template_version != version:
        yield remark("consolidate.remark.template", theirs=r.template_version, ours=version)
    if share is None or manifest is None:
        return
    if r.sha256 == share.sha256:
        yield remark("consolidate.remark.untouched")
    elif data_sha256(r.intake.visits) == share.data_sha256:
        yield remark("consolidate.remark.data_as_sent")
    else:
        changed = tuple(_figures(share.totals, totals(replace(r.intake, as_of=manifest.as_of))))
        yield remark("consolidate.remark.figures", figures=changed) if changed else remark("consolidate.remark.edited")


def _figures(sent: Totals, now: Totals) -> Iterator[Figure]:
    pairs: list[tuple[str, float, float]] = [
        (f"cli.column.{n}", getattr(sent, n), getattr(now, n)) for n in ("rows", "opportunities", "open")
    ]
    pairs += [(s, sent.stages[s]["count"], now.stages[s]["count"]) for s in sent.stages]
    before, after = (sum(stage["amount"] for stage in t.stages.values()) for t in (sent, now))
    pairs.append(("cli.column.amount", before, after))
    yield from (Figure(what, a, b) for what, a, b in pairs if a != b)


def _other_day(r: Returned, day: date) -> Iterator[Remark]:
    number = day_number(day)
    visits = r.intake.visits
    late = (visits[Col.ENTERED_DAY] > number) | (visits[Col.LEFT_DAY].fillna(number) > number)
    if r.as_of != day or late.any():
        code = "consolidate.remark.later" if late.any() else "consolidate.remark.day"
        yield remark(code, theirs=r.as_of.isoformat(), ours=day.isoformat(), n=int(late.sum()))


def _other_settings(r: Returned, ours: Settings) -> Iterator[Remark]:
    theirs, mine = (
        asdict(same_everywhere(s)) | {"stages": own_stage_names(s), "targets": _aims(s, r)} for s in (r.settings, ours)
    )
    differ = tuple(Setting(n, theirs[n], mine[n]) for n in theirs if theirs[n] != mine[n])
    if differ:
        yield remark("consolidate.remark.settings", settings=differ)


def _aims(chosen: Settings, r: Returned) -> tuple[Target, ...]:
    """What the file's regions are to win, whoever says so, in no order; a region's own book may not name it."""
    own = own_targets(chosen, r.regions) if chosen is r.settings else chosen.targets
    return tuple(sorted(t for t in own if t.region in r.regions))


def _other_regions(r: Returned) -> Iterator[Remark]:
    for region, n in r.others.items():
        yield remark("consolidate.remark.other_region", region=RegionName(region), n=n)


def _refused_rows(r: Returned) -> Iterator[Remark]:
    n = sum(s.rows_refused for s in r.intake.sources)
    if n:
        yield remark("consolidate.remark.refused_rows", n=n)


def _left_behind(r: Returned) -> Iterator[Remark]:
    if r.foreign:
        yield remark("consolidate.remark.foreign", names=r.foreign)
