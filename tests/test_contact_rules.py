"""Contact rules on logs followed by hand, and on a hundred random ones, on both engines."""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from queries.contact_rules import judged
from queries.loan_states import BookShape
from tests.books import loan, put
from tests.rules_by_hand import kinds as kinds_by_hand
from warehouse.contract import contacts, contract
from warehouse.engines import session
from warehouse.packs import FOLDER, KINDS, Pack, PackRefused, parse_pack, read_packs
from warehouse.staging import analyse

SHAPE = BookShape(tables=frozenset(contract.tables))
HEAD = 'id="x"\njurisdiction="J"\ntitle="T"\nsource="S"\nvalid_from=2020-01-01\n'
DAY = dt.timedelta(days=1)
Row = dict[str, Any]


def pack_of(rules: str) -> Pack:
    return parse_pack("contact", HEAD + rules, "x.toml")


def rule_text(kind: str, fields: str, rule_id: str = "r") -> str:
    return f'[[rules]]\nid="{rule_id}"\nkind="{kind}"\nsentence="w"\n{fields}\n'


def call(number: int, at: str, outcome: str = "no_answer", **more: Any) -> Row:
    row = {
        "contact_id": f"t{number:03}",
        "loan_id": "A",
        "direction": "outbound",
        "channel": "call",
        "contacted_at": dt.datetime.fromisoformat(at),
        "contact_point": "h1",
        "party": "unknown",
        "outcome": outcome,
        "has_consent": None,
    }
    return row | more


def told(url: str, rules: str, log: list[Row], first: str, last: str) -> dict[str, str]:
    """What a rule says of the contacts of some days: contact -> kind, shortened ids."""
    if log:
        put(url, loans=[loan("A"), loan("B")], contacts=log)
    (rule,) = pack_of(rules).rules
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    with session(url) as facts:
        rows = facts.fetch(judged(rule, *days, SHAPE))
    return {key.lstrip("t0"): kind for key, kind in rows.select("contact_id", "kind").rows()}


def test_the_first_second_of_the_night_is_out_and_the_first_of_the_morning_in(
    facts_url: str,
) -> None:
    times = ["21:44:59", "21:45:00", "21:59:59", "22:00:00", "23:59:59", "00:00:00", "07:59:59",
             "08:00:00", "08:14:59", "08:15:00"]  # fmt: skip
    log = [call(n, f"2024-03-05T{time}") for n, time in enumerate(times, start=1)]
    log.append(call(11, "2024-03-05T21:59:59.999999"))
    log.append(call(12, "2024-03-05T23:00:00", has_consent=True))
    log.append(call(13, "2024-03-05T23:00:00", has_consent=False))
    log.append(call(14, "2024-03-05T23:00:00", direction="inbound"))
    rule = rule_text("quiet_hours", 'from="22:00"\nto="08:00"\nunless_consent=true')
    assert told(facts_url, rule, log, "2024-03-01", "2024-03-31") == {
        "2": "near_miss", "3": "near_miss", "4": "breach", "5": "breach", "6": "breach",
        "7": "breach", "8": "near_miss", "9": "near_miss", "11": "near_miss", "13": "breach",
    }  # fmt: skip


def test_seven_consecutive_days_are_not_a_calendar_week(facts_url: str) -> None:
    # Thursday to Wednesday: two in one calendar week, one in the next; and over the year's end
    log = [call(n, f"2023-12-{27 + n}T10:00") for n in range(1, 5)]  # 28 to 31 December
    log += [call(4 + n, f"2024-01-0{n}T10:00") for n in range(1, 4)]  # to 3 January: the seventh
    log.append(call(8, "2024-01-03T18:00"))  # the eighth within seven days
    log.append(call(9, "2024-01-04T09:00"))  # eight days from the first, which is forgotten
    log.append(call(10, "2024-01-05T09:00", loan_id="B"))  # another loan
    log.append(call(11, "2024-01-05T09:00", outcome="invalid"))  # does not count
    rule = rule_text("rolling_cap", 'at_most=7\ndays=7\nleave_out=["invalid"]')
    found = told(facts_url, rule, log, "2024-01-01", "2024-01-31")
    assert found == {"7": "near_miss", "8": "breach", "9": "breach"}  # 9: 29 December to 4 January


