"""The attack tools of the mixed day as data: command lines, the address each attacks from, and what a finding about it must
say. Commands get addresses of 127.0.0.0/8 only and must end by themselves or at their limit of seconds."""
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
PASSWORDS = ["123456", "password", "qwerty", "letmein", "dragon", "monkey", "abc123", "iloveyou", "admin", "welcome", "shadow",
             "master", "superman", "batman", "trustno1", "hunter2", "starwars", "princess", "whatever", "sunshine", "football",
             "summer2024", "winter2024", "changeme"]
USERS = ["root", "admin", "test", "guest", "oracle", "postgres", "ubuntu", "git", "deploy", "www", "backup", "ftp", "mysql", "jenkins"]


MOST_FINDINGS = 8


class Attacker:
    """One run of one tool. `aim` is what severity and title of at least one finding must match, `success` what they must
    match where the attack gets what it wants, `agent` what the evidence of the finding about attack tools must show where the tool
    tells its name, `most` how many findings a person may have to read."""

    def __init__(self, name, service, command, aim, success=None, **more):
        self.name, self.service, self.command, self.aim, self.success = name, service, command, aim, success
        self.seconds, self.agent, self.most = more.get("seconds", 60), more.get("agent"), more.get("most", MOST_FINDINGS)


GUESSING = r"(?i)brute|guess|spray|burst of .*logins|very many logins"
SUCCESS = r"(?i)(succe|accepted|log.?in).* after"
SQL = r"(?i)sql injection"
PATHS = r"(?i)missing pages"
SERVED = r"(?i)secret file served"
TAKEN = r"(?i)^P0 .*(sql|traversal)"
KINDS = 14  # of a scanner that tries everything: wapiti runs five modules in one go, and kinds at different requests are findings of their own
SCAN = r"(?i)several kinds|probed for inj"


