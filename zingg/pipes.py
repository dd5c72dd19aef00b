"""Pipes of Python programs: where records come from and go to, as a configuration has them."""

import json
from typing import Any

__all__ = ["BigQueryPipe", "CsvPipe", "Pipe", "SnowflakePipe", "UCPipe"]


class Pipe:
    """A place of records, by its format: csv, json, parquet, excel, jdbc, …

    All that is wrong with it is told when a phase runs.
    """

    def __init__(self, name: str, format: str):
        self._data: dict[str, Any] = {"name": name, "format": format, "props": {}}

    def getPipe(self) -> dict[str, Any]:
        """As it stands in a configuration."""
        return {**self._data, "props": dict(self._data["props"])}

    def addProperty(self, name: str, value: Any) -> None:
        """Set one of the props: location, delimiter, header, dbtable, …"""
        self._data["props"][name] = value

    def setSchema(self, schema: str) -> None:
        """Names and types of the columns in their order: "id string, name string, born date"."""
        self._data["schema"] = schema

    def setMode(self, mode: str) -> None:
        """Of an output: append, overwrite, error or ignore."""
        self._data["mode"] = mode

    def toString(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return json.dumps(self._data)


class CsvPipe(Pipe):
    """A file of CSV, or a folder of them; without a header and with commas, where nothing else is said."""

    def __init__(self, name: str, location: str | None = None, schema: str | None = None):
        super().__init__(name, "csv")
        if location is not None:
            self.setLocation(location)
        if schema is not None:
            self.setSchema(schema)

    def setLocation(self, location: str) -> None:
        self.addProperty("location", location)

    def setDelimiter(self, delimiter: str) -> None:
        self.addProperty("delimiter", delimiter)

    def setHeader(self, header: str | bool) -> None:
        self.addProperty("header", header)


class BigQueryPipe(Pipe):
    """A table of BigQuery. It can be described, but not read or written: a phase says what works instead."""

    def __init__(self, name: str):
        super().__init__(name, "bigquery")

    def setCredentialFile(self, file: str) -> None:
        self.addProperty("credentialsFile", file)

    def setTable(self, table: str) -> None:
        self.addProperty("table", table)

    def setTemporaryGcsBucket(self, bucket: str) -> None:
        self.addProperty("temporaryGcsBucket", bucket)

    def setViewsEnabled(self, enabled: bool) -> None:
        self.addProperty("viewsEnabled", enabled)


class SnowflakePipe(Pipe):
    """A table of Snowflake. It can be described, but not read or written: a phase says what works instead."""

    def __init__(self, name: str):
        super().__init__(name, "net.snowflake.spark.snowflake")

    def setURL(self, url: str) -> None:
        self.addProperty("sfUrl", url)

    def setUser(self, user: str) -> None:
        self.addProperty("sfUser", user)

    def setPassword(self, password: str) -> None:
        self.addProperty("sfPassword", password)

    def setDatabase(self, database: str) -> None:
        self.addProperty("sfDatabase", database)

    def setSFSchema(self, schema: str) -> None:
        self.addProperty("sfSchema", schema)

    def setWarehouse(self, warehouse: str) -> None:
        self.addProperty("sfWarehouse", warehouse)

    def setDbTable(self, table: str) -> None:
        self.addProperty("dbtable", table)


class UCPipe(Pipe):
    """A table of Unity Catalog. It can be described, but not read or written: a phase says what works instead."""

    def __init__(self, name: str, table: str):
        super().__init__(name, "delta")
        self.setTable(table)

    def setTable(self, table: str) -> None:
        self.addProperty("table", table)
