"""The honest comparison: one strategy in Freqtrade's own engine, with and without memory.

Reading order: `engine` runs Freqtrade, `pool` does so for several strategies; `trades` is what they
hand back; `returns`, `bootstrap` (on `blocks`), `null`, `multiple`, `periods`, `groups` and
`calibration` are the statistics; `comparison` puts them together, `verdict` says in one sentence
what they show; `report_html` (on `plots`) draws them.
"""
