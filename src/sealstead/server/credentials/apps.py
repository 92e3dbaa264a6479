from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "sealstead.server.credentials"
    label = "credentials"
