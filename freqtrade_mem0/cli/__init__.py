"""The command `freqtrade-mem0`: a module per group of commands, options in Freqtrade's style."""
