"""Takes the e-mails of a bridge with aiosmtpd, and reads them with Python's own parser.

Usage: with_aiosmtpd.py PROGRAM FOLDER
Prints `ok NAME` or `not ok NAME: reason` a case; exits 1 when one failed.
"""

import contextlib
import email
import email.policy
import os
import pathlib
import queue
import re
import socket
import subprocess
import sys
import traceback

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PROGRAM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
USER, PASSWORD = "bridge", "correct-horse-battery"
PATIENCE = 120


class Postbox:
    """Keeps what it is sent; the first message it wants again later."""

    def __init__(self):
        self.came = queue.Queue()
        self.put_off = queue.Queue()
        self.is_first = True

    async def handle_DATA(self, server, session, envelope):
        if self.is_first:
            self.is_first = False
            self.put_off.put(envelope)
            return "451 4.7.1 come again"
        self.came.put(envelope)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known)


def read(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def project(port):
    """A project whose target is away, which is urgent."""
    folder = FOLDER / "mails"
    made = subprocess.run([PROGRAM, "init", "--target", "sap-ibp", str(folder)],
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    (folder / "secrets" / "mail").write_text(PASSWORD)
    config = folder / "planthread.yaml"
    text = re.sub(r"http://127\.0\.0\.1:\d+", f"http://127.0.0.1:{free_port()}", config.read_text())
    config.write_text(text + f"""
run:
  every_seconds: 1
  alerts:
    least_minutes: 0
    email:
      host: 127.0.0.1
      port: {port}
      security: none
      from: bridge@plant.example
      to: ops@plant.example
      owners: {{ operator: Jana@plant.example }}
      user: {USER}
      password: ${{file:secrets/mail}}
""")
    return folder


@contextlib.contextmanager
def bridge(folder):
    """A bridge that runs; it is asked to end."""
    with open(FOLDER / "bridge.log", "ab") as log:
        running = subprocess.Popen([PROGRAM, "run"], cwd=folder, stdout=log, stderr=log,
                                   env={**os.environ, "NO_COLOR": "1"})
        try:
            yield
        finally:
            running.terminate()
            running.wait()


def a_message_that_was_put_off_comes_again_after_a_restart_and_is_the_same(first, envelope):
    again = read(envelope.content)
    assert first["Message-ID"] == again["Message-ID"], (first["Message-ID"], again["Message-ID"])
    assert re.fullmatch(r"<[0-9a-f]{32}\.[0-9a-f]{8}@plant\.example>", again["Message-ID"])
    assert first["Subject"] == again["Subject"]


def it_goes_to_the_address_of_its_owner(first, envelope):
    assert envelope.mail_from == "bridge@plant.example", envelope.mail_from
    assert envelope.rcpt_tos == ["Jana@plant.example"], envelope.rcpt_tos
    to = first["To"].addresses[0]
    assert (to.display_name, to.addr_spec) == ("operator", "Jana@plant.example"), to


def its_headers_are_whole(first, envelope):
    assert not first.defects, first.defects
    for name, value in first.items():
        assert not getattr(value, "defects", ()), (name, value.defects)
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["From"].addresses[0].addr_spec == "bridge@plant.example"
    assert first["Date"].datetime.tzinfo is not None
    assert first.get_content_type() == "text/plain"
    assert first.get_content_charset() == "utf-8"


def its_subject_and_its_text_say_plant_count_and_what(first, envelope):
    plant = re.search(r"Planthread (\S+): ", first["Subject"]).group(1)
    assert "1 begins: " in first["Subject"] and "ibp" in first["Subject"], first["Subject"]
    text = first.get_content()
    for part in (f"Plant {plant}, for operator", "1 begins:", "ibp", "since 20", "fallback status"):
        assert part in text, (part, text)
    assert first["Message-ID"][1:33] in text, text
    assert PASSWORD not in envelope.content.decode()


CASES = [
    a_message_that_was_put_off_comes_again_after_a_restart_and_is_the_same,
    it_goes_to_the_address_of_its_owner,
    its_headers_are_whole,
    its_subject_and_its_text_say_plant_count_and_what,
]


def main():
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port(),
                            authenticator=authenticate, auth_required=True,
                            auth_require_tls=False)
    controller.start()
    failed = 0
    try:
        folder = project(controller.port)
        with bridge(folder):
            first = read(postbox.put_off.get(timeout=PATIENCE).content)
        # Started anew it does not wait before it tries again.
        with bridge(folder):
            envelope = postbox.came.get(timeout=PATIENCE)
        for case in CASES:
            name = case.__name__
            try:
                case(first, envelope)
                print(f"ok mail: {name}")
            except Exception as error:
                failed = 1
                traceback.print_exc()
                print(f"not ok mail: {name}: {error!r}")
    finally:
        controller.stop()
    return failed


if __name__ == "__main__":
    sys.exit(main())
