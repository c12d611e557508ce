"""Risk events: how they are found, and how much they damp the stakes that follow. No I/O.

* `event_type`, `events`: what defines a type of event, and one module for each type.
* `event_record`: makes the records.
* `sequence`: shows trades to the detectors in market order; its state can be saved and restored.
* `watch`: brings trades into market order, whatever order they arrive in.
* `damping`: how much active events damp a stake, and how that wears off.
* `log`: what a session uses of all this.
"""