def attackers(day, tools):
    bin_, python = f"{tools}/root/usr/bin", f"{tools}/python/bin"
    words = f"{tools}/root/usr/share/dirb/wordlists/common.txt"
    passwords, users = f"{day}/passwords", f"{day}/users"
    form = "/login:user=^USER^&password=^PASS^:F=Login incorrect"
    modules = f"{tools}/root/usr/lib/x86_64-linux-gnu/medusa/modules"
    medusa = ["env", "-C", modules, f"{bin_}/medusa", "-h", "{host}", "-n", "{port}", "-t", "4", "-f"]
    sqlmap = [f"{python}/sqlmap", "-u", "http://{host}:{port}/item?id=1", "--batch", "--tables", "--output-dir", f"{day}/out/sqlmap",
              "--flush-session", "--threads", "2", "--timeout", "10"]
    wapiti = [f"{python}/wapiti", "-u", "http://{host}:{port}/", "-m", "sql,xss,file,exec,backup", "--flush-session", "-S", "aggressive",
              "--max-scan-time", "55", "--max-attack-time", "12", "--store-session", f"{day}/out/wapiti", "--store-config",
              f"{day}/out/wapiti", "--no-bugreport", "-f", "json", "-o", f"{day}/out/wapiti.json"]
    gobuster = [f"{bin_}/gobuster", "dir", "-q", "-t", "4", "-w", words, "-u", "http://{host}:{port}/"]
    ffuf = [f"{bin_}/ffuf", "-s", "-t", "4", "-w", words, "-u", "http://{host}:{port}/FUZZ"]
    dirb = [f"{bin_}/dirb", "http://{host}:{port}/", words, "-S", "-r", "-N", "404"]
    nmap = [f"{bin_}/nmap", "-Pn", "-n", "-sT", "-p", "{port}",
            "--script-timeout", "50s", "--datadir", f"{tools}/root/usr/share/nmap"]
    arjun = [f"{python}/arjun", "-u", "http://{host}:{port}/search", "-t", "2", "-T", "10"]
    return [
        Attacker("hydra ssh", "ssh", [f"{bin_}/hydra", "-I", "-f", "-l", "deploy", "-P", passwords, "-t", "4", "-s", "{port}", "{host}", "ssh"],
                 GUESSING, SUCCESS),
        Attacker("hydra ssh, many names", "ssh", [f"{bin_}/hydra", "-I", "-f", "-L", users, "-p", "welcome", "-t", "4", "-s", "{port}", "{host}", "ssh"], GUESSING),
        Attacker("medusa ssh", "ssh", [*medusa, "-u", "root", "-P", passwords, "-M", "ssh"], GUESSING),
        Attacker("ncrack ssh", "ssh", [f"{bin_}/ncrack", "--user", "admin", "-P", passwords, "-g", "cl=4,to=40s", "ssh://{host}:{port}"], GUESSING),
        Attacker("hydra form", "web", [f"{bin_}/hydra", "-I", "-f", "-l", "bob", "-P", passwords, "-t", "4", "-s", "{port}", "{host}", "http-post-form", form],
                 GUESSING, SUCCESS, agent="Hydra"),
        Attacker("medusa form", "web", [*medusa, "-u", "ann", "-P", passwords, "-M", "web-form", "-m", "FORM:login", "-m", "FORM-DATA:post?user=&password="], GUESSING, agent="Ming Mong"),
        Attacker("hydra basic", "web", [f"{bin_}/hydra", "-I", "-f", "-l", "carol", "-P", passwords, "-t", "4", "-s", "{port}", "{host}", "http-get", "/intern/"],
                 GUESSING, SUCCESS, agent="Hydra"),
        Attacker("medusa basic", "web", [*medusa, "-u", "admin", "-P", passwords, "-M", "http", "-m", "DIR:intern/"], GUESSING, agent="MSIE 10.0; Windows 3.1"),
        Attacker("sqlmap", "web", sqlmap, SQL, TAKEN, agent="sqlmap"),
        Attacker("sqlmap, browser", "web", [*sqlmap, "--random-agent"], SQL, TAKEN),
        Attacker("wapiti", "web", wapiti, SCAN, TAKEN, seconds=75, most=KINDS),
        Attacker("wapiti, browser", "web", [*wapiti, "-A", BROWSER], SCAN, TAKEN, seconds=75, most=KINDS),
        Attacker("gobuster", "web", gobuster, PATHS, SERVED, agent="gobuster"),
        Attacker("gobuster, browser", "web", [*gobuster, "-a", BROWSER], PATHS, SERVED),
        Attacker("ffuf", "web", ffuf, PATHS, SERVED, agent="Fuzz Faster"),
        Attacker("ffuf, browser", "web", [*ffuf, "-H", f"User-Agent: {BROWSER}"], PATHS, SERVED),
        Attacker("dirb", "web", dirb, PATHS, SERVED),
        Attacker("dirb, browser", "web", [*dirb, "-a", BROWSER], PATHS, SERVED),
        *[Attacker(f"nmap {script}{kind}", "web", [*nmap, "--script", f"+http-{script}", *how, "{host}"], aim, success, agent=agent, most=most)
          for script, aim, success, most in [("enum", PATHS, SERVED, KINDS), ("sql-injection", r"(?i)sql|probed for inj", None, MOST_FINDINGS),
                                             ("passwd", r"(?i)traversal", None, MOST_FINDINGS)]
          for kind, how, agent in [("", [], "Nmap"), (", browser", ["--script-args", f"http.useragent={BROWSER}"], None)]],
        Attacker("arjun", "web", arjun, r"(?i)parameters? .*(guess|tried)|tried .*parameters"),
        Attacker("nmap versions", "ssh", [f"{bin_}/nmap", "-Pn", "-n", "-sT", "-sV", "-p", "{port}", "--datadir", f"{tools}/root/usr/share/nmap", "{host}"],
                 r"(?i)ssh"),
    ]
