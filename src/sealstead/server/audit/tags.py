"""The catalogue of events: `noun:verb`. A tag, once written, keeps its meaning for ever.

What a page calls each of them stands in `labels.py`; a test holds the two lists against each other.
"""

from __future__ import annotations

from typing import Final

ACCOUNT_CREATED: Final = "account:created"
ACCOUNT_DISABLED: Final = "account:disabled"
ACCOUNT_ENABLED: Final = "account:enabled"
ACCOUNT_EDITED: Final = "account:edited"
ACCOUNT_DELETED: Final = "account:deleted"
ADMINISTRATOR_GIVEN: Final = "account:administrator-given"
ADMINISTRATOR_TAKEN: Final = "account:administrator-taken"
SIGNED_IN: Final = "account:signed-in"
SIGN_IN_REFUSED: Final = "account:sign-in-refused"
SIGNED_OUT: Final = "account:signed-out"
PASSWORD_CHANGED: Final = "account:password-changed"
PASSWORD_RESET_REQUESTED: Final = "account:password-reset-requested"
TEMPORARY_PASSWORD_GIVEN: Final = "account:temporary-password-given"
EMAIL_ADDED: Final = "account:email-added"
EMAIL_REMOVED: Final = "account:email-removed"
EMAIL_CONFIRMED: Final = "account:email-confirmed"
EMAIL_CHANGED: Final = "account:email-changed"
SECOND_FACTOR_ADDED: Final = "account:second-factor-added"
SECOND_FACTOR_REMOVED: Final = "account:second-factor-removed"
RECOVERY_CODES_ISSUED: Final = "account:recovery-codes-issued"
RECOVERY_CODE_USED: Final = "account:recovery-code-used"

TOKEN_ISSUED: Final = "upload-token:issued"
TOKEN_ROTATED: Final = "upload-token:rotated"
TOKEN_ROTATION_REFUSED: Final = "upload-token:rotation-refused"
TOKEN_REVOKED: Final = "upload-token:revoked"
TOKEN_REMOVED: Final = "upload-token:removed"
TOKEN_REFUSED: Final = "upload-token:refused"

API_KEY_ISSUED: Final = "api-key:issued"
API_KEY_ROTATED: Final = "api-key:rotated"
API_KEY_ROTATION_REFUSED: Final = "api-key:rotation-refused"
API_KEY_SECOND_ROTATION: Final = "api-key:second-rotation"
API_KEY_REGENERATED: Final = "api-key:regenerated"
API_KEY_DISABLED: Final = "api-key:disabled"
API_KEY_ENABLED: Final = "api-key:enabled"
API_KEY_REVOKED: Final = "api-key:revoked"
API_KEY_REMOVED: Final = "api-key:removed"
API_KEY_REFUSED: Final = "api-key:refused"

FILE_UPLOADED: Final = "file:uploaded"
FILE_UNCHANGED: Final = "file:unchanged"
FILE_REFUSED: Final = "file:refused"
FILE_REMOVED: Final = "file:removed"

RELEASE_YANKED: Final = "release:yanked"
RELEASE_UNYANKED: Final = "release:unyanked"
RELEASE_REMOVED: Final = "release:removed"

PROJECT_CREATED: Final = "project:created"
PROJECT_RESERVED: Final = "project:reserved"
PROJECT_ARCHIVED: Final = "project:archived"
PROJECT_ACTIVATED: Final = "project:activated"
PROJECT_QUARANTINED: Final = "project:quarantined"
PROJECT_REMOVED: Final = "project:removed"

ROLE_INVITED: Final = "role:invited"
ROLE_WITHDRAWN: Final = "role:invitation-withdrawn"
ROLE_ACCEPTED: Final = "role:accepted"
ROLE_DECLINED: Final = "role:declined"
ROLE_CHANGED: Final = "role:changed"
ROLE_REMOVED: Final = "role:removed"
ROLE_LEFT: Final = "role:left"

INDEX_SWITCHED: Final = "index:switched"

CERTIFICATE_CREATED: Final = "certificate:created"
CERTIFICATE_LOADED: Final = "certificate:loaded"
CERTIFICATE_RENAMED: Final = "certificate:renamed"
CERTIFICATE_ENABLED: Final = "certificate:enabled"
CERTIFICATE_DISABLED: Final = "certificate:disabled"
CERTIFICATE_REMOVED: Final = "certificate:removed"
CERTIFICATE_GRANTED: Final = "certificate:granted"
CERTIFICATE_WITHDRAWN: Final = "certificate:withdrawn"

SIGNED: Final = "signature:made"
SIGNING_REFUSED: Final = "signature:refused"
