"""A report in sentences, for the terminal and the page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.words.numbers import counted, percent, times

if TYPE_CHECKING:
    from freqtrade_mem0.words.plain import Facts

Section = tuple[str, list[str]]
"""A heading, and its sentences."""

_N_SHOWN = 5


def name_of(bot: Facts) -> str:
    """Return which bot or run it is."""
    state = ", running" if bot["is_running"] else ""
    return f"{bot['strategy']}, {bot['mode']} {bot['run_id'][:12]}{state}"


def no_bot(facts: Facts) -> str:
    """Return what is said where there is no bot to report on."""
    return f"No bot or run has closed a trade or opened a position here ({facts['whose']})."


def sections(bot: Facts) -> list[Section]:
    """Return the sections on one bot."""
    return [
        ("What happened", _happened(bot)),
        ("What memory did", _did(bot)),
        ("Whether it helped", _helped(bot)),
    ]


def wrong(facts: Facts) -> Section:
    """Return what is wrong, each with what to do."""
    lines = [f"{each['what']}: {each['text']}. -> {each['do']}" for each in facts["wrong"]]
    fine = ", ".join(facts["checked"])
    if not lines:
        return "What is wrong", [f"Nothing, of what was looked at: {fine}."]
    return "What is wrong", [*lines, *([f"Looked at and right: {fine}."] if fine else [])]


def _happened(bot: Facts) -> list[str]:
    happened = bot["happened"]
    return [
        _closed(bot),
        *_open(bot["open"], bot["stake_currency"]),
        *_events("risk event", happened["risk_events"], _kinds(happened["risk_events"])),
        *_events("pattern", happened["patterns"]),
    ]


def _closed(bot: Facts) -> str:
    happened = bot["happened"]
    if not happened["n_closed"]:
        last = bot["last_seen"]
        ever = f"; the last one closed on {last[:10]}" if last else ""
        return f"No trade closed{ever}."
    profit = happened["profit_abs"]
    amount = (
        "their amounts are no longer kept"
        if profit is None
        else f"{profit:+,.2f} {bot['stake_currency']}".rstrip()
    )
    ends = [
        f"{name} {each['pair']} {percent(each['profit_ratio'])}"
        for name, each in (("best", happened["best"]), ("worst", happened["worst"]))
        if each is not None
    ]
    return (
        f"{counted(happened['n_closed'], 'trade')} closed, {happened['n_won']:,} with a profit: "
        f"{amount}; {', '.join(ends)}."
    )


def _open(positions: list[Facts], currency: str) -> list[str]:
    if not positions:
        return []
    shown = [
        f"{each['side']} {each['pair']} with {each['stake']:,.6g} ({times(each['multiplier'])}"
        f"{'' if each['applied'] else ' in shadow'}) since {_minute(each['open_date'])}"
        for each in positions[-_N_SHOWN:]
    ]
    rest = len(positions) - len(shown)
    more = f"; and {rest:,} more" if rest else ""
    stakes = f" (stakes in {currency})" if currency else ""
    opened = counted(len(positions), "position")
    return [f"{opened} open, as far as memory knows{stakes}: {'; '.join(shown)}{more}."]


def _kinds(events: list[Facts]) -> str:
    found = Counter(each["type"] for each in events)
    return ", ".join(f"{kind} {n:,}" for kind, n in found.most_common())


def _events(what: str, events: list[Facts], kinds: str = "") -> list[str]:
    if not events:
        return []
    last = events[-1]
    of_kinds = f" ({kinds})" if kinds else ""
    text = last["text"].rstrip(".")
    return [f"{counted(len(events), what)}{of_kinds}; the last on {last['known_at'][:10]}: {text}."]


def _did(bot: Facts) -> list[str]:
    did: dict[str, Any] = bot["memory"]
    lines = []
    if did["n_sized"]:
        left = did["n_sized"] - did["n_raised"] - did["n_cut"]
        in_shadow = did["n_sized"] - did["n_applied"]
        shadow = (
            f" Of these, {in_shadow:,} were in shadow mode and not applied." if in_shadow else ""
        )
        lines.append(
            f"Of {counted(did['n_sized'], 'stake')} it raised {did['n_raised']:,}, cut "
            f"{did['n_cut']:,} and left {left:,}; {_changed(did)} the profit by "
            f"{did['effect']:+,.2f} {bot['stake_currency']}.{shadow}"
        )
    elif bot["happened"]["n_closed"]:
        lines.append("It decided about none of these trades.")
    if bot["n_refused"]:
        lines.append(f"It refused {counted(bot['n_refused'], 'entry', 'entries')}.")
    if did["account"]:
        text = did["account"]["text"]
        lines.append(f"{text[:1].upper()}{text[1:]}.")
    return lines or ["Nothing."]


def _changed(did: Facts) -> str:
    return "that changed" if did["n_applied"] else "that would have changed"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _helped(bot: Facts) -> list[str]:
    if not bot["worth"]:
        return ["No closed trade has a decision of memory yet: there is nothing to judge."]
    many = len(bot["worth"]) > 1
    lines = []
    for each in bot["worth"]:
        which = "stakes that were applied" if each["applied"] else "stakes in shadow mode"
        first, *rest = each["sentences"]
        lines += [f"{which.capitalize()}: {first}" if many else first, *rest]
    return lines
