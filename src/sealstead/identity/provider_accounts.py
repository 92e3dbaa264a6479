"""Rows of the provider table for accounts: social networks, researchers, funding, chat, games."""

from __future__ import annotations

from sealstead.identity.providers import Form, Lookup, Place, Provider, Source

_ACTIVITY = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams", application/activity+json'
_ACTOR = Source(
    url="{url}", accept=_ACTIVITY, where=("summary", "attachment/*/value", "attachment/*/href", "content")
)

ACCOUNTS = (
    Provider(
        name="mastodon",
        title="Mastodon account",
        kinds=("mastodon", "fediverse"),
        recognised=True,
        paths=("/@{user:account}",),
        sources=(
            Source(
                url="{scheme}://{host}/api/v1/accounts/lookup?acct={user}", where=("note", "fields/*/value")
            ),
            _ACTOR,
        ),
        paste="your biography, or a field of your profile, on {host}",
        form=Form.COMPACT,
        example="https://social.ada.example/@ada",
        facts=(("name", "display_name"), ("about", "note"), ("made", "created_at")),
    ),
    Provider(
        name="activitypub",
        title="ActivityPub account or post",
        kinds=(
            "activitypub",
            "akkoma",
            "friendica",
            "gotosocial",
            "misskey",
            "pixelfed",
            "pleroma",
            "writefreely",
        ),
        paths=("/{rest:rest}",),
        sources=(_ACTOR,),
        paste="your biography, or a field of your profile, or the post itself",
        form=Form.COMPACT,
        example="https://pleroma.ada.example/users/ada",
        facts=(("name", "name"), ("about", "summary"), ("made", "published")),
    ),
    Provider(
        name="bluesky",
        title="Bluesky account",
        hosts=("bsky.app",),
        paths=("/profile/{user}",),
        sources=(
            Source(
                url="https://public.api.bsky.app/xrpc/app.bsky.actor.getProfile?actor={user}",
                where=("description",),
                owner=(("handle", "{user}"),),
            ),
        ),
        paste="your description on Bluesky (256 characters)",
        form=Form.TINY,
        example="https://bsky.app/profile/ada.example",
        facts=(("name", "displayName"), ("about", "description"), ("made", "createdAt")),
    ),
    Provider(
        name="orcid",
        title="ORCID record",
        hosts=("orcid.org",),
        paths=("/{id:orcid}",),
        sources=(
            Source(
                url="https://pub.orcid.org/v3.0/{id}/person",
                accept="application/json",
                where=(
                    "biography/content",
                    "researcher-urls/researcher-url/*/url-name",
                    "researcher-urls/researcher-url/*/url/value",
                    "keywords/keyword/*/content",
                ),
            ),
        ),
        paste="your biography on ORCID, visible to everyone",
        form=Form.FULL,
        example="https://orcid.org/0000-0002-1825-0097",
        facts=(
            ("name", "name/credit-name/value"),
            ("about", "biography/content"),
            ("family name", "name/family-name/value"),
        ),
    ),
    Provider(
        name="keybase",
        title="Keybase account",
        hosts=("keybase.io",),
        paths=("/{user}",),
        sources=(
            Source(
                url="https://keybase.io/_/api/1.0/user/lookup.json?username={user}",
                where=("them/profile/bio", "them/*/profile/bio"),
            ),
        ),
        paste="your bio on Keybase (255 characters)",
        form=Form.TINY,
        example="https://keybase.io/ada",
        facts=(("name", "them/profile/full_name"), ("about", "them/profile/bio")),
    ),
    Provider(
        name="liberapay",
        title="Liberapay account",
        hosts=("liberapay.com",),
        paths=("/{user}",),
        sources=(
            Source(
                url="https://liberapay.com/{user}/public.json",
                where=("statements/*/content", "summaries/*/content"),
            ),
        ),
        paste="your statement on Liberapay",
        form=Form.FULL,
        example="https://liberapay.com/ada",
        facts=(("name", "display_name"), ("about", "statements/0/content")),
    ),
    Provider(
        name="open-collective",
        title="Open Collective account",
        hosts=("opencollective.com",),
        paths=("/{user}",),
        sources=(
            Source(
                url="https://api.opencollective.com/graphql/v2",
                body='{"query":"query($slug:String!){account(slug:$slug){name description longDescription createdAt}}",'
                '"variables":{"slug":"<<user>>"}}',
                where=("data/account/longDescription", "data/account/description"),
            ),
        ),
        paste="the section `about` of your page",
        form=Form.FULL,
        example="https://opencollective.com/ada",
        facts=(
            ("name", "data/account/name"),
            ("about", "data/account/description"),
            ("made", "data/account/createdAt"),
        ),
    ),
    Provider(
        name="matrix",
        title="Matrix account",
        hosts=("matrix.to",),
        paths=("#/@{user:localpart}:{server:host}",),
        sources=(
            Source(
                url="{base}/_matrix/client/v3/profile/%40{user!}%3A{server!}",
                first=Lookup(
                    url="https://{server}/.well-known/matrix/client",
                    path="m.homeserver/base_url",
                    name="base",
                    otherwise="https://{server}",
                ),
                where=("org.pypi_profile.proof", "displayname"),
            ),
        ),
        paste="the field org.pypi_profile.proof of your profile (Matrix 1.16), or your display name",
        form=Form.TINY,
        example="https://matrix.to/#/@ada:ada.example",
        facts=(("name", "displayname"),),
    ),
    Provider(
        name="lichess",
        title="Lichess account",
        hosts=("lichess.org",),
        paths=("/@/{user}",),
        sources=(Source(url="https://lichess.org/api/user/{user}", where=("profile/bio", "profile/links")),),
        paste="your biography on Lichess",
        form=Form.COMPACT,
        example="https://lichess.org/@/ada",
        facts=(("name", "username"), ("about", "profile/bio"), ("made", "createdAt")),
    ),
    Provider(
        name="owncast",
        title="Owncast server",
        kinds=("owncast",),
        paths=("/",),
        sources=(
            Source(
                url="{scheme}://{host}/api/config",
                where=("socialHandles/*/url", "summary", "extraPageContent"),
            ),
        ),
        paste="the page content of your Owncast server",
        form=Form.FULL,
        example="https://live.ada.example/",
        facts=(("name", "name"), ("about", "summary")),
    ),
    Provider(
        name="peertube",
        title="PeerTube account",
        kinds=("peertube",),
        paths=("/a/{user:account}", "/accounts/{user:account}"),
        sources=(Source(url="{scheme}://{host}/api/v1/accounts/{user}", where=("description",)),),
        paste="your description on {host}",
        form=Form.FULL,
        example="https://videos.ada.example/a/ada",
        facts=(("name", "displayName"), ("about", "description"), ("made", "createdAt")),
    ),
    Provider(
        name="gravatar",
        title="Gravatar profile",
        hosts=("gravatar.com",),
        paths=("/{user}",),
        sources=(
            Source(
                url="https://gravatar.com/{user}.json",
                where=("entry/*/aboutMe", "entry/*/urls/*/value"),
                anywhere=True,
            ),
        ),
        paste="the text `about me` of your profile",
        form=Form.COMPACT,
        example="https://gravatar.com/ada",
        facts=(("name", "entry/0/displayName"), ("about", "entry/0/aboutMe")),
    ),
    Provider(
        name="telegram",
        title="Telegram channel",
        hosts=("t.me",),
        paths=("/{user}",),
        sources=(Source(url="https://t.me/{user}", place=Place.TEXT),),
        paste="the description of your channel (255 characters)",
        form=Form.TINY,
        example="https://t.me/ada",
    ),
)
