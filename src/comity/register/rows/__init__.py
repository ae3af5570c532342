"""The rows of the register, and their keys (``spec/register.md`` steps 1 and 2)."""

from __future__ import annotations

import msgspec

from comity.register.rows import (
    consents,
    contradictions,
    custody,
    duties,
    ending,
    feeding,
    incidents,
    inventory,
    keys,
    lineage,
    negotiation,
    notices,
    places,
    routes,
    term,
    visits,
)
from comity.register.rows.base import Facts, Key, Row
from comity.register.rows.giving import (
    AgreementRow,
    Approval,
    AskedRow,
    AssuranceRow,
    Carrier,
    ChainRow,
    ConsignmentRow,
    CopyRow,
    CopyState,
    DecisionRow,
    DirectoryRow,
    FacilityRow,
    ItemRequestRow,
    ItemRow,
    PassageRow,
    PeerRow,
    PersonRow,
    RequestRow,
    ReturnedRow,
    SigningKeyRow,
    asked_key,
    assurance_key,
    chain_key,
    copy_key,
    directory_key,
    item_request_key,
    passage_key,
)

__all__ = [
    "TABLES",
    "AgreementRow",
    "Approval",
    "AskedRow",
    "AssuranceRow",
    "Carrier",
    "ChainRow",
    "ConsignmentRow",
    "CopyRow",
    "CopyState",
    "DecisionRow",
    "DirectoryRow",
    "FacilityRow",
    "Facts",
    "ItemRequestRow",
    "ItemRow",
    "Key",
    "PassageRow",
    "PeerRow",
    "PersonRow",
    "RequestRow",
    "ReturnedRow",
    "Row",
    "SigningKeyRow",
    "asked_key",
    "assurance_key",
    "chain_key",
    "consents",
    "contradictions",
    "copy_key",
    "custody",
    "decode_row",
    "directory_key",
    "duties",
    "encode_row",
    "ending",
    "feeding",
    "incidents",
    "inventory",
    "item_request_key",
    "keys",
    "lineage",
    "negotiation",
    "notices",
    "passage_key",
    "places",
    "routes",
    "term",
    "visits",
]

TABLES: dict[str, type[Row]] = {row.table: row for row in Row.__subclasses__()}
"""Every table of the register and the type of its rows; other tables of a store are not the register's."""

_encode = msgspec.json.Encoder().encode
_decoders = {table: msgspec.json.Decoder(kind) for table, kind in TABLES.items()}


def encode_row(row: Row) -> bytes:
    """A row as a store keeps it."""
    return _encode(row)


def decode_row(table: str, value: bytes) -> Row:
    """A row as the register reads it."""
    return _decoders[table].decode(value)
