"""How the report looks, and what it says to every reader."""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d8dee4;--card:#f6f8fa;
--with:#0b63ce;--without:#8a5a00;--good:#116329;--bad:#a40e26}
@media (prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e6edf3;--dim:#9aa5b1;--line:#30363d;
--card:#171c23;--with:#6cb2ff;--without:#e0a84a;--good:#56d364;--bad:#ff8b8b}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1100px;margin:0 auto;padding:16px}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.25rem;margin:2rem 0 .25rem}
h3{font-size:1rem;margin:1.5rem 0 .25rem}
section{border-top:2px solid var(--line);margin-top:1.5rem}
.sub,.note,footer{color:var(--dim);font-size:.875rem;margin:.25rem 0}
.verdict{background:var(--card);border-left:4px solid var(--dim);padding:.75rem 1rem;margin:1rem 0;
font-size:1.05rem}
.verdict.good{border-color:var(--good)}.verdict.bad{border-color:var(--bad)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{color:var(--dim);font-weight:600}th:first-child,td:first-child{text-align:left;padding-left:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:1rem}
figure{margin:.5rem 0}figcaption{font-weight:600;font-size:.9rem}
svg{width:100%;height:auto;display:block}
svg text{font-size:12px;fill:var(--dim)}svg text.y{text-anchor:end}
.grid{stroke:var(--line);fill:none}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.line.with,.dots.with,.bar.with{stroke:var(--with)}
.line.without{stroke:var(--without);stroke-dasharray:5 3}
.line.scaled{stroke:var(--with);stroke-width:1.2;stroke-dasharray:2 2}
.line.guide{stroke:var(--dim);stroke-width:1;stroke-dasharray:2 3}
.dots{stroke-linecap:round;fill:none}.dots.small{stroke-width:3;opacity:.5}.dots.big{stroke-width:8}
.bar{stroke-width:1.5}
.legend{font-size:.8rem;color:var(--dim)}.key{margin-right:1rem;white-space:nowrap}
.key i{display:inline-block;width:1.2rem;border-top:3px solid var(--dim);margin-right:.35rem;
vertical-align:middle}
.key i.with{border-color:var(--with)}
.key i.without{border-color:var(--without);border-top-style:dashed}
.key i.scaled{border-top:2px dotted var(--with)}
.key i.guide{border-top:1px dashed var(--dim)}
details{margin-top:1rem}summary{cursor:pointer;font-weight:600;padding:.5rem 0}
"""

READING = """<section><h2>How to read this</h2>
<p>Both runs are Freqtrade's own backtest of the strategy as it is, on the same candles; only the
size of the stakes differs. Memory began empty and learned from the run's own closed trades.</p>
<p><b>Interval.</b> If time had dealt stretches of days like these in another order, the difference
would lie in it in about 95 of 100 cases (studentised stationary block bootstrap, both runs on the
same days).</p>
<p><b>Random sizing.</b> The same multipliers in the same order, shifted against the trades. If that
does as well, memory's sizes were no better than luck.</p>
<p><b>Timing.</b> Whether larger stakes were followed by better trades, each trade against those
after it. Memory learns from the same trades it is judged on; this test is not fooled by that.</p>
<p><b>Equal exposure.</b> A smaller bet loses less in bad times and wins less in good ones. That is
not skill, so the runs are also compared with as much at stake in both.</p>
<p><b>What it does not show.</b> That it will happen again: one strategy, one market, one past.
Settings that were chosen by looking at this period make it look better than it is. Profits are
booked when trades close, so what happened inside a trade is not seen.</p></section>"""
