from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sealstead.server.accounts"
    label = "accounts"