def test_calls_of_seven_days_end_with_the_seventh_day(facts_url: str) -> None:
    # 29 February is a day like others: 24 February to 1 March are seven days
    log = [call(1, "2024-02-24T10:00"), call(2, "2024-03-01T10:00"), call(3, "2024-03-08T10:00")]
    rule = rule_text("rolling_cap", "at_most=1\ndays=7")
    # every permitted call uses a cap of one up; the third comes on the eighth day
    assert told(facts_url, rule, log, "2024-02-01", "2024-03-31") == {
        "1": "near_miss",
        "2": "breach",
        "3": "near_miss",
    }


def test_the_day_of_a_conversation_is_day_one(facts_url: str) -> None:
    log = [
        call(1, "2024-02-26T09:00"),  # before it, on its day
        call(2, "2024-02-26T10:00", "promise"),
        call(3, "2024-02-26T11:00"),  # after it, on its day
        call(4, "2024-03-03T23:59:59"),  # day 7 of a February of 29 days
        call(5, "2024-03-04T00:00:00"),  # day 8
        call(6, "2024-03-05T09:00"),  # day 9
        call(7, "2024-02-27T09:00", channel="sms", outcome="delivered"),
        call(8, "2024-02-27T09:00", loan_id="B"),
        call(9, "2024-03-10T09:00", "promise", direction="inbound"),  # theirs, not ours
        call(10, "2024-03-11T09:00"),
    ]
    rule = rule_text("after_conversation", 'days=7\nchannels=["call", "voice_bot"]')
    found = told(facts_url, rule, log, "2024-02-01", "2024-03-31")
    assert found == {"3": "breach", "4": "breach", "5": "near_miss"}


def test_a_repeated_hour_counts_by_its_recorded_time(facts_url: str) -> None:
    # at the end of summer time 01:00 to 02:00 comes twice: two calls of one recorded moment are
    # two attempts, and the order of rows in the file does not matter
    times = ["01:30:00", "01:45:00", "01:30:00", "01:45:00"]
    log = [call(n, f"2024-10-27T{time}") for n, time in enumerate(times, start=1)][::-1]
    rule = rule_text("daily_cap", 'at_most=3\ncounts="not_connected"')
    assert told(facts_url, rule, log, "2024-10-01", "2024-10-31") == {
        "2": "near_miss",  # the first at 01:45
        "4": "breach",
    }


def test_only_attempts_that_did_not_connect_fill_a_days_cap(facts_url: str) -> None:
    log = [call(n, f"2024-03-05T10:0{n}") for n in range(1, 7)]
    log.append(call(7, "2024-03-05T10:07", "right_party"))  # connects: never counts
    log.append(call(8, "2024-03-05T10:08", contact_point="h2"))
    log.append(call(9, "2024-03-05T10:09", contact_point=None))
    log.append(call(10, "2024-03-06T00:00:00"))  # another day
    log.append(call(11, "2024-03-05T23:59:59", loan_id="B"))  # the same number, another loan
    rule = rule_text("daily_cap", 'at_most=6\ncounts="not_connected"')
    found = told(facts_url, rule, log, "2024-03-01", "2024-03-31")
    assert found == {"6": "near_miss", "11": "breach"}


def test_third_parties_come_after_an_invalid_number_or_failures_in_a_row(facts_url: str) -> None:
    def third(number: int, at: str, loan_id: str = "A") -> Row:
        return call(number, at, "third_party_reached", party="third_party", loan_id=loan_id)

    log = [
        *[call(n, f"2024-03-0{n}T10:00") for n in (1, 2)],
        third(3, "2024-03-03T10:00"),  # two failures
        call(4, "2024-03-04T10:00"),
        third(5, "2024-03-05T10:00"),  # three, whatever the third party said in between
        call(6, "2024-03-06T10:00"),
        third(7, "2024-03-06T11:00"),  # four: not a near miss
        call(8, "2024-03-07T10:00", "right_party", party="debtor"),
        third(9, "2024-03-08T10:00"),  # the row of failures is broken
        call(10, "2024-03-08T11:00", "invalid", loan_id="B"),
        third(11, "2024-03-08T12:00", "B"),  # an invalid number
        third(12, "2024-06-06T10:00", "B"),  # 90 days later it still counts
        third(13, "2024-06-07T10:00", "B"),  # 91 days later no more
    ]
    rule = rule_text("third_party_after", "failures=3\ndays=90")
    march = told(facts_url, rule, log, "2024-03-01", "2024-03-31")
    assert march == {"3": "breach", "5": "near_miss", "9": "breach"}
    assert told(facts_url, rule, [], "2024-06-01", "2024-06-30") == {"13": "breach"}


