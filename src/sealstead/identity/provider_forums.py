"""Rows of the provider table for forums and communities."""

from __future__ import annotations

from sealstead.identity.providers import Form, Provider, Source

_FOREM_USER = Source(
    url="{scheme}://{host}/api/users/by_username?url={user}", where=("summary", "website_url")
)
_FOREM_POST = Source(
    url="{scheme}://{host}/api/articles/{user}/{post}",
    where=("body_markdown", "body_html"),
    owner=(("user/username", "{user}"),),
)
_FOREM_FACTS = (("name", "name"), ("about", "summary"), ("made", "joined_at"))


FORUMS = (
    Provider(
        name="stack-exchange",
        title="Stack Exchange account",
        hosts=(
            "stackoverflow.com",
            "*.stackoverflow.com",
            "serverfault.com",
            "superuser.com",
            "askubuntu.com",
            "mathoverflow.net",
            "stackapps.com",
            "*.stackexchange.com",
        ),
        paths=("/users/{id:digits}", "/users/{id:digits}/{user}"),
        sources=(
            Source(
                # The filter is a name of theirs for "with about_me", which is left out by default.
                url="https://api.stackexchange.com/2.3/users/{id}?site={host}&filter=!AH)b5JqVyImf",
                where=("items/*/about_me", "items/*/website_url"),
            ),
        ),
        paste="the text `about me` of your profile",
        form=Form.FULL,
        example="https://stackoverflow.com/users/1234/ada",
        facts=(("name", "items/0/display_name"), ("about", "items/0/about_me")),
    ),
    Provider(
        name="hacker-news",
        title="Hacker News account",
        hosts=("news.ycombinator.com",),
        paths=("/user?id={user}",),
        sources=(Source(url="https://hacker-news.firebaseio.com/v0/user/{user}.json", where=("about",)),),
        paste="the text `about` of your profile",
        form=Form.FULL,
        example="https://news.ycombinator.com/user?id=ada",
        facts=(("name", "id"), ("about", "about"), ("made", "created")),
    ),
    Provider(
        name="reddit",
        title="Reddit account",
        hosts=("reddit.com", "old.reddit.com"),
        paths=("/user/{user}", "/u/{user}"),
        sources=(
            Source(
                url="https://www.reddit.com/user/{user}/about.json",
                where=("data/subreddit/public_description", "data/subreddit/title"),
                owner=(("data/name", "{user}"),),
            ),
        ),
        paste="your description on Reddit (200 characters)",
        form=Form.TINY,
        example="https://www.reddit.com/user/ada",
        facts=(
            ("name", "data/name"),
            ("about", "data/subreddit/public_description"),
            ("made", "data/created_utc"),
        ),
    ),
    Provider(
        name="reddit-post",
        title="Reddit post",
        hosts=("reddit.com", "old.reddit.com"),
        paths=("/user/{user}/comments/{id}", "/user/{user}/comments/{id}/{slug}"),
        sources=(
            Source(
                url="https://www.reddit.com/user/{user}/comments/{id}.json",
                where=("0/data/children/0/data/selftext",),
                owner=(("0/data/children/0/data/author", "{user}"),),
            ),
        ),
        paste="the text of the post on your own profile",
        form=Form.FULL,
        example="https://www.reddit.com/user/ada/comments/abc123/proof",
    ),
    Provider(
        name="discourse",
        title="Account of a Discourse forum",
        kinds=("discourse",),
        recognised=True,
        paths=("/u/{user}", "/u/{user}/summary"),
        sources=(Source(url="{scheme}://{host}/u/{user}.json", where=("user/bio_raw", "user/bio_cooked")),),
        paste="the text `about me` of your profile on {host}",
        form=Form.FULL,
        example="https://discuss.ada.example/u/ada",
        facts=(("name", "user/name"), ("about", "user/bio_raw"), ("made", "user/created_at")),
    ),
    Provider(
        name="lemmy",
        title="Lemmy account",
        kinds=("lemmy",),
        recognised=True,
        paths=("/u/{user:account}",),
        sources=(
            Source(url="{scheme}://{host}/api/v3/user?username={user}", where=("person_view/person/bio",)),
        ),
        paste="your bio on {host} (300 characters)",
        form=Form.TINY,
        example="https://lemmy.ada.example/u/ada",
        facts=(
            ("name", "person_view/person/display_name"),
            ("about", "person_view/person/bio"),
            ("made", "person_view/person/published"),
        ),
    ),
    Provider(
        name="dev-to",
        title="DEV account",
        hosts=("dev.to",),
        paths=("/{user}",),
        sources=(_FOREM_USER,),
        paste="your bio on DEV (200 characters)",
        form=Form.TINY,
        example="https://dev.to/ada",
        facts=_FOREM_FACTS,
    ),
    Provider(
        name="dev-to-post",
        title="Post on DEV",
        hosts=("dev.to",),
        paths=("/{user}/{post}",),
        sources=(_FOREM_POST,),
        paste="the text of the post",
        form=Form.FULL,
        example="https://dev.to/ada/my-proof-1abc",
    ),
    Provider(
        name="forem",
        title="Account of a Forem community",
        kinds=("forem",),
        paths=("/{user}",),
        sources=(_FOREM_USER,),
        paste="your bio on {host} (200 characters)",
        form=Form.TINY,
        example="https://community.ada.example/ada",
        facts=_FOREM_FACTS,
    ),
    Provider(
        name="forem-post",
        title="Post in a Forem community",
        kinds=("forem",),
        paths=("/{user}/{post}",),
        sources=(_FOREM_POST,),
        paste="the text of the post",
        form=Form.FULL,
        example="https://community.ada.example/ada/my-proof-1abc",
    ),
    Provider(
        name="lobsters",
        title="Lobsters account",
        hosts=("lobste.rs",),
        paths=("/~{user}", "/u/{user}"),
        sources=(Source(url="https://lobste.rs/~{user}.json", where=("about", "homepage")),),
        paste="the text `about` of your profile",
        form=Form.FULL,
        example="https://lobste.rs/~ada",
        facts=(("name", "username"), ("about", "about"), ("made", "created_at")),
    ),
)
