from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SigningConfig(AppConfig):
    name = "sealstead.server.signing"
    label = "signing"

    def ready(self) -> None:
        from sealstead.server.accounts import sections
        from sealstead.server.signing import reminders
        from sealstead.server.signing.person import person_context

        sections.register_for_person(
            "certificates", _("Certificates"), "signing/person.html", person_context, order=400
        )
        reminders.register_all()
