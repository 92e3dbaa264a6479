"""Keeps the catalogues of translations. `make messages` extracts, updates and compiles; docs/guides/translate.md."""
