"""Tables of Azure Table Storage, by ``azure.data.tables.aio``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.async_paging import AsyncItemPaged
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError as ClientError
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import EdmType, EntityProperty, TableEntity, TransactionOperation, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from adapters.tables.store import store_over
from adapters.tables.table import ANY, NAME, Columns, Row, Where
from rollout.ports.errors import AzureError, Busy, Refused
from rollout.ports.keys import Key, KeyRange
from rollout.ports.store import Store
from settings import Settings

#: What every request may take: an activity that waits for storage longer than this had better be tried again.
#: Backing off 0, 1.6 and 3.2 seconds, as azure-core does by default, the last attempt ends within a minute.
CLIENT_OPTIONS: Mapping[str, Any] = {
    "retry_total": 3,
    "connection_timeout": 10,
    "read_timeout": 10,
}

#: Rows in a page, and in a transaction, at most
#: (https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions).
LARGEST_PAGE = 1000
LARGEST_TRANSACTION = 100

#: The columns that name a row.
KEYS = ["PartitionKey", "RowKey"]

#: Bytes of rows in a transaction, leaving room for each row's headers and types. The service takes 4 MiB, but aiohttp
#: warns above 1 MiB that sending a body at one go holds up the event loop.
LONGEST_TRANSACTION = 800_000

#: Transactions of one ``put`` that are under way together.
CONCURRENT_TRANSACTIONS = 4

#: Rows of one ``sweep`` that are being removed together.
CONCURRENT_DELETIONS = 50


def connect(settings: Settings, credential: AsyncTokenCredential | None = None) -> TableServiceClient:
    """A client for the account that the settings name; the caller keeps it for the life of the process, and closes it.

    ``ValueError``: neither a connection string, nor an endpoint together with a ``credential``.
    """
    if settings.tables_connection:
        return TableServiceClient.from_connection_string(settings.tables_connection, **CLIENT_OPTIONS)
    if not settings.tables_endpoint or credential is None:
        raise ValueError("Table Storage needs TEAL_TABLES_ENDPOINT and a credential, or TEAL_TABLES_CONNECTION")
    return TableServiceClient(settings.tables_endpoint, credential=credential, **CLIENT_OPTIONS)


def table_store(service: TableServiceClient, prefix: str = "Teal") -> Store:
    """The store in this account, in tables whose names begin with ``prefix``."""
    return store_over(lambda name: ServiceTable(service, f"{prefix}{name}"))


class ServiceTable:
    """One table of the account, made when it is first needed."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._service = service
        self._name = name
        self._client = service.get_table_client(name)
        self._made = False
        self._making = asyncio.Lock()

    async def get(self, key: Key) -> Row | None:
        await self._make()
        with _client_errors():
            try:
                return _row(await self._client.get_entity(key.partition, key.row))
            except ResourceNotFoundError:
                return None

    async def insert(self, key: Key, columns: Columns) -> bool:
        """As the port has it, in one attempt, for the reason that ``replace`` has."""
        await self._make()
        with _client_errors():
            try:
                await self._client.create_entity(_entity(key, columns), retry_total=0)
            except ResourceExistsError as error:
                # The client calls every 409 so, that of a table being deleted too.
                if _code_and_message(error)[0] != "EntityAlreadyExists":
                    raise
                return False
            return True

    async def replace(self, key: Key, columns: Columns, etag: str) -> bool:
        """As the port has it, in one attempt: where its answer is lost, a second finds the row changed by the first."""
        await self._make()
        with _client_errors():
            try:
                await self._client.update_entity(
                    _entity(key, columns),
                    UpdateMode.REPLACE,
                    etag=etag,
                    match_condition=MatchConditions.IfNotModified,
                    retry_total=0,
                )
            except HttpResponseError as error:
                if error.status_code not in (404, 412):
                    raise
                return False
            return True

    async def put(self, partition: str, rows: Mapping[str, Columns]) -> None:
        await self._make()
        entities = [_entity(Key(partition, row), columns) for row, columns in rows.items()]
        with _client_errors():
            if len(entities) == 1:
                await self._client.upsert_entity(entities[0], UpdateMode.REPLACE)
            else:
                await _transact(self._client, entities)

    async def list(
        self, partition: str, within: KeyRange | None, limit: int | None, where: Where = ANY
    ) -> tuple[Row, ...]:
        await self._make()
        rows: list[Row] = []
        page = min(limit or LARGEST_PAGE, LARGEST_PAGE)
        with _client_errors():
            async for entity in _query(self._client, partition, within, page, where=where):
                rows.append(_row(entity))
                if len(rows) == limit:
                    break
        return tuple(rows)

    async def since(self, partition: str, mark: str) -> tuple[tuple[Row, ...], str]:
        """As the port has it. A mark is the time of a write as the service tells it, to a ten-millionth of a second."""
        await self._make()
        term = "PartitionKey eq @partition" + (f" and Timestamp gt datetime'{mark}'" if mark else "")
        rows: list[Row] = []
        with _client_errors():
            async for entity in self._client.query_entities(
                term, parameters={"partition": partition}, results_per_page=LARGEST_PAGE
            ):
                rows.append(_row(entity))
                mark = max(mark, _time_of(entity))
        return tuple(rows), mark

    async def delete(self, key: Key) -> None:
        await self._make()
        with _client_errors():
            await self._client.delete_entity(key.partition, key.row)

    async def scan(self, within: KeyRange | None, wanted: Callable[[Row], bool], limit: int) -> tuple[Row, ...]:
        await self._make()
        found: list[Row] = []
        with _client_errors():
            async for entity in _query(self._client, None, within, LARGEST_PAGE):
                if wanted(row := _row(entity)):
                    found.append(row)
                if len(found) >= limit:
                    break
        return tuple(found)

    async def sweep(self, wanted: Callable[[Row], bool], limit: int) -> int:
        await self._make()
        found: list[TableEntity] = []
        with _client_errors():
            async for entity in _query(self._client, None, None, LARGEST_PAGE):
                if wanted(_row(entity)):
                    found.append(entity)
                if len(found) >= limit:
                    break
            for start in range(0, len(found), CONCURRENT_DELETIONS):
                part = found[start : start + CONCURRENT_DELETIONS]
                await asyncio.gather(*(self._remove(entity) for entity in part))
        return len(found)

    async def _remove(self, entity: TableEntity) -> None:
        """Remove a row unless somebody has written it since."""
        try:
            await self._client.delete_entity(entity, match_condition=MatchConditions.IfNotModified)
        except HttpResponseError as error:
            if error.status_code not in (404, 412):
                raise

    async def clear(self, partition: str) -> None:
        await self._make()
        with _client_errors():
            keys = [dict(entity) async for entity in _query(self._client, partition, None, LARGEST_PAGE, KEYS)]
            for start in range(0, len(keys), LARGEST_TRANSACTION):
                part = keys[start : start + LARGEST_TRANSACTION]
                await self._client.submit_transaction([(TransactionOperation.DELETE, key) for key in part])

    async def _make(self) -> None:
        if self._made:
            return
        async with self._making:
            if not self._made:
                with _client_errors():
                    await self._service.create_table_if_not_exists(self._name)
                self._made = True


