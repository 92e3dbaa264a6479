"""`sealstead profile`, also installed as `pypi-profile`: a publisher's own keys, profile and proofs."""

from __future__ import annotations

import click

from sealstead.cli.groups import LazyGroup, Places

COMMANDS: Places = {
    "init": ("sealstead.cli.profile.init:init", "Write a profile to begin with."),
    "validate": ("sealstead.cli.profile.validate:validate", "Check a profile."),
    "inspect": (
        "sealstead.cli.profile.validate:inspect",
        "Show what a profile says, and how its proofs stand.",
    ),
    "doctor": ("sealstead.cli.profile.doctor:doctor", "Look for what is wrong here."),
    "dump": ("sealstead.cli.profile.validate:dump", "Write a profile as JSON."),
    "keygen": ("sealstead.cli.profile.keygen:keygen", "Make a signing key."),
    "find-profiles": (
        "sealstead.cli.profile.find_profiles:find_profiles_command",
        "Find the profiles below a directory.",
    ),
    "sign": ("sealstead.cli.profile.sign:sign", "Sign a proof that you control a page."),
    "update-proofs": (
        "sealstead.cli.profile.update_proofs:update_proofs",
        "Sign the proofs that a profile lacks.",
    ),
    "key-info": ("sealstead.cli.profile.keys:key_info", "Show the key that signs here."),
    "key-list": ("sealstead.cli.profile.keys:key_list", "List all keys: state, age, where they are."),
    "key-password": (
        "sealstead.cli.profile.key_password:key_password",
        "Set, change or remove the passphrase of a key.",
    ),
    "key-rotate": ("sealstead.cli.profile.key_rotate:key_rotate", "Replace a key that you still have."),
    "key-recover": ("sealstead.cli.profile.key_recover:key_recover", "Replace a key that is lost."),
    "key-export": ("sealstead.cli.profile.key_transfer:key_export", "Write a copy of the secret key."),
    "key-import": ("sealstead.cli.profile.key_transfer:key_import", "Put a secret key in its place."),
    "key-revoke": (
        "sealstead.cli.profile.key_revoke:key_revoke",
        "Say that a key is not to be believed any more.",
    ),
    "key-restore": ("sealstead.cli.profile.key_restore:key_restore", "Bring an archived key back."),
    "sign-file": ("sealstead.cli.profile.sign_files:sign_file", "Sign files, as minisign does."),
    "verify-file": ("sealstead.cli.profile.sign_files:verify_file", "Check the signatures of files."),
    "fetch-claims": (
        "sealstead.cli.profile.fetch_claims:fetch_claims",
        "Ask the index and the sites what they say about a profile.",
    ),
    "fetch": ("sealstead.cli.profile.fetch_claims:fetch_claims", "The old name of fetch-claims."),
    "verify": ("sealstead.cli.profile.verify:verify", "Check what stands on the pages of a profile."),
    "completion": (
        "sealstead.cli.completion:completion",
        "Print a script that completes commands in a shell.",
    ),
}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  pypi-profile keygen                        make your signing key
  pypi-profile key-info                      which key signs here
  pypi-profile key-rotate pypi_profile.toml  replace it while you have it
""",
)
@click.version_option(
    package_name="sealstead",
    message="%(prog)s %(version)s (Sealstead; not affiliated with the owners of the name pypi-profile)",
)
def profile() -> None:
    """A publisher's own keys, a profile with signed proofs, and what checks them."""
