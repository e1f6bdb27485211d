"""An authority of the test's own, and what it issues: files in PEM form, made by the openssl program."""
import os
import shutil
import subprocess
import tempfile

OPENSSL = shutil.which("openssl")

_CONFIGURATION = """
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
default_crl_days = 30
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """Issues certificates into a directory of its own, `NAME.pem` with `NAME.key`; itself is `ca.pem`."""

    def __init__(self, test, name="heartbeat authority"):
        directory = tempfile.TemporaryDirectory(prefix="heartbeat-tls-")
        test.addCleanup(directory.cleanup)
        self.directory = directory.name
        for file, text in (("ca.cnf", _CONFIGURATION), ("index.txt", ""), ("serial", "01\n")):
            self.write(file, text)
        self._openssl("req", "-x509", *self._new_key("ca"), "-days", "30", "-subj", f"/CN={name}",
                      "-out", "ca.pem")

    def path(self, name):
        return os.path.join(self.directory, name)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)

    def issue(self, name, common_name=None, alternative=None, is_expired=False, days=20):
        request = ["-addext", f"subjectAltName={alternative}"] if alternative else []
        self._openssl("req", *self._new_key(name), "-subj", f"/CN={common_name or name}", *request,
                      "-out", f"{name}.csr")
        days = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] if is_expired else ["-days", str(days)]
        self._openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", *days,
                      "-in", f"{name}.csr", "-out", f"{name}.pem")

    def revoke(self, *names, is_expired=False):
        """Writes `crl.pem`, with these certificates in it, and those of before."""
        dates = ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z"] if is_expired else []
        for name in names:
            self._openssl("ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-revoke", f"{name}.pem")
        self._openssl("ca", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl", *dates,
                      "-out", "crl.pem")

    @staticmethod
    def _new_key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]

    def _openssl(self, *arguments):
        done = subprocess.run([OPENSSL, *arguments], cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr}")
