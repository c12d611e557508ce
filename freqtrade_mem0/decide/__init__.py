"""From a proposed stake to an answer, with its reasons."""
