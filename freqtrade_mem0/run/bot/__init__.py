"""What a dry-run or live bot needs beside sizing; a backtest imports none of it."""
