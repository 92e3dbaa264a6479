"""Rows of the provider table for places where software is kept: forges and package indexes."""

from __future__ import annotations

from sealstead.identity.providers import Form, Place, Provider, Source

_README = ("README.md", "README.rst", "README")


def _forgejo(
    name: str, title: str, example_host: str, *, hosts: tuple[str, ...] = ()
) -> tuple[Provider, ...]:
    """Forgejo and Gitea answer alike, whoever runs them."""
    api = "{scheme}://{host}/api/v1"
    return (
        Provider(
            name=name,
            title=f"{title} account",
            hosts=hosts,
            kinds=() if hosts else (name,),
            paths=("/{user}",),
            sources=(
                Source(url=f"{api}/users/{{user}}", where=("description", "website")),
                Source(url=f"{api}/repos/{{user}}/.profile/raw/README.md", place=Place.TEXT),
            ),
            paste="your biography on {host}, or README.md of your repository .profile",
            form=Form.TINY,
            example=f"https://{example_host}/ada",
            facts=(("name", "full_name"), ("about", "description"), ("made", "created")),
        ),
        Provider(
            name=f"{name}-repository",
            title=f"{title} repository",
            hosts=hosts,
            kinds=() if hosts else (name, f"{name}-repository"),
            paths=("/{user}/{repository}",),
            sources=(
                Source(url=f"{api}/repos/{{user}}/{{repository}}", where=("description",)),
                Source(url=f"{api}/repos/{{user}}/{{repository}}/raw/README.md", place=Place.TEXT),
            ),
            paste="README.md of {user}/{repository}, or its description",
            form=Form.FULL,
            example=f"https://{example_host}/ada/engine",
            facts=(("name", "full_name"), ("about", "description"), ("made", "created_at")),
        ),
    )


