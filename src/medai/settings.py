"""The environment as typed values. Only this module reads it; everybody else is given a group.

Variable names are those of the replaced system (contract 10.3) plus our own `MEDAI_*` ones;
`.env.example` lists them all and a test compares the two.
"""

from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
"""Money in PRICE_CURRENCY; 0 for what costs nothing (own servers)."""


class Settings(BaseSettings):
    """All settings. Empty text means "not set"."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        populate_by_name=True,
    )

    environment: Literal["development", "production", "test"] = Field(
        "development", description="production refuses to start with a missing key or secret"
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)
    ] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: JSON in production, readable lines elsewhere"
    )
    medai_data_dir: Path = Field(Path("var"), description="files, embedded database, own keys")
    medai_files_url: str = Field("", description="s3://bucket/prefix or empty for the data folder")

    medai_schedules: bool = Field(True, description="run and worker sync and process by themselves")
    medai_poll_minutes: int = Field(
        15, ge=0, le=1440, description="today's calls are asked for so often; 0: never"
    )
    medai_night_hour: int = Field(
        21, ge=0, le=23, description="hour of the clinic's zone of the full run"
    )
    medai_digest_hour: int = Field(
        9, ge=0, le=23, description="hour of the clinic's zone of the bot's morning digest"
    )
    medai_keep_jobs_days: int = Field(14, ge=0, description="ended jobs; 0: for ever")
    medai_keep_runs_days: int = Field(90, ge=0, description="ended runs; 0: for ever")
    medai_keep_access_log_days: int = Field(
        365, ge=0, description="who opened transcripts and recordings; 0: for ever"
    )
    medai_keep_audio_days: int = Field(
        0, ge=0, description="recordings of transcribed calls; 0: for ever"
    )
    medai_keep_reports_days: int = Field(0, ge=0, description="report files; 0: for ever")

    client_id: str = Field("", description="the clinic of scripts/daily_sync.py")

    api_key: SecretStr = Field(SecretStr(""), description="the owner's key for X-API-Key")
    api_base_url: str = Field(
        "", description="public address of the API, with /api; empty: this machine, MEDAI_PORT"
    )
    medai_secret: SecretStr = Field(
        SecretStr(""), description="signs links and encrypts CRM tokens; at least 32 characters"
    )
    medai_open_links: Literal["signed", "legacy"] = Field(
        "signed", description="legacy opens file links without a signature, as the old system did"
    )
    api_requests_per_minute: int = Field(
        1200, ge=0, description="of one key, or of one address without a key; 0: no limit"
    )
    api_longest_wait_seconds: int = Field(
        300, ge=1, le=3600, description="bulk syncs answer after so long even when they go on"
    )
    medai_host: str = Field("127.0.0.1", description="address the API listens on")
    medai_port: int = Field(8001, description="port the API listens on")
    medai_metrics_token: SecretStr = Field(
        SecretStr(""), description="opens GET /metrics and nothing else; empty: X-API-Key only"
    )
    medai_worker_metrics_port: int = Field(
        0, ge=0, le=65535, description="of medai worker and medai bot: /metrics and /health; 0: off"
    )

    mongodb_uri: str = Field(
        "",
        validation_alias=AliasChoices("mongodb_uri", "mongo_uri", "mongo_uri_exporter"),
        description="empty: documents live in PostgreSQL",
    )
    mongodb_name: str = Field(
        "medai",
        validation_alias=AliasChoices("mongodb_name", "db_name", "mongo_db_name_exporter"),
        description="MongoDB database",
    )

    postgres_dsn: SecretStr = Field(
        SecretStr(""), description="whole address; wins over POSTGRES_*"
    )
    postgres_host: str = Field("", description="empty: the embedded PostgreSQL is started")
    postgres_port: int = Field(5432, description="PostgreSQL port")
    postgres_db: str = Field("medai_metrics", description="PostgreSQL database")
    postgres_user: str = Field("admin", description="PostgreSQL user")
    postgres_password: SecretStr = Field(SecretStr(""), description="PostgreSQL password")
    datalens_reader_password: SecretStr = Field(
        SecretStr(""), description="of the role of medai db reader; empty: one is made and shown"
    )

    amocrm_base_url_template: str = Field(
        "https://{subdomain}.amocrm.ru", description="address of an account"
    )
    amocrm_redirect_url: str = Field("", description="redirect URL for clinics that store none")
    amocrm_requests_per_second: float = Field(
        5.0, description="per account, at most 6; 0 switches the limiter off (benchmarks)"
    )
    amocrm_batch_size: int = Field(100, description="ids in one request, 1-250")

    evenlabs: SecretStr = Field(SecretStr(""), description="ElevenLabs key (historical spelling)")
    elevenlabs_base_url: str = Field("https://api.elevenlabs.io", description="without /v1")
    elevenlabs_model: str = Field("scribe_v2", description="speech-to-text model")
    elevenlabs_language: str = Field("ru", description="language hint; auto: detect")
    elevenlabs_timeout_seconds: float = Field(300.0, gt=0, description="one recognition at most")
    stt_concurrency: int = Field(
        8, ge=1, description="recognitions under way at once, in all workers together"
    )
    stt_repeats_after_lost_answer: int = Field(
        1, ge=0, description="repeats when an answer was lost and may be paid; 0 asks a person"
    )

    stt_price_per_hour: Price = Field(
        Decimal("0.242"), description="an hour of audio in one stream, with speaker roles"
    )
    stt_price_per_channel_hour: Price = Field(
        Decimal("0.22"), description="an hour of each channel of a stereo recording"
    )

    openai: SecretStr = Field(SecretStr(""), description="OpenAI key")
    openai_base_url: str = Field("https://api.openai.com/v1", description="with /v1")
    openai_model: str = Field("gpt-6-luna", description="model of classification and scoring")
    openai_strategy: Literal["responses", "chat_json_schema"] = Field(
        "responses", description="chat_json_schema for OpenAI-compatible servers"
    )
    openai_reasoning_effort: str = Field(
        "none", description="none, low, medium, high; omit: not sent"
    )
    openai_timeout_seconds: float = Field(120.0, gt=0, description="one answer at most")
    llm_concurrency: int = Field(8, ge=1, description="analyses under way at once in a worker")
    llm_requests_per_minute: int = Field(
        1000, ge=0, description="of all workers together; 0: no limit"
    )
    llm_tokens_per_minute: int = Field(0, ge=0, description="of all workers together; 0: no limit")

    llm_price_per_million_input: Price = Field(
        Decimal("0.10"), description="a million input tokens that were not cached"
    )
    llm_price_per_million_cached: Price = Field(
        Decimal("0.01"), description="a million cached input tokens"
    )
    llm_price_per_million_output: Price = Field(
        Decimal("0.50"), description="a million output tokens"
    )
    price_currency: str = Field(
        "USD", pattern="^[A-Z]{3}$", description="currency of the prices, three letters"
    )

    langchain: SecretStr = Field(
        SecretStr(""), description="LangSmith key; empty: no traces. Texts are never sent"
    )
    langchain_base_url: str = Field(
        "https://api.smith.langchain.com", description="LangSmith server"
    )
    langchain_project: str = Field("medai", description="LangSmith project of the traces")

    telegram_api_base_url: str = Field("https://api.telegram.org", description="Bot API server")
    bot_token: SecretStr = Field(SecretStr(""), description="empty: no bot")
    telegram_webhook_url: str = Field(
        "", description="public HTTPS address ending in /telegram/webhook; empty: long polling"
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""), description="Telegram proves itself with it: 16-256 of A-Z a-z 0-9 _ -"
    )
    telegram_use_proxy: bool = Field(
        False, description="the bot reaches Telegram through PROXY_STRING or PROXY_*"
    )
    bot_name: str = Field("", description="the bot's user name: invitations become t.me links")
    telegram_admin_chat_id: str = Field("", description="chat for technical alerts")

    recordings_allow_hosts: str = Field(
        "", description="host[:port] list excused from the public-address rule (own PBX, tests)"
    )
    recordings_max_megabytes: int = Field(200, ge=1, description="largest recording")
    recordings_timeout_seconds: float = Field(120.0, gt=0, description="one download at most")
    recordings_concurrency: int = Field(8, ge=1, description="downloads under way at once")
    recordings_proxy_hosts: str = Field(
        "api.cloudpbx.rt.ru,media.comagic.ru",
        description="host suffixes fetched through the proxy; nobody: none",
    )
    proxy_string: SecretStr = Field(SecretStr(""), description="host:port:user:password (SOCKS5)")
    proxy_enabled: bool = Field(False, description="use the PROXY_* group below")
    proxy_host: str = Field("", description="proxy host")
    proxy_port: int = Field(1080, description="proxy port")
    proxy_username: str = Field("", description="proxy user")
    proxy_password: SecretStr = Field(SecretStr(""), description="proxy password")
    proxy_type: Literal["socks5", "http"] = Field("socks5", description="proxy protocol")

    cors_origins: str = Field("*", description="comma-separated origins of foreign front ends")

    @field_validator("amocrm_base_url_template")
    @classmethod
    def _with_subdomain(cls, value: str) -> str:
        """The template must be fillable with the account's subdomain and nothing else."""
        try:
            value.format(subdomain="name")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("only {subdomain} may stand in braces") from error
        return value

    @field_validator("elevenlabs_language", "openai_reasoning_effort", "recordings_proxy_hosts")
    @classmethod
    def _words_for_nothing(cls, value: str) -> str:
        """An empty variable means "default", so a word is needed to say "none at all"."""
        return "" if value.strip().lower() in ("auto", "omit", "nobody") else value

    @cached_property
    def public_api_url(self) -> str:
        """Where links of reports lead, with /api."""
        return self.api_base_url or f"http://localhost:{self.medai_port}/api"

    @cached_property
    def data_dir(self) -> Path:
        """The data folder as an absolute path."""
        return self.medai_data_dir.expanduser().resolve()
