from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sealstead.server.accounts"
    label = "accounts"

    def ready(self) -> None:
        from sealstead.server.accounts import account_sections, events

        events.connect()
        account_sections.register_all()