FORGES = (
    Provider(
        name="github-gist",
        title="GitHub gist",
        hosts=("gist.github.com",),
        paths=("/{user}/{id:hex}",),
        sources=(
            Source(
                url="https://api.github.com/gists/{id}",
                where=("files/*/content", "description"),
                owner=(("owner/login", "{user}"),),
            ),
        ),
        paste="any file of the gist",
        form=Form.FULL,
        example="https://gist.github.com/ada/0123456789abcdef0123456789abcdef",
        facts=(("name", "owner/login"), ("about", "description"), ("made", "created_at")),
    ),
    Provider(
        name="github",
        title="GitHub account",
        hosts=("github.com",),
        paths=("/{user}",),
        sources=(
            # The file first: it is not counted against the few questions an hour that strangers may ask.
            Source(url="https://raw.githubusercontent.com/{user}/{user}/HEAD/README.md", place=Place.TEXT),
            Source(url="https://api.github.com/users/{user}", where=("bio", "blog")),
        ),
        paste="README.md of your repository {user}/{user}, which your profile shows, or your biography",
        form=Form.FULL,
        example="https://github.com/ada",
        facts=(("name", "name"), ("about", "bio"), ("made", "created_at")),
    ),
    Provider(
        name="github-repository",
        title="GitHub repository",
        hosts=("github.com",),
        paths=("/{user}/{repository}",),
        sources=(
            *(
                Source(
                    url=f"https://raw.githubusercontent.com/{{user}}/{{repository}}/HEAD/{name}",
                    place=Place.TEXT,
                )
                for name in _README[:2]
            ),
            Source(url="https://api.github.com/repos/{user}/{repository}", where=("description", "homepage")),
        ),
        paste="README.md of {user}/{repository}",
        form=Form.FULL,
        example="https://github.com/ada/engine",
        facts=(("name", "full_name"), ("about", "description"), ("made", "created_at")),
    ),
    Provider(
        name="gitlab",
        title="GitLab account",
        hosts=("gitlab.com",),
        kinds=("gitlab",),
        paths=("/{user}",),
        sources=(
            Source(url="{scheme}://{host}/{user}/{user}/-/raw/HEAD/README.md", place=Place.TEXT),
            Source(
                url="{scheme}://{host}/api/v4/projects/{user}%2Fpypi_profile_proof", where=("description",)
            ),
        ),
        paste="README.md of your project {user}/{user}, or the description of a project {user}/pypi_profile_proof",
        form=Form.FULL,
        example="https://gitlab.com/ada",
        facts=(("name", "namespace/name"), ("about", "description"), ("made", "created_at")),
    ),
    Provider(
        name="gitlab-project",
        title="GitLab project",
        hosts=("gitlab.com",),
        kinds=("gitlab", "gitlab-project"),
        paths=("/{user}/{repository}",),
        sources=(
            Source(url="{scheme}://{host}/{user}/{repository}/-/raw/HEAD/README.md", place=Place.TEXT),
            Source(url="{scheme}://{host}/api/v4/projects/{user}%2F{repository}", where=("description",)),
        ),
        paste="README.md of {user}/{repository}, or the project's description",
        form=Form.FULL,
        example="https://gitlab.com/ada/engine",
        facts=(("name", "name_with_namespace"), ("about", "description"), ("made", "created_at")),
    ),
    *_forgejo("codeberg", "Codeberg", "codeberg.org", hosts=("codeberg.org",)),
    *_forgejo("gitea-com", "Gitea Cloud", "gitea.com", hosts=("gitea.com",)),
    *_forgejo("forgejo", "Forgejo", "git.ada.example"),
    *_forgejo("gitea", "Gitea", "gitea.ada.example"),
    Provider(
        name="bitbucket",
        title="Bitbucket repository",
        hosts=("bitbucket.org",),
        paths=("/{user}/{repository}",),
        sources=(
            Source(
                url="https://api.bitbucket.org/2.0/repositories/{user}/{repository}", where=("description",)
            ),
            Source(url="https://bitbucket.org/{user}/{repository}/raw/HEAD/README.md", place=Place.TEXT),
        ),
        paste="README.md of {user}/{repository}, or its description",
        form=Form.FULL,
        example="https://bitbucket.org/ada/engine",
        facts=(("name", "full_name"), ("about", "description"), ("made", "created_on")),
    ),
    Provider(
        name="sourcehut",
        title="SourceHut account",
        hosts=("sr.ht",),
        paths=("/~{user}",),
        sources=(Source(url="https://sr.ht/~{user}/", place=Place.TEXT),),
        paste="your biography on meta.sr.ht",
        form=Form.COMPACT,
        example="https://sr.ht/~ada",
    ),
    Provider(
        name="launchpad",
        title="Launchpad account",
        hosts=("launchpad.net",),
        paths=("/~{user}",),
        sources=(Source(url="https://api.launchpad.net/1.0/~{user}", where=("description",)),),
        paste="your description on Launchpad",
        form=Form.FULL,
        example="https://launchpad.net/~ada",
        facts=(("name", "display_name"), ("about", "description"), ("made", "date_created")),
    ),
    Provider(
        name="pypi-project",
        title="Project on PyPI",
        hosts=("pypi.org", "test.pypi.org"),
        paths=("/project/{project}",),
        sources=(
            Source(
                url="https://{host}/pypi/{project}/json",
                where=("info/description", "info/summary", "info/project_urls/*"),
            ),
        ),
        paste="the description (README) of {project}, with its next release",
        form=Form.FULL,
        example="https://pypi.org/project/engine/",
        facts=(("name", "info/name"), ("about", "info/summary"), ("version", "info/version")),
    ),
    Provider(
        name="pypi-user",
        title="Account on PyPI",
        hosts=("pypi.org", "test.pypi.org"),
        paths=("/user/{user}",),
        sources=(),
        closed="the index has no place where a user could put a proof",
        paste="nowhere: put it into a project's description",
        form=Form.FULL,
        example="https://pypi.org/user/ada/",
    ),
    Provider(
        name="npm",
        title="Package on npm",
        hosts=("npmjs.com",),
        paths=("/package/{project}",),
        sources=(Source(url="https://registry.npmjs.org/{project}", where=("readme", "description")),),
        paste="the README of {project}, with its next release",
        form=Form.FULL,
        example="https://www.npmjs.com/package/engine",
        facts=(("name", "name"), ("about", "description"), ("made", "time/created")),
    ),
    Provider(
        name="crates",
        title="Crate on crates.io",
        hosts=("crates.io",),
        paths=("/crates/{project}",),
        sources=(Source(url="https://crates.io/api/v1/crates/{project}", where=("crate/description",)),),
        paste="the description of {project} in Cargo.toml, with its next release",
        form=Form.COMPACT,
        example="https://crates.io/crates/engine",
        facts=(("name", "crate/name"), ("about", "crate/description"), ("made", "crate/created_at")),
    ),
    Provider(
        name="docker-hub",
        title="Repository on Docker Hub",
        hosts=("hub.docker.com",),
        paths=("/r/{user}/{repository}",),
        sources=(
            Source(
                url="https://hub.docker.com/v2/repositories/{user}/{repository}/",
                where=("full_description", "description"),
            ),
        ),
        paste="the overview of {user}/{repository}",
        form=Form.FULL,
        example="https://hub.docker.com/r/ada/engine",
        facts=(("name", "name"), ("about", "description"), ("made", "date_registered")),
    ),
    Provider(
        name="hugging-face",
        title="Repository on Hugging Face",
        hosts=("huggingface.co",),
        paths=("/{user}/{repository}",),
        sources=(
            Source(url="https://huggingface.co/{user}/{repository}/raw/main/README.md", place=Place.TEXT),
        ),
        paste="README.md of {user}/{repository}",
        form=Form.FULL,
        example="https://huggingface.co/ada/engine",
    ),
)
