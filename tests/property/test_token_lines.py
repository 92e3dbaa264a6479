"""Whatever is done to a line of tokens, in whatever order: the rules of rotation and revocation hold in the database."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from tests.rows import make_user
from tests.tokens import ORIGIN, T0, issue_token

from sealstead.errors import SealsteadError
from sealstead.lifecycle.states import is_accepted
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate import rotate_upload_token
from sealstead.server.credentials.states import moments_of

LINK = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), LINK, st.sampled_from([0, 1, 7, 30])),
        st.tuples(st.just("revoke"), LINK, st.booleans()),
        st.tuples(st.just("use"), LINK, st.none()),
        st.tuples(st.just("wait"), st.integers(1, 40), st.none()),
    ),
    max_size=10,
)


class Lines(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(STEPS)
    def test_rules_hold_after_every_step(self, steps: list[tuple[str, int, object]]) -> None:
        owner = make_user()
        at = T0
        row, token = issue_token(owner=owner, expires_at=T0 + timedelta(days=60))
        links = [(row, token)]
        revoked = set()
        for number, (what, which, how) in enumerate(steps):
            at += timedelta(days=which) if what == "wait" else timedelta(minutes=1)
            row, token = links[which % len(links)]
            try:
                if what == "rotate":
                    assert isinstance(how, int)
                    links.append(
                        rotate_upload_token(
                            row,
                            actor=owner,
                            overlap=timedelta(days=how),
                            idempotency_key=str(number),
                            at=at,
                            origin=ORIGIN,
                        )
                    )
                elif what == "revoke":
                    revoke(row, actor=owner, at=at, origin=ORIGIN, only_this=bool(how))
                    revoked.add(row.pk)
                elif what == "use":
                    judge_upload_token(token, at=at, origin=ORIGIN)
            except SealsteadError:
                pass
            rows = {one.pk: one for one in Credential.objects.filter(owner=owner)}
            living = [
                one.predecessor_id for one in rows.values() if one.predecessor_id and not one.revoked_at
            ]
            assert len(living) == len(set(living)), "two living successors of one credential"
            assert len({one.line for one in rows.values()}) == 1
            assert sum(one.holds_name for one in rows.values()) <= 1
            for row, _ in links:
                now = rows[row.pk]
                assert not (row.pk in revoked and is_accepted(moments_of(now), at))
                if now.retires_at and now.expires_at:
                    assert now.retires_at <= now.expires_at
                assert (now.sealed_root is None) == (now.revoked_at is not None)
        # At the end, what the judge says is what the moments say, for every token that was ever shown.
        for row, token in links:
            row.refresh_from_db()
            try:
                judge_upload_token(token, at=at, origin=ORIGIN)
                good = True
            except SealsteadError:
                good = False
            assert good == is_accepted(moments_of(row), at)
