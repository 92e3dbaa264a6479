"""What every page shares: static files, content security policy, language, help and security pages.

Knows no app: the apps' templates extend `base.html`, nothing here imports them.
"""
