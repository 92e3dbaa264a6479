from django.apps import AppConfig


class SigningConfig(AppConfig):
    name = "sealstead.server.signing"
    label = "signing"
