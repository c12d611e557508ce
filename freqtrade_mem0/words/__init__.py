"""How numbers and the text of others are shown, in every output channel."""
