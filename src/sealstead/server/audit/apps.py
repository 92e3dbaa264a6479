from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "sealstead.server.audit"
    label = "audit"
