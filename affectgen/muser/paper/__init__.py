"""MusER's published structure (Ji & Yang, AAAI 2024) in this project's framework, to stand in one table beside ours."""
