"""Pictures of what memory did to the stakes of one run or bot, in one HTML file."""
