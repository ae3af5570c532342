"""One small picture of each kind, for the golden files and for whoever wants to look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from markupsafe import Markup

from comity.console.pictures import affected, calendar, custody, ladders, latency, ledgers, lineage, timeline
from comity.console.pictures.axis import Axis, Precision
from comity.console.pictures.drawing import Names

FORMS: Mapping[Precision, str] = {
    "year": "%Y",
    "month": "%Y-%m",
    "day": "%Y-%m-%d",
    "hour": "%H:%M",
    "minute": "%Y-%m-%d %H:%M",
    "zone": "%Z",
}


def say(at: datetime, precision: Precision) -> str:
    return at.strftime(FORMS[precision])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def names(key: str, title: str) -> Names:
    return Names(key=key, title=title, description=f"{title}, drawn.", table="The same as a table")


def ladder_words(title: str = "Levels and their equivalence") -> ladders.Words:
    return ladders.Words(
        names=names("ladders", title),
        ceiling="Above this line nothing crosses",
        never="none: it never crosses",
        only="correspond",
        chosen="proposed",
        possible="possible",
        columns=("Party", "Mark", "English", "Corresponds to", "Clause"),
    )


def the_ladders(left: str = "日本国政府", right: str = "대한민국 정부") -> Markup:
    japan = (
        ladders.Level("機密", "TOP SECRET", 4, crosses=False),
        ladders.Level("特定秘密", "Specially Designated Secret", 3),
        ladders.Level("極秘", "SECRET", 3),
        ladders.Level("秘", "CONFIDENTIAL", 2),
    )
    korea = (
        ladders.Level("군사 Ⅰ급 비밀", "TOP SECRET", 4, crosses=False),
        ladders.Level("군사 Ⅱ급 비밀", "SECRET", 3),
        ladders.Level("군사 Ⅲ급 비밀", "CONFIDENTIAL", 2),
    )
    links = (
        ladders.Link("特定秘密", "군사 Ⅱ급 비밀", "4.2", "possible"),
        ladders.Link("極秘", "군사 Ⅱ급 비밀", "4.2", "chosen"),
        ladders.Link("秘", "군사 Ⅲ급 비밀", "4.2"),
    )
    return ladders.ladders(ladders.Ladder(left, japan), ladders.Ladder(right, korea), links, ladder_words())


def the_timeline(note: str = "Notice of termination") -> Markup:
    readings = (
        timeline.Reading(
            "Japan",
            (
                timeline.Stretch(at("2011-01-01"), ("not-signed",)),
                timeline.Stretch(at("2016-11-23"), ("in-force",)),
                timeline.Stretch(at("2019-08-23"), ("notice-given",)),
                timeline.Stretch(at("2019-11-22"), ("notice-suspended",)),
                timeline.Stretch(at("2023-03-21"), ("in-force",)),
            ),
        ),
        timeline.Reading(
            "대한민국",
            (
                timeline.Stretch(at("2011-01-01"), ("not-signed",)),
                timeline.Stretch(at("2016-11-23"), ("in-force",)),
                timeline.Stretch(at("2019-08-23"), ("notice-given", "in-force")),
                timeline.Stretch(at("2019-11-22"), ("notice-suspended",)),
                timeline.Stretch(at("2023-03-21"), ("in-force",)),
            ),
        ),
    )
    happened = tuple(
        timeline.Happening(at(day), day, says, by)
        for day, says, by in (
            ("2012-06-29", "Signature is put off", "kr"),
            ("2016-11-23", "Signed and in force", "jp, kr"),
            ("2019-08-23", note, "kr"),
            ("2019-11-22", "The notice is suspended", "kr"),
            ("2023-03-21", "The notice is withdrawn", "kr"),
        )
    )
    words = timeline.Words(
        names=names("timeline", "The course of the agreement"),
        phases={
            "not-signed": "not signed",
            "in-force": "in force",
            "notice-given": "notice given",
            "notice-suspended": "notice suspended",
        },
        chosen="1 September 2019",
        columns=("No.", "When", "What", "Afterwards"),
    )
    axis = Axis(at("2011-01-01"), at("2026-01-01"))
    return timeline.timeline(readings, happened, axis, words, say, at("2019-09-01"))


def the_lineage(title: str = "Radar assessment") -> Markup:
    family = (
        lineage.Relative(item="i-1", name=title, made="as it was given", marks="極秘", copies="3 held", side="theirs"),
        lineage.Relative(
            item="i-2",
            name="레이더 평가",
            made="translation (ko)",
            marks="군사 Ⅱ급 비밀",
            copies="1 held, 1 destroyed",
            above=("i-1",),
            side="this",
            href="/item/i-2",
        ),
        lineage.Relative(
            item="i-3",
            name="Extract for the staff",
            made="extract",
            marks="군사 Ⅱ급 비밀",
            copies="1 lost",
            alarm="lost",
            above=("i-1",),
            href="/item/i-3",
        ),
        lineage.Relative(
            item="i-4",
            name="Briefing book",
            made="contains",
            marks="군사 Ⅱ급 비밀",
            copies="2 held",
            above=("i-2", "i-3"),
            href="/item/i-4",
        ),
    )
    words = lineage.Words(
        names=names("lineage", "What it came from, and what was made from it"),
        sides={"this": "this item", "ours": "made by us", "theirs": "made by them"},
        alarm="something is wrong with it",
        more="and 3 more",
        columns=("Item", "How it was made", "Marks", "Copies", "Made from"),
    )
    return lineage.lineage(family, words)


def the_custody(holder: str = "김민준") -> Markup:
    copies = (
        custody.Copy(
            "Copy 1",
            (
                custody.Held("Registry, Tokyo", "in transit", at("2026-03-01"), at("2026-03-04")),
                custody.Held(holder, "held", at("2026-03-04"), at("2026-05-01")),
                custody.Held("Registry, Seoul", "held", at("2026-05-12")),
            ),
        ),
        custody.Copy(
            "Copy 2",
            (
                custody.Held("佐藤 花子", "held", at("2026-03-01"), at("2026-04-20")),
                custody.Held("", "destroyed", at("2026-04-20")),
            ),
        ),
    )
    words = custody.Words(
        names=names("custody", "Who held each copy"),
        states={"in transit": "in transit", "held": "held", "destroyed": "destroyed"},
        gap="not told",
        still="still",
        columns=("Copy", "Holder", "State", "From", "Until"),
    )
    return custody.custody(copies, Axis(at("2026-03-01"), at("2026-06-15")), words, say)


def the_affected(holder: str = "박서연: held") -> Markup:
    items = (
        affected.Affected(
            item="i-2", name="레이더 평가", what="copy 2 lost", holders=("Registry, Seoul: lost",), kind="lost"
        ),
        affected.Affected(
            item="i-4", name="Briefing book", what="contains it", holders=(holder, "佐藤 花子: held"), above=("i-2",)
        ),
        affected.Affected(item="i-5", name="Extract", what="extract of it", holders=(), above=("i-4", "i-2")),
    )
    words = affected.Words(
        names=names("affected", "What the incident affects"),
        lost="what it is about",
        made="made from it",
        nobody="nobody holds a copy",
        more="and 2 more",
        columns=("Item", "What became of it", "Held by"),
    )
    return affected.affected(items, words)


def the_calendar(place: str = "Yokosuka") -> Markup:
    visits = (
        calendar.Visit(
            first=date(2026, 11, 4), last=date(2026, 11, 10), says=place, sort="permitted", href="/visits/v-1"
        ),
        calendar.Visit(first=date(2026, 11, 6), last=date(2026, 11, 6), says="평택", sort="asked", href="/visits/v-2"),
    )
    days = tuple((each[:2], each) for each in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"))
    words = calendar.Words(
        caption="Visits in November 2026",
        days=(*days, ("Sa", "Saturday"), ("Su", "Sunday")),
        today="today",
        nothing="No visit in this month",
    )
    return calendar.month(date(2026, 11, 1), visits, words, today=date(2026, 11, 21))


def the_ledgers(name: str = "대한민국 정부", verdict: ledgers.Verdict = "waiting") -> Markup:
    ours = ledgers.Ledger(
        "Government of Japan",
        (
            ledgers.Checkpoint(1042, ("written",), "1,042 entries: written here"),
            ledgers.Checkpoint(1040, ("delivered",), "1,040: delivered"),
            ledgers.Checkpoint(1038, ("witnessed",), "1,038: cosigned by the other party"),
        ),
    )
    theirs = ledgers.Ledger(
        name,
        (ledgers.Checkpoint(977, ("written", "delivered", "witnessed"), "977 entries: received, and cosigned by us"),),
    )
    words = ledgers.Words(
        names=names("ledgers", "Our ledger and theirs"),
        verdict="4 entries of ours are not witnessed yet; up to there both sides agree",
        witnessed="witnessed",
        delivered="delivered, not witnessed",
        tail="not delivered",
        columns=("Ledger", "Checkpoint", "What is so"),
    )
    return ledgers.ledgers(ours, theirs, verdict, words)


def the_latency(slow: str = "over 1 s") -> Markup:
    bars = (
        latency.Bar("under 100 ms", 1200, "1,200"),
        latency.Bar("100 to 250 ms", 340, "340"),
        latency.Bar("250 ms to 1 s", 4, "4"),
        latency.Bar(slow, 0, "0", "late"),
    )
    words = latency.Words(
        names=names("latency", "How long messages took"),
        below="Half took less than 60 ms, the slowest 900 ms.",
        columns=("How long", "Messages"),
    )
    return latency.counted(bars, words)


SAMPLES: Mapping[str, Callable[..., Markup]] = {
    "ladders": the_ladders,
    "timeline": the_timeline,
    "lineage": the_lineage,
    "custody": the_custody,
    "affected": the_affected,
    "calendar": the_calendar,
    "ledgers": the_ledgers,
    "latency": the_latency,
}

GOLDEN = Path(__file__).parents[1] / "data" / "pictures"

if __name__ == "__main__":  # what a change of a picture is looked at by, and kept
    GOLDEN.mkdir(exist_ok=True)
    for name, draw in SAMPLES.items():
        (GOLDEN / f"{name}.html").write_text(f"{draw()}\n".replace("><", ">\n<"), encoding="utf-8")
