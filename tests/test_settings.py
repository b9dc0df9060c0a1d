"""Settings that are wrong, or unsafe where others depend on the installation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outreach import config
from outreach.config import Settings, SettingsRefused
from tests.machine import ROOT

PUBLIC = "https://talent.example.cn"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance folder that only its owner looks into, and an environment that names it and nothing else."""
    for name in [name for name in os.environ if name.startswith(config.PREFIX)]:
        monkeypatch.delenv(name)
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("OUTREACH_INSTANCE_PATH", str(folder))
    return folder


def write(folder: Path, *lines: str) -> None:
    """Write the file of settings, readable by its owner."""
    file = folder / config.FILE
    file.write_text("\n".join(lines))
    file.chmod(0o600)


def refused(settings: Settings) -> str:
    """Return what is said when the installation is not safe to begin."""
    with pytest.raises(SettingsRefused) as caught:
        config.refuse_unsafe(settings)
    return "\n".join(caught.value.sentences)


def test_settings_come_from_the_file_and_the_environment_goes_before_it(instance, monkeypatch):
    write(instance, "OUTREACH_UPLOAD_MEGABYTES=30", "OUTREACH_LANGUAGE=en", "OUTREACH_SMTP_HOST=")
    monkeypatch.setenv("OUTREACH_LANGUAGE", "zh_Hans_CN")

    settings = config.load()

    assert (settings.upload_megabytes, settings.language, settings.smtp_host) == (30, "zh_Hans_CN", None)


def test_everything_wrong_is_said_at_once_and_no_secret_with_it(instance, monkeypatch):
    write(instance, "OUTREACH_SMTP_PROT=25", "BASE_URL=https://talent.example.cn")
    monkeypatch.setenv("OUTREACH_TRUSTED_PROXY", "1")
    monkeypatch.setenv("OUTREACH_UPLOAD_MEGABYTES", "lots")
    monkeypatch.setenv("OUTREACH_BASE_URL", "talent.example.cn")
    monkeypatch.setenv("OUTREACH_METRICS_TOKEN", "s3cret")
    monkeypatch.setenv("OUTREACH_REDIS_URL", "s3cret@127.0.0.1")

    with pytest.raises(SettingsRefused) as caught:
        config.load()

    said = str(caught.value)
    assert "OUTREACH_TRUSTED_PROXY is no setting. Did you mean OUTREACH_TRUSTED_PROXIES?" in said
    assert f"OUTREACH_SMTP_PROT in {instance / config.FILE} is no setting. Did you mean OUTREACH_SMTP_PORT?" in said
    assert f"BASE_URL in {instance / config.FILE} is no setting. Did you mean OUTREACH_BASE_URL?" in said
    assert "OUTREACH_UPLOAD_MEGABYTES: should be a valid integer" in said
    assert "OUTREACH_BASE_URL: should look like https://talent.example.cn." in said
    assert "OUTREACH_METRICS_TOKEN: should have at least 16 characters." in said
    assert "OUTREACH_REDIS_URL: should look like redis://127.0.0.1:6379/0." in said
    assert "s3cret" not in said


def test_a_command_ends_with_the_sentences_and_without_a_trace(instance):
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
        cwd=ROOT,
        env=os.environ | {"OUTREACH_BASE_URL": PUBLIC, "OUTREACH_LANGUAGE": "zh_Hans_CN"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1
    assert f"Outreach does not start: {PUBLIC} is used by others" in ended.stderr
    assert "OUTREACH_TRUSTED_PROXIES is 0" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(instance.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"base_url": "http://talent.example.cn"}, "OUTREACH_INTRANET_WITHOUT_HTTPS=1"),
        ({"trusted_proxies": 0}, "OUTREACH_TRUSTED_PROXIES is 0"),
        ({"smtp_host": "mail.example.cn", "smtp_password": "x"}, "OUTREACH_SMTP_SECURITY to starttls or tls"),
        ({"smtp_host": "mail.example.cn"}, "OUTREACH_MAIL_FROM is not set"),
    ],
)
def test_what_is_unsafe_is_refused_where_others_depend_on_it(instance, values, said):
    safe = {"instance_path": instance, "base_url": PUBLIC, "trusted_proxies": 1}
    config.refuse_unsafe(Settings(**safe))

    unsafe = Settings(**safe | values)

    assert said in refused(unsafe)
    config.refuse_unsafe(unsafe.model_copy(update={"production": False}))


def test_a_closed_network_may_do_without_https_where_somebody_says_so(instance):
    config.refuse_unsafe(Settings(instance_path=instance, base_url="http://10.1.2.3", intranet_without_https=True))


def test_one_machine_that_serves_only_itself_needs_nothing_said(tmp_path):
    (tmp_path / "instance").mkdir(mode=0o755)

    config.refuse_unsafe(Settings(instance_path=tmp_path / "instance"))


def test_files_that_others_can_read_are_refused(instance):
    settings = Settings(instance_path=instance, base_url=PUBLIC, trusted_proxies=1)
    write(instance, "OUTREACH_SMTP_PASSWORD=x")
    settings.keys_file.write_text("{}")
    (instance / config.FILE).chmod(0o640)
    settings.keys_file.chmod(0o604)
    instance.chmod(0o755)

    said = refused(settings)

    assert f"chmod 700 {instance}" in said
    assert f"chmod 600 {instance / config.FILE}" in said
    assert f"chmod 600 {settings.keys_file}" in said


@pytest.mark.parametrize(("kind", "shared"), [("nfs4", True), ("ext4", False)])
def test_sqlite_is_refused_on_a_network_share(instance, monkeypatch, tmp_path, kind, shared):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/data {instance.parent} {kind} rw 0 0\n")
    monkeypatch.setattr(config, "MOUNTS", mounts)
    settings = Settings(instance_path=instance, base_url=PUBLIC, trusted_proxies=1)

    said = "\n".join(config.unsafe(settings))

    assert ("lies on a network share (nfs4)" in said) is shared
    assert not list(config.unsafe(settings.model_copy(update={"database_url": "postgresql+psycopg://x@y/z"})))


@pytest.mark.parametrize(
    ("address", "kept"),
    [("https://talent.example.cn/", "https://talent.example.cn"), ("http://[::1]:8000", "http://[::1]:8000")],
)
def test_an_address_is_kept_without_its_last_slash(instance, address, kept):
    assert Settings(instance_path=instance, base_url=address).base_url == kept
