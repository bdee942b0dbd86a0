#!/usr/bin/env python3
"""A small shop, weak on purpose, for attack tools on loopback: shop.py PORT FOLDER. An item's number goes into SQL as it
comes, a search is shown as it comes, a download leaves its folder. Nothing of the machine is ever read: what lies outside
of the folder is made up. Must stand behind 127.0.0.1 only."""
import html
import http.server
import os
import sqlite3
import sys
import threading
import time
import urllib.parse

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
ACCOUNTS = {"ann": "spring-Rain-4", "bob": "sunshine", "carol": "blue.Kettle.77", "dave": "oak-and-elm-12"}
MADE_UP = {"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n"}
SECONDS_PER_QUERY = 3.0
BODY_BYTES = 65536
own = threading.local()


def database():
    """The items of this thread: in memory, given up when a query takes too long."""
    if not hasattr(own, "base"):
        own.base = sqlite3.connect(":memory:")
        own.base.execute("create table item (id integer primary key, name text, price integer)")
        own.base.execute("create table account (name text, secret text)")
        own.base.executemany("insert into item values (?, ?, ?)", [(n, f"Chair number {n}", 20 + n) for n in range(1, 61)])
        own.base.executemany("insert into account values (?, ?)", [(name, "x" * 8) for name in ACCOUNTS])
    end = time.monotonic() + SECONDS_PER_QUERY
    own.base.set_progress_handler(lambda: time.monotonic() > end, 10000)
    return own.base


def page(title, body):
    links = "".join(f'<li><a href="/item?id={n}">Chair {n}</a></li>' for n in range(1, 9))
    return (f"<!doctype html><html><head><title>{title}</title><link rel=stylesheet href=/static/shop.css>"
            f"<script src=/static/shop.js></script></head><body><h1>{title}</h1>{body}<form action=/search><input name=q>"
            f"</form><form action=/login method=post><input name=user><input name=password type=password><input type=submit>"
            f"</form><ul>{links}<li><a href='/download?file=manual.txt'>Manual</a></li><li><a href=/about.html>About</a></li>"
            f"</ul></body></html>")


class Shop(http.server.BaseHTTPRequestHandler):
    timeout = 20

    def answer(self, status, text, headers=()):
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def item(self, query):
        number = query.get("id", ["1"])[0]
        try:
            row = database().execute("select name, price from item where id = " + number).fetchone()
        except (sqlite3.Error, sqlite3.Warning, ValueError) as wrong:
            return self.answer(500, page("Error", f"SQLite error: {html.escape(str(wrong))}"))
        return self.answer(200, page(str(row[0]), f"<p>{row[1]} EUR</p>")) if row else self.answer(404, page("No such item", ""))

    def search(self, query):
        words = query.get("q", [""])[0]
        rows = database().execute("select id, name from item where name like ? limit 9", (f"%{words}%",)).fetchall()
        found = "".join(f'<p><a href="/item?id={number}">{name}</a></p>' for number, name in rows)
        self.answer(200, page("Search", f"<p>You looked for {words}</p>{found}"))

    def download(self, query):
        asked = os.path.normpath(os.path.join("/srv/shop/files", query.get("file", [""])[0].split("\0")[0]))
        if asked in MADE_UP:
            return self.answer(200, MADE_UP[asked])
        kept = os.path.join(FOLDER, os.path.basename(asked))
        if os.path.dirname(asked) != "/srv/shop/files" or not os.path.isfile(kept):
            return self.answer(404, page("No such file", ""))
        with open(kept, encoding="utf-8") as text:
            return self.answer(200, text.read())

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query, keep_blank_values=True, errors="replace")
        pages = {"/item": self.item, "/search": self.search, "/download": self.download}
        if parts.path in pages:
            return pages[parts.path](query)
        known = {"/": ("Chairs", "<p>Welcome</p>"), "/account": ("Account", "<p>Your orders</p>"), "/login": ("Login", "")}
        return self.answer(200, page(*known[parts.path])) if parts.path in known else self.answer(404, page("No such page", ""))

    do_HEAD = do_GET

    def do_POST(self):
        size = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES)
        form = urllib.parse.parse_qs(self.rfile.read(size).decode("utf-8", "replace"), keep_blank_values=True)
        if urllib.parse.urlsplit(self.path).path != "/login":
            return self.answer(405, page("Not so", ""))
        name, secret = form.get("user", [""])[0], form.get("password", [""])[0]
        if name in ACCOUNTS and ACCOUNTS[name] == secret:
            return self.answer(302, "", [("Location", "/account"), ("Set-Cookie", f"session={name}; HttpOnly")])
        return self.answer(200, page("Login", "<p>Login incorrect</p>"))  # as most applications do

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, *_):
        pass


Server(("127.0.0.1", PORT), Shop).serve_forever()