def _query(
    client: TableClient,
    partition: str | None,
    within: KeyRange | None,
    page: int,
    select: list[str] | None = None,
    where: Where = ANY,
) -> AsyncItemPaged[TableEntity]:
    """``partition`` ``None``: all of them. ``select``: the columns to read, all where none is named."""
    terms, values = [], {}
    if partition is not None:
        terms, values = ["PartitionKey eq @partition"], {"partition": partition}
    if within is not None:
        terms.append("RowKey ge @start and RowKey lt @end")
        values |= {"start": within.start, "end": within.end}
    for column, texts in where.items():
        asked = {f"{column}{number}": text for number, text in enumerate(sorted(texts))}
        # The client finds its parameters between blanks.
        terms.append(f"( {' or '.join(f'{column} eq @{name}' for name in asked)} )")
        values |= asked
    if not terms:
        return client.list_entities(results_per_page=page, select=select)
    return client.query_entities(" and ".join(terms), parameters=values, results_per_page=page, select=select)


async def _transact(client: TableClient, entities: list[dict[str, Any]]) -> None:
    free = asyncio.Semaphore(CONCURRENT_TRANSACTIONS)

    async def submit(part: list[dict[str, Any]]) -> None:
        async with free:
            mode = {"mode": UpdateMode.REPLACE}
            await client.submit_transaction([(TransactionOperation.UPSERT, entity, mode) for entity in part])

    await asyncio.gather(*(submit(part) for part in _transactions(entities)))


def _entity(key: Key, columns: Columns) -> dict[str, Any]:
    return {name: _typed(value) for name, value in columns.items()} | {"PartitionKey": key.partition, "RowKey": key.row}


def _typed(value: object) -> object:
    """The client takes an ``int`` for an Edm.Int32, and refuses larger ones that do not say that they are Edm.Int64."""
    if isinstance(value, int) and not -(2**31) <= value < 2**31:
        return EntityProperty(value, EdmType.INT64)
    return value


def _row(entity: TableEntity) -> Row:
    columns = {
        name: value.value if isinstance(value, EntityProperty) else value
        for name, value in entity.items()
        if name not in ("PartitionKey", "RowKey")
    }
    return Row(columns, entity.metadata["etag"] or "", str(entity["RowKey"]))


def _time_of(entity: TableEntity) -> str:
    """When the row was written, always with as many digits, so that the text is ordered as the time is."""
    time = entity.metadata["timestamp"]
    told = getattr(time, "tables_service_value", "") or (time.isoformat() if time is not None else "")
    seconds, _, fraction = str(told).removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{seconds}.{fraction:0<7}Z"


def _transactions(entities: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    length = 0
    for entity in entities:
        size = len(json.dumps(entity))
        if len(part) == LARGEST_TRANSACTION or (part and length + size > LONGEST_TRANSACTION):
            yield part
            part, length = [], 0
        part.append(entity)
        length += size
    if part:
        yield part


@contextmanager
def _client_errors() -> Iterator[None]:
    """The client's errors as ``rollout.ports.errors``.

    What storage refuses is ``Refused``; the rest, down to an identity endpoint out of order, may pass: ``Busy``.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error


def _translated(error: ClientError) -> AzureError:
    status = getattr(error, "status_code", None) or 0
    kind = Refused if 400 <= status < 500 and status not in (408, 409, 429) else Busy
    return kind(*_code_and_message(error), by=NAME)


def _code_and_message(error: ClientError) -> tuple[str, str]:
    code = getattr(error, "error_code", None)
    if code is not None:
        return str(getattr(code, "value", code)), error.message
    try:
        # create_entity throws away what it decodes (azure/data/tables/aio/_table_client_async.py).
        said = json.loads(error.response.text())["odata.error"]  # type: ignore[attr-defined]
        return said["code"], said["message"]["value"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return type(error).__name__, error.message
