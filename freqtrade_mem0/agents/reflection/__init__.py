"""Words for what statistics found, by a language model, on request and never on the trading path.

`findings` collects what the model is given, `prompt` asks, `checking` discards an answer that goes
beyond it, `budget` bounds a day, `reflect` does all of it.
"""