def test_agencies_must_be_listed_on_the_day(facts_url: str) -> None:
    first, last = dt.date(2024, 3, 2), dt.date(2024, 3, 4)
    agency = {"commission_rate": 0.1, "contract_from_on": first}
    put(
        facts_url,
        agencies=[
            {"agency_id": "X", "name": "x", "listed_from_on": first, "listed_to_on": last} | agency,
            {"agency_id": "Y", "name": "y"} | agency,
        ],
        collectors=[
            {"collector_id": "K1", "team": "t", "agency_id": "X"},
            {"collector_id": "K2", "team": "t", "agency_id": "Y"},
            {"collector_id": "K3", "team": "t"},
        ],
    )
    log = [call(n, f"2024-03-0{n}T10:00", collector_id="K1") for n in range(1, 6)]
    log.append(call(6, "2024-03-03T10:00", collector_id="K2"))  # was never on the list
    log.append(call(7, "2024-03-03T10:00", collector_id="K3"))  # in-house
    found = told(facts_url, rule_text("listed_agency", ""), log, "2024-03-01", "2024-03-31")
    assert found == {"1": "breach", "5": "breach", "6": "breach"}


ODD_RULES = (
    rule_text("quiet_hours", 'from="00:00"\nto="00:10"\nweekdays=[1, 7]', "weekdays")
    + rule_text("daily_cap", 'at_most=0\nper="loan"\nchannels=["visit"]', "no_visits")
    + rule_text("daily_cap", 'at_most=2\nper="loan"\nunless_consent=true', "two_a_day")
    + rule_text("rolling_cap", "at_most=5\ndays=30\nunless_consent=true", "five_a_month")
    + rule_text("rolling_cap", 'at_most=0\ndays=1\nchannels=["mediation"]', "none")
    + rule_text("after_conversation", "days=1\nunless_consent=true", "same_day")
    + rule_text("third_party_after", 'failures=2\ndays=5\nfailed_channels=["call"]', "soon")
)


def random_log(number: int) -> list[Row]:
    """Sixty contacts of three loans and up to five numbers, crowded around the turn of a year."""
    draw = random.Random(number)
    start = draw.choice([dt.datetime(2023, 12, 20), dt.datetime(2024, 2, 20)])
    spread = draw.choice([1, 3, 12, 40])  # days: crowded logs and sparse ones
    points = draw.choice([1, 5])
    rows = []
    for place in range(60):
        seconds = draw.randrange(spread * 86400)
        if draw.random() < 0.3:  # on the edges
            seconds = draw.randrange(spread) * 86400 + draw.choice([0, 28799, 28800, 79199, 79200])
        outcome = draw.choice(["no_answer", "no_answer", "no_answer", "invalid", "delivered",
                               "third_party_reached", "right_party", "promise"])  # fmt: skip
        channel = draw.choice(["call", "call", "call", "voice_bot", "visit", "sms", "mediation"])
        more = {
            "contact_id": f"log{number:03}-{draw.choice('aBzé')}{place:02}",
            "loan_id": f"log{number:03}-{draw.randrange(3)}",
            "direction": draw.choice(["outbound"] * 5 + ["inbound"]),
            "contact_point": draw.choice([None, *[f"h{number}-{n}" for n in range(points)]]),
            "channel": channel,
            "party": "third_party" if outcome == "third_party_reached" else "unknown",
            "has_consent": draw.choice([None, None, True, False]),
            "collector_id": draw.choice([None, "K1", "K2"]),
        }
        at = (start + dt.timedelta(seconds=seconds)).isoformat()
        rows.append(call(0, at, outcome, **more))
    return rows


