from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deliverkit import __main__
from deliverkit.render.text.sheet import Look
from deliverkit.runs import demo, demo_mail, lab
from deliverkit.runs.lab import COMMANDS
from deliverkit.runs.options import RunError


def toured(folder: Path | None = None) -> str:
    parts: list[str] = []
    assert demo.demo(folder, look=Look(), write=parts.append) == 0
    return "".join(parts)


def test_the_tour_shows_domains_a_mail_server_and_what_next(tmp_path: Path):
    text = toured()
    for stop in demo.STOPS:
        assert f"$ {stop.typed}\n" in text
    assert "healthy.example   ✓ pass" in text
    assert "spf-too-many-lookups" in text
    assert "spf-permissive-all" in text
    assert "$ deliverkit smtp mail.broken.example\n" in text
    assert "smtp-auth-before-tls" in text
    assert "tls-certificate-expired" in text
    for letter in demo_mail.LETTERS:
        assert f"$ {letter.typed}\n" in text
    assert "<~* 450 4.2.0 greylisted" in text
    assert "◷ deferred at RCPT   greylist@healthy.example" in text
    assert "✗ refused at RCPT   user-unknown@healthy.example" in text
    assert "◷ deferred at RCPT   mailbox-full@healthy.example" in text
    assert text.rstrip().endswith("keep this small internet up, and try things on it")
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_left_where_it_was_asked_for(tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    assert str(folder) in toured(folder)
    report = json.loads((folder / "report.json").read_text())
    assert report["schema"] == "deliverkit/report/1"
    assert [target["target"] for target in report["targets"]] == [stop.domain for stop in demo.STOPS]
    assert "broken.example" in (folder / "report.txt").read_text()
    deliveries = json.loads((folder / "deliveries.json").read_text())
    assert [each["outcome"] for each in deliveries] == ["deferred", "refused", "deferred"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file"):
        toured(tmp_path / "file")


def test_the_command_exits_0(capsys: pytest.CaptureFixture[str]):
    assert __main__.main(["demo"]) == 0
    assert "What next" in capsys.readouterr().out


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_said(port: int):
    with pytest.raises(RunError, match="--port"):
        lab.serve(write=lambda _: None, port=port)


def test_the_lab_serves_until_interrupted():
    with subprocess.Popen(
        [sys.executable, "-m", "deliverkit", "lab"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while "dmarc broken.example" not in said:
                assert select.select([process.stdout], [], [], 20)[0], said
                part = os.read(process.stdout.fileno(), 4096).decode()
                assert part, said
                said += part
            said += os.read(process.stdout.fileno(), 4096).decode() if "nothing leaves" not in said else ""
            environment = Path(said.split("\n  . ")[1].split("\n")[0])
            assert environment.exists()
            for words in ("mx healthy.example", COMMANDS[3]):
                assert words.startswith(("mx", "smtp mail.healthy.example --user alice"))
                check = subprocess.run(
                    ["sh", "-c", f'. "{environment}"; exec "{sys.executable}" -m deliverkit {words}'],
                    capture_output=True,
                    text=True,
                    timeout=30,
                    check=False,
                )
                assert check.returncode == 0, check.stdout + check.stderr
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert not environment.parent.exists()
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def test_the_lab_leaves_nothing_behind_when_it_is_terminated(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "deliverkit", "lab", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        try:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("  . "):
                assert process.poll() is None
            assert len(list(tmp_path.iterdir())) == 1
            process.terminate()
            assert process.wait(10) == 143
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
