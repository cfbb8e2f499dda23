"""The API's description, where it says more than the framework finds out by itself."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from pydantic import GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import definitions_schema

from kb_service.api.problems import MEDIA_TYPE

# How to say who asks, which the gate looks at (OpenAPI 3.1, "Security Scheme Object" and "Security Requirement Object")
_SCHEMES: dict[str, Any] = {
    "HTTPBearer": {
        "type": "http", "scheme": "bearer", "description": "A key, or a token of the OpenID Connect provider.",
    },
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}  # fmt: skip
# Beside these: not at all
FOR_ANYBODY: dict[str, Any] = {"security": [{}]}


@dataclass(frozen=True, slots=True)
class As:
    """What an answer looks like that is put together as plain data: ``Annotated[dict[str, Any], As(ArticleBody)]``.

    It is only described so. To check each answer against the model would be its JSON's work once more; that they are as
    described is held by the tests instead.
    """

    shape: Any

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # Wrapped, it is told by its own name instead of in place
        return handler(definitions_schema(TypeAdapter(self.shape).core_schema, []))


def describe(app: FastAPI) -> None:
    """Have the app's description name how to say who asks, and the one type that errors come as.

    The framework knows nothing of the gate, and only the type of the answer.
    """
    made = app.openapi

    def openapi() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        described = made()
        if is_new:
            _complete(described)
        return described

    # FastAPI's own way to extend what it describes
    app.openapi = openapi  # type: ignore[method-assign]


def _complete(described: dict[str, Any]) -> None:
    described["components"]["securitySchemes"] = _SCHEMES
    for operations in described["paths"].values():
        for operation in operations.values():
            operation["security"] = [*({name: []} for name in _SCHEMES), *operation.get("security", [])]
            for response in operation["responses"].values():
                content = response.get("content", {})
                if MEDIA_TYPE in content and len(content) > 1:
                    response["content"] = {MEDIA_TYPE: next(one for one in content.values() if one)}
