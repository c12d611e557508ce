"""Who used which key or credential when; never its value."""
