"""Texts of users and strangers that an output channel could take for something else."""

HOSTILE_TEXTS = (
    # Rich: markup, emoji codes
    "[bb_low] dip",
    "ema[/rsi]",
    "[/]",
    "[red]loss[/red]",
    "[link=https://example.com]x[/link]",
    "\\[bold]",
    "regime:bear:high",
    ":smiley: :x:",
    # Telegram's Markdown
    "losing_streak",
    "stop_loss",
    "_a*b`c[d",
    "*bold",
    "`code",
    "```",
    "[text](https://example.com)",
    "a\\_b\\",
    "/freqtrade/user_data/my_memory",
    # Markdown, HTML, spreadsheets, templates
    "<script>alert(1)</script>",
    "</td><b>&amp;",
    "a | b || c",
    "@everyone <@123> ~~x~~",
    "=1+1",
    "{pair} {0} {{ x }} %s %d",
    "'\"",
    # control characters
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "bell\x07 back\x08 tab\t",
    "two\nlines\r\nthree\rfour",
    "nul\x00 del\x7f nel\x85",
    "\u202etxt.exe\u202c",
    "\u2066isolate\u2069 \u200emark\u200f",
    "separators\u2028and\u2029more",
    "hidden\u200b\ufeff\U000e0041",
    "half \ud83d of a pair",
    # as they are
    "größer ≥ 5 € 買い",
    "👨‍👩‍👧 family",
    "x" * 5_000,
)
"""A tag, a pair, a strategy's name or an error may be any of these."""

CONTROLS = frozenset(
    [chr(code) for code in (*range(32), *range(0x7F, 0xA0))]
    + list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
)
"""C0, C1, DEL, bidi controls and separators: none may reach a person's screen."""
