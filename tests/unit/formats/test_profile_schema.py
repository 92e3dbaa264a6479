from __future__ import annotations

from sealstead.formats import profile_schema as schema


def test_every_annotation_names_what_the_reader_knows() -> None:
    for table in (schema.Profile, *schema.TABLES.values()):
        for key, kind in schema.keys_of(table).items():
            inner = kind.removeprefix("tuple[").partition(",")[0]
            assert inner in {"str", "bool", *schema.TABLES, *schema.CHOICES}, (table, key)


def test_required_keys_are_those_of_the_existing_tool() -> None:
    required = {name: schema.required_keys(table) for name, table in schema.TABLES.items()}
    assert {name: keys for name, keys in required.items() if keys} == {
        "Human": {"id"},
        "ProfileLink": {"kind", "label", "url"},
        "ContactMethod": {"kind", "label", "value"},
        "Package": {"name"},
        "Project": {"name"},
        "Work": {"organization"},
        "SuccessionContact": {"name"},
    }