def test_a_hundred_random_logs_are_judged_as_row_by_row(facts_url: str) -> None:
    listed = {"listed_from_on": dt.date(2023, 12, 25), "listed_to_on": dt.date(2024, 2, 27)}
    agency = {"agency_id": "X", "name": "x", "commission_rate": 0.1, **listed}
    agency["contract_from_on"] = dt.date(2020, 1, 1)
    logs = [random_log(number) for number in range(100)]
    loans = sorted({row["loan_id"] for log in logs for row in log})
    put(
        facts_url,
        loans=[loan(name) for name in loans],
        contacts=[row for log in logs for row in log],
        collectors=[
            {"collector_id": "K1", "team": "t", "agency_id": "X"},
            {"collector_id": "K2", "team": "t"},
        ],
        agencies=[agency],
    )
    packs = {pack.id: tomllib.loads(pack.text) for pack in read_packs("contact").values()}
    packs["x"] = tomllib.loads(HEAD + ODD_RULES)
    rules = [rule for pack in read_packs("contact").values() for rule in pack.rules]
    rules += pack_of(ODD_RULES).rules
    ends = [dt.date(2023, 12, 31), *(dt.date(2024, n, 1) - DAY for n in range(2, 6))]
    spans = [(end.replace(day=1), end) for end in ends]
    for row in (row for log in logs for row in log):
        row["agency_id"] = "X" if row["collector_id"] == "K1" else None
    with session(facts_url, read_only=False) as facts:
        analyse(facts, [contacts])
        for rule in [rule for rule in rules if rule.is_replayed]:
            (plain,) = [one for one in packs[rule.pack]["rules"] if one["id"] == rule.id]
            expected: dict[str, str] = {}
            for log in logs:
                expected |= kinds_by_hand(plain, log, {"X": listed})
            months = [facts.fetch(judged(rule, *span, SHAPE)) for span in spans]
            found = pl.concat(months).select("contact_id", "kind").rows()
            assert dict(found) == expected, rule
            assert len(found) == len(expected), rule
            assert expected, rule  # each rule is broken somewhere


REFUSED = {
    "an hour that is none": (
        rule_text("quiet_hours", 'from="25:00"\nto="08:00"'), ("'r'", "'from'", "25:00", "23:59")),
    "a window without length": (
        rule_text("quiet_hours", 'from="22:00"\nto="22:00"'), ("'r'", "'to'", "equals")),
    "a negative cap": (
        rule_text("daily_cap", "at_most=-1"), ("'r'", "'at_most'", "-1", "whole number")),
    "half a call": (
        rule_text("daily_cap", "at_most=2.5"), ("'at_most'", "2.5")),
    "no days": (
        rule_text("rolling_cap", "at_most=7\ndays=0"), ("'days'", "from 1 to 366")),
    "an unknown field": (
        rule_text("rolling_cap", "at_most=7\ndays=7\nper_week=3"),
        ("'r'", "'per_week'", "unknown", "at_most")),
    "another kind's field": (
        rule_text("no_third_party", "days=7"), ("'days'", "unknown")),
    "an unknown kind": (
        rule_text("no_smoking", ""), ("'r'", "'kind'", "no_smoking", "quiet_hours")),
    "an unknown channel": (
        rule_text("no_third_party", 'channels=["fax"]'), ("'channels'", "fax", "voice_bot")),
    "a missing number": (
        rule_text("rolling_cap", "days=7"), ("'at_most'", "is missing")),
    "two rules of one id": (
        rule_text("no_third_party", "") * 2, ("'r'", "'id'", "twice")),
    "words that are no TOML": ("[[rules", ("is not TOML",)),
    "no rules": ("", ("'rules'", "is missing")),
    "a day in quotes": (
        rule_text("no_third_party", 'valid_from="2026-01-30"'), ("'valid_from'", "without quotes")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_pack_is_refused_by_file_rule_and_field(name: str, tmp_path: Path) -> None:
    text, words = REFUSED[name]
    (tmp_path / "contact").mkdir()
    (tmp_path / "contact" / "mine.toml").write_text(HEAD + text)
    with pytest.raises(PackRefused) as refused:
        read_packs("contact", tmp_path)
    for word in ("mine.toml", *words):
        assert word in str(refused.value)


def test_two_packs_of_one_id_are_refused_by_both_names(tmp_path: Path) -> None:
    (tmp_path / "contact").mkdir()
    text = (FOLDER / "contact" / "uk.toml").read_text()
    (tmp_path / "contact" / "mine.toml").write_text(text)
    with pytest.raises(PackRefused, match=r"mine\.toml.*'uk' is also the id of uk\.toml"):
        read_packs("contact", tmp_path)


def test_the_guide_to_packs_names_every_kind_and_its_example_is_read() -> None:
    guide = (FOLDER.parent / "docs" / "rule_packs.md").read_text()
    for kind in KINDS:
        assert f"| `{kind}` |" in guide
    example = guide.split("```toml\n")[1].split("```")[0]
    (rule,) = parse_pack("contact", example, "house.toml").rules
    assert (rule.limit.start, rule.unless_consent) == (22 * 60, True)  # type: ignore[union-attr]
