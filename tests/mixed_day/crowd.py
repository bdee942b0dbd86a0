"""The benign half of the mixed day: people with browsers, each from an address of its own, who look, search, mistype a
password, log in, download and follow a dead link. Must send nothing that is an attack."""
import http.client
import random
import threading
import time
import urllib.parse

PEOPLE = 48
SECONDS_BETWEEN_PAGES = (1.0, 6.0)
AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
]
WORDS = ["oak chair", "chair & table", "o'neill armchair", "set of 4", "50% off", "select a colour", "stool or bench",
         "table from 1960", "chairs <100 EUR", "drop leaf table", "union jack cushion", "where to sit", "script font sign",
         "lounge \"classic\"", "C# desk", "kitchen; white", "and so to bed", "rocking chair (used)", "1=one set", "a--z shelf"]
ACCOUNTS = [("ann", "spring-Rain-4"), ("carol", "blue.Kettle.77"), ("dave", "oak-and-elm-12")]
STATIC = ["/static/shop.css", "/static/shop.js", "/static/logo.svg"]


class Person(threading.Thread):
    def __init__(self, number, port, stop):
        super().__init__(daemon=True)
        self.address, self.port, self.stop = f"127.0.1.{number + 1}", port, stop
        self.chance = random.Random(number)
        self.agent = AGENTS[number % len(AGENTS)]
        self.account = ACCOUNTS[number % len(ACCOUNTS)]
        self.requests = 0

    def ask(self, line, path, body=None, referrer=None):
        headers = {"Host": "shop.example", "User-Agent": self.agent, "Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"}
        if referrer:
            headers["Referer"] = "http://shop.example" + referrer
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request("POST" if body is not None else "GET", path, body, headers)
        answer = line.getresponse()
        answer.read()
        self.requests += 1
        return answer.status

    def visit(self):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(self.address, 0))
        try:
            here = "/"
            self.ask(line, here)
            for path in STATIC + (["/favicon.ico"] if self.chance.random() < 0.3 else []):
                self.ask(line, path, referrer=here)
            for _ in range(self.chance.randrange(3, 9)):
                if self.stop.wait(self.chance.uniform(*SECONDS_BETWEEN_PAGES)):
                    return
                here = self.step(line, here)
        finally:
            line.close()

    def step(self, line, here):
        kind = self.chance.choices(["item", "search", "login", "download", "about", "dead"], [40, 25, 8, 8, 8, 2])[0]
        if kind == "item":
            path = f"/item?id={self.chance.randrange(1, 61)}"
        elif kind == "search":
            path = "/search?" + urllib.parse.urlencode({"q": self.chance.choice(WORDS)})
        elif kind == "login":
            path = "/account"
            name, secret = self.account
            self.ask(line, "/login", referrer=here)
            if self.chance.random() < 0.25:
                self.ask(line, "/login", urllib.parse.urlencode({"user": name, "password": secret.lower()[:-1]}), "/login")
                self.stop.wait(2)
            self.ask(line, "/login", urllib.parse.urlencode({"user": name, "password": secret}), "/login")
        else:
            path = {"download": "/download?file=manual.txt", "about": "/about.html", "dead": "/chairs/old.html"}[kind]
        self.ask(line, path, referrer=here)
        return path

    def run(self):
        self.stop.wait(self.chance.uniform(0, 5))
        while not self.stop.is_set():
            try:
                self.visit()
            except (OSError, http.client.HTTPException):
                time.sleep(1)
            self.stop.wait(self.chance.uniform(1, 8))


def start(port, stop):
    people = [Person(number, port, stop) for number in range(PEOPLE)]
    for person in people:
        person.start()
    return people
