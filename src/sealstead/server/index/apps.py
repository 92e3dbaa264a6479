from django.apps import AppConfig


class IndexConfig(AppConfig):
    name = "sealstead.server.index"
    label = "index"

    def ready(self) -> None:
        from sealstead.server.credentials import projects
        from sealstead.server.index.directory import IndexDirectory

        projects.register(IndexDirectory())
