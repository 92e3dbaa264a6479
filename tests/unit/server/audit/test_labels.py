from django.utils import translation

from sealstead.server.audit import tags
from sealstead.server.audit.labels import LABELS, shown_details


def test_every_tag_has_a_label() -> None:
    catalogue = {value for name, value in vars(tags).items() if name.isupper()}
    assert catalogue == set(LABELS)


def test_details_are_shown_in_the_visitors_language() -> None:
    details = {
        "expires_at": "2027-02-19T12:19:49+00:00",
        "size": 2048,
        "role": "owner",
        "name": "owner",
        "reason": "",
    }
    with translation.override("de"):
        assert dict(shown_details(details)) == {
            "läuft ab": "19. Februar 2027 12:19 UTC",
            "Größe": "2,0\xa0KB",
            "Rolle": "Eigentümer",
            "Name": "owner",  # what a person typed is not translated
        }


def test_a_batch_of_files_is_named_briefly() -> None:
    files = [{"name": f"{number}.exe", "digest": f"{number:064x}"} for number in range(7)]
    shown = dict(shown_details({"files": files}))["files"]
    assert shown.startswith("0.exe (0000000000000000), 1.exe (")
    assert shown.endswith(" +2")
    assert dict(shown_details({"files": [{"digest": "ab" * 32}]}))["files"] == "(abababababababab)"
