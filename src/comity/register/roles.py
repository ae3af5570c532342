"""The roles of people of a house, and which one person never has together (``spec/places.md`` step 3)."""

from __future__ import annotations

from comity.register.verdict import no

ROOT = "root"
"""The signer name of the party's root key."""
SECURITY_OFFICER = "security-officer"
"""Role that enrols people, grants clearances, keeps lists and facilities."""
RELEASE_AUTHORITY = "release-authority"
"""Role that approves a release; never its requester."""
ASSURANCE_OFFICER = "assurance-officer"
"""Role that gives the assurance of Article 7.5 to the other party."""
AGREEMENT_AUTHORITY = "agreement-authority"
"""Role that acknowledges the digest of an agreement."""
OFFICER = "officer"
"""Role that asks for a release."""
REGISTRY = "registry"
"""Role that keeps the register and marks what arrives."""
READER = "reader"
"""Role of somebody who is given things to read; it opens nothing by itself."""
AUDITOR = "auditor"
"""Role that lists, verifies and exports evidence, and releases nothing."""
ADMINISTRATOR = "administrator"
"""Role that keeps the node running: it neither sees content nor approves anything."""
ROLES = (
    SECURITY_OFFICER,
    RELEASE_AUTHORITY,
    ASSURANCE_OFFICER,
    AGREEMENT_AUTHORITY,
    OFFICER,
    REGISTRY,
    READER,
    AUDITOR,
    ADMINISTRATOR,
)
"""Every role a person can have."""
UNLISTED = frozenset({AUDITOR, ADMINISTRATOR})
"""Roles by which nobody receives or signs anything across; who has no other stands in no directory."""
APART: tuple[tuple[str, frozenset[str], str], ...] = (
    (
        AUDITOR,
        frozenset({OFFICER, RELEASE_AUTHORITY, ASSURANCE_OFFICER, REGISTRY}),
        "nobody audits what he helps to release",
    ),
    (
        ADMINISTRATOR,
        frozenset(ROLES) - {ADMINISTRATOR},
        "whoever keeps the node running neither sees content, approves nor audits",
    ),
)
"""Which roles one person never has together, and why (``spec/places.md`` step 3)."""


def check_apart(roles: tuple[str, ...]) -> None:
    """Check that nobody gets two roles whose point is that two people have them.

    Raises:
        Rejected: these roles are kept apart.
    """
    for role, others, why in APART:
        together = sorted(others & set(roles))
        if role in roles and together:
            raise no(
                "roles-apart",
                f"one person cannot be {role!r} and {together[0]!r}: {why}; give these roles to two people",
            )
