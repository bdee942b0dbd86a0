"""The servers of the mixed day, children of one process on 127.0.0.1: nginx before the weak shop, and a real sshd with
throw-away accounts that exist only within its own mount namespace. Must change nothing of the machine."""
import os
import pathlib
import socket
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).parent
SSH_ACCOUNTS = {"deploy": "summer2024", "ann": "spring-Rain-4"}
NGINX = """daemon off; worker_processes 1; error_log {day}/logs/nginx-error.log; pid {day}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  types {{ text/html html; text/css css; application/javascript js; image/svg+xml svg; }}
  access_log {day}/logs/nginx-access.log combined; absolute_redirect off;
  client_body_temp_path {day}/tmp/body; proxy_temp_path {day}/tmp/proxy; fastcgi_temp_path {day}/tmp/fastcgi;
  uwsgi_temp_path {day}/tmp/uwsgi; scgi_temp_path {day}/tmp/scgi;
  server {{
    listen 127.0.0.1:{port}; root {day}/www;
    location / {{ try_files $uri @shop; }}
    location @shop {{ proxy_pass http://127.0.0.1:{shop}; }}
    location /intern/ {{ auth_basic "intern"; auth_basic_user_file {day}/htpasswd; try_files /index.txt =404; }}
  }}
}}
"""
SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {day}/host_key
PidFile none
UsePAM no
PasswordAuthentication yes
PermitRootLogin no
MaxStartups 100:30:200
AuthorizedKeysFile {day}/keys/%u
StrictModes no
DisableForwarding yes
ForceCommand /bin/true
"""
# The namespace gives sshd accounts, a /run and a /dev with a syslog socket of its own.
NAMESPACE = """set -e
mount --bind "$1/passwd" /etc/passwd; mount --bind "$1/shadow" /etc/shadow; mount --bind "$1/group" /etc/group
mount -t tmpfs none /run; mkdir -m 755 /run/sshd
for device in null zero random urandom tty; do mount --bind /dev/$device "$1/dev/$device"; done
mount --rbind "$1/dev" /dev
exec "$2" -D -f "$1/sshd_config"
"""


def hashed(password):
    return subprocess.run(["openssl", "passwd", "-5", password], capture_output=True, text=True, check=True).stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def libraries(root):
    """The folders of an unpacked root that hold libraries: what the machine's own loader knows is not enough there."""
    folders = {path.parent for top in ["usr/lib", "lib"] for path in (root / top).glob("*-linux-gnu/*.so*")}
    folders |= {path.parent for path in (root / "usr/lib").glob("*-linux-gnu/*/*.so.[0-9]*")}
    return sorted(folders)


class Servers:
    def __init__(self, tools, day):
        self.tools, self.day, self.children = tools, day, []
        root = tools / "root"
        self.env = {"PATH": f"{root}/usr/bin:{root}/usr/sbin:/usr/bin:/bin", "HOME": str(day), "LANG": "C.UTF-8",
                    "LD_LIBRARY_PATH": ":".join(str(path) for path in libraries(root)),
                    "NMAPDIR": f"{root}/usr/share/nmap", "NCRACKDIR": f"{root}/usr/share/ncrack"}
        for name in ["logs", "tmp", "www/static", "www/.git", "www/intern", "files", "keys", "dev"]:
            (day / name).mkdir(parents=True, exist_ok=True)

    def run(self, *command, **options):
        # Ends with this process, however that ends.
        child = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], env=self.env, stdin=subprocess.DEVNULL, **options)
        self.children.append(child)
        return child

    def web(self):
        day, shop, port = self.day, free_port(), free_port()
        for name, text in {"static/shop.css": "body{margin:2em}", "static/shop.js": "let chairs=60;", "static/logo.svg": "<svg/>",
                           "about.html": "<h1>About</h1>", "robots.txt": "User-agent: *\n", "index.txt": "intern\n",
                           ".git/HEAD": "ref: refs/heads/main\n"}.items():
            (day / "www" / name).write_text(text)
        (day / "files" / "manual.txt").write_text("Put the legs below.\n" * 50)
        (day / "htpasswd").write_text(f"carol:{hashed('football')}\n")
        (day / "nginx.conf").write_text(NGINX.format(day=day, port=port, shop=shop))
        for path in [day, *day.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        for name in ["tmp", "logs"]:
            (day / name).chmod(0o777)
        out = open(day / "servers.out", "ab")
        self.run("python3", str(HERE / "shop.py"), str(shop), str(day / "files"), stdout=out, stderr=out)
        self.run(f"{self.tools}/root/usr/sbin/nginx", "-e", f"{day}/logs/nginx-error.log", "-p", str(day), "-c", f"{day}/nginx.conf",
                 stdout=out, stderr=out)
        wait_for(shop)
        wait_for(port)
        return port

    def syslog(self):
        """Writes what sshd sends to its syslog socket as a syslog daemon does: without the priority, with the host."""
        inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        inbox.bind(str(self.day / "dev" / "log"))
        (self.day / "dev" / "log").chmod(0o666)

        def keep():
            with open(self.day / "logs" / "auth.log", "a", encoding="utf-8", buffering=1) as log:
                while True:
                    line = inbox.recv(65536).decode("utf-8", "replace").rstrip("\0\n")
                    line = line[line.find(">") + 1:]
                    log.write(f"{line[:15]} shop {line[16:]}\n")
        threading.Thread(target=keep, daemon=True).start()

    def ssh(self):
        """The port of sshd, or None where mount namespaces are not allowed."""
        day, port = self.day, free_port()
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            return None
        rows = [("root", 0, "*"), ("sshd", 990, "*"), ("nobody", 65534, "*")]
        rows += [(name, 2000 + n, hashed(word)) for n, (name, word) in enumerate(SSH_ACCOUNTS.items())]
        (day / "passwd").write_text("".join(f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n" for name, uid, _ in rows))
        (day / "group").write_text("".join(f"{name}:x:{uid}:\n" for name, uid, _ in rows))
        (day / "shadow").write_text("".join(f"{name}:{word}:20000::::::\n" for name, _, word in rows))
        (day / "shadow").chmod(0o600)
        for device in ["null", "zero", "random", "urandom", "tty"]:
            (day / "dev" / device).touch()
        for name in ["host_key", "bob_key"]:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(day / name)], env=self.env, check=True)
        (day / "keys" / "ann").write_text((day / "bob_key.pub").read_text())
        (day / "sshd_config").write_text(SSHD.format(day=day, port=port))
        (day / "namespace.sh").write_text(NAMESPACE)
        self.syslog()
        out = open(day / "servers.out", "ab")
        self.run("unshare", "-m", "bash", f"{day}/namespace.sh", str(day), f"{self.tools}/root/usr/sbin/sshd", stdout=out, stderr=out)
        wait_for(port)
        return port

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()


def wait_for(port):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after 30 s")
