"""A real nginx before a service, configured as the README says."""

import datetime
import ipaddress
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import REPOSITORY, WAIT_SECONDS, eventually
from tests.programs import program

# Everything that nginx would write where only the system's own may
_AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        {location}
    }}
}}
"""


def location() -> str:
    """The lines for nginx in the README."""
    found = re.search(r"```nginx\n(.*?)```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def nginx(folder: Path, port: int, service: int) -> Iterator[None]:
    """Listening by TLS at one port of this machine, and passing on what is below ``/kb/`` to a service at another."""
    folder.mkdir()
    _certify(folder)
    named = location()
    assert "127.0.0.1:8000" in named
    passed_on = named.replace("127.0.0.1:8000", f"127.0.0.1:{service}")
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder, port=port, location=passed_on), "utf-8")
    log = folder / "log"
    with log.open("w") as errors:
        command = [program("nginx"), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        with subprocess.Popen(command, stderr=errors) as process:
            try:
                eventually(lambda: _listens(port) or process.poll() is not None, "nginx listens")
                assert process.poll() is None, log.read_text("utf-8")
                yield
            finally:
                process.terminate()
                process.wait(WAIT_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _certify(folder: Path) -> None:
    """A key and a certificate of this machine, by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
