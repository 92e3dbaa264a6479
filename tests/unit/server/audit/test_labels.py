from sealstead.server.audit import tags
from sealstead.server.audit.labels import LABELS


def test_every_tag_has_a_label() -> None:
    catalogue = {value for name, value in vars(tags).items() if name.isupper()}
    assert catalogue == set(LABELS)
