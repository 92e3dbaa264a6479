from django.apps import AppConfig


class IndexConfig(AppConfig):
    name = "sealstead.server.index"
    label = "index"
