from django.apps import AppConfig


class IndexConfig(AppConfig):
    name = "sealstead.server.index"
    label = "index"

    def ready(self) -> None:
        from sealstead.server.accounts import administer
        from sealstead.server.credentials import projects
        from sealstead.server.index.directory import IndexDirectory
        from sealstead.server.index.last_owner import owned_alone

        projects.register(IndexDirectory())
        administer.register_keeper(owned_alone)
