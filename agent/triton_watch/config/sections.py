"""The smaller sections of `triton-watch.yaml`, as pydantic models: strict, no unknown key.

The descriptions here and in `model` become docs/configuration.md and the JSON Schema. A setting that is
not given is None: `defaults` and the built-in values are filled in by `build`, which knows both.
"""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from triton_watch.config import fields as f
from triton_watch.config.errors import ParseError

Json = dict[str, Any]


def setting(
    description: str,
    *,
    default: Any = None,  # noqa: ANN401 - YAML's data
    example: Any = None,  # noqa: ANN401 - the same
    rule: Json | None = None,
    alias: str | None = None,
) -> Any:  # noqa: ANN401 - pydantic's own manner: the annotation says the type
    """Declare an optional setting; `default` is the built-in value, `rule` is added to its JSON Schema.

    `alias` is what the file calls it, where that is no name in Python.
    """
    extra = dict(rule or {})
    if default is not None:
        extra["default"] = default
    if example is not None:
        extra["examples"] = [example]
    return Field(default=None, description=description, json_schema_extra=extra, alias=alias)


class Section(BaseModel):
    """A mapping of the file. `exclusive`: of each pair, at most one; `needed`: of each pair, exactly one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    exclusive: ClassVar[tuple[tuple[str, str], ...]] = ()
    needed: ClassVar[tuple[tuple[str, str], ...]] = ()

    @model_validator(mode="after")
    def _check_pairs(self) -> "Section":
        for one, other in (*self.exclusive, *self.needed):
            given = {one, other} & self.model_fields_set
            if len(given) == 2:
                raise ParseError(f"has both {one} and {other}: keep one of them.")
            if not given and (one, other) in self.needed:
                raise ParseError(f"has neither {one} nor {other}: add one of them.")
        return self


class TimeoutsSection(Section):
    """Deadlines of one request."""

    connect: f.Duration | None = setting(
        "Longest wait for a connection. At most `total`.", default="1s", example="500ms"
    )
    read: f.Duration | None = setting(
        "Longest wait for the next bytes of an answer. At most `total`.", default="2s", example="1s"
    )
    total: f.Duration | None = setting(
        "Longest time for the whole request, to the last byte of its answer; shorter than `interval`. "
        "Without it: 3s, or four fifths of the interval where that is less; the other two are cut to fit.",
        default="3s",
        example="2s",
    )


class TlsSection(Section):
    """How to speak TLS to the server (`https://` and `grpcs://`)."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"cert_file": ["key_file"], "key_file": ["cert_file"]}}
    )
    ca_file: f.Text | None = setting(
        "PEM file with the certificate authorities to trust, instead of the system's.",
        example="/etc/ssl/triton-ca.pem",
    )
    cert_file: f.Text | None = setting("PEM file with the client certificate.", example="client.pem")
    key_file: f.Text | None = setting("PEM file with the key of `cert_file`.", example="client-key.pem")
    insecure_skip_verify: f.Truth | None = setting(
        "Accept any certificate. For tests only: whoever answers gets the credentials.", default=False
    )

    @model_validator(mode="after")
    def _check_certificate(self) -> "TlsSection":
        if (self.cert_file is None) != (self.key_file is None):
            given, absent = ("cert_file", "key_file") if self.cert_file else ("key_file", "cert_file")
            raise ParseError(f"has {given} without {absent}: give both.")
        return self


class BasicAuthSection(Section):
    """A user name and a password for HTTP basic authentication."""

    needed = (("password", "password_file"),)
    username: f.UserName = Field(description="The user name, without a colon.", examples=["watcher"])
    password: f.Password | None = setting("The password. Better kept in `password_file` or a variable.")
    password_file: f.Text | None = setting("File whose content is the password.", example="/run/secrets/password")


def _wrap_header(schema: Json) -> None:
    body = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "minLength": 1}, body]


class HeaderSection(Section):
    """The value of a header: text, or a mapping with `value` or `value_file`."""

    model_config = ConfigDict(json_schema_extra=_wrap_header)
    needed = (("value", "value_file"),)
    value: f.HeaderText | None = setting("The value, sent as it is.")
    value_file: f.Text | None = setting("File whose content is the value.", example="/run/secrets/api-key")

    @model_validator(mode="before")
    @classmethod
    def _accept_text(cls, value: object) -> object:
        if isinstance(value, str):
            return {"value": f.header_value(value)}
        if not isinstance(value, dict):
            raise ParseError("is not a header value: write text in quotes, or value_file with the path of a file.")
        return value


class RestrictedSection(Section):
    """The header that opens Triton's restricted APIs, as in `--http-restricted-api=APIS:HEADER=VALUE`."""

    needed = (("value", "value_file"),)
    header: f.Text = Field(description="Name of the header: the KEY of Triton's flag.", examples=["admin-key"])
    value: f.HeaderText | None = setting("Its value: the VALUE of Triton's flag. Better kept in `value_file`.")
    value_file: f.Text | None = setting("File whose content is the value.", example="/run/secrets/admin-key")


class HttpSection(Section):
    """How to be let in by a server that is asked over HTTP."""

    exclusive = (
        ("basic_auth", "bearer_token"),
        ("basic_auth", "bearer_token_file"),
        ("bearer_token", "bearer_token_file"),
    )
    headers: dict[str, HeaderSection] | None = setting(
        "HTTP headers to send with each request: name and value, or name and `value_file`.",
        example={"X-Tenant": "search", "X-Api-Key": {"value_file": "/run/secrets/api-key"}},
        rule={"propertyNames": {"pattern": f"^{f.HEADER_NAME}$"}},
    )
    basic_auth: BasicAuthSection | None = setting("HTTP basic authentication. Not together with a bearer token.")
    bearer_token: f.BearerToken | None = setting(
        "Token for `Authorization: Bearer`. Better kept in `bearer_token_file` or a variable.",
        example="${TRITON_TOKEN}",
    )
    bearer_token_file: f.Text | None = setting("File whose content is the token.", example="/run/secrets/token")
    tls: TlsSection | None = setting("TLS towards the server.")
