"""A collector of traces: takes OTLP over HTTP in JSON, keeps what it gets, and can be told to fail."""
import http.server
import json
import threading


class Collector:
    def __init__(self):
        self.requests, self.refusals, self.lock = [], [], threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.requests.append((self.path, dict(self.headers), json.loads(body)))
                    status = outer.refusals.pop(0) if outer.refusals else 200
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def spans(self):
        """(resource attributes, span) of all taken so far."""
        with self.lock:
            bodies = [body for _, _, body in self.requests]
        return [(attributes(part["resource"]), span) for body in bodies for part in body["resourceSpans"]
                for scope in part["scopeSpans"] for span in scope["spans"]]


def attributes(thing):
    return {one["key"]: next(iter(one["value"].values())) for one in thing["attributes"]}
