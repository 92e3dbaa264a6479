from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CredentialsConfig(AppConfig):
    name = "sealstead.server.credentials"
    label = "credentials"

    def ready(self) -> None:
        from sealstead.server.accounts import sections
        from sealstead.server.credentials import reminders
        from sealstead.server.credentials.person_keys import keys_context
        from sealstead.server.credentials.section import section_context

        sections.register(
            "api-tokens", _("API tokens and keys"), "credentials/section.html", section_context, order=300
        )
        reminders.register_all()
        sections.register_for_person(
            "keys", _("Keys and tokens"), "credentials/person.html", keys_context, order=300
        )
