"""Work queues between real processes: the gallery pushes pictures, resizers work on them; examples/pictures."""
import collections
import json
import os
import pathlib
import signal
import unittest
import urllib.request

from tests.support.mesh_processes import PROGRAMS, Mesh, free_ports
from tests.support.processes import run_weft
from tests.support.waiting import eventually

EXAMPLES = pathlib.Path(os.environ.get("WEFT_BUILD", PROGRAMS)) / "examples"
QUEUE = "resizer.resize"


def pictures(count, width=100, name="p"):
    return [{"name": f"{name}{number:04}", "width": width} for number in range(count)]


class Queues(unittest.TestCase):
    def setUp(self):
        self.mesh = Mesh()
        self.addCleanup(self.mesh.close)
        self.journal = self.mesh.folder / "journal"

    def gallery(self, *settings):
        return self.mesh.join("gallery", *(f"queues.resizer.{one}" for one in settings), folder=EXAMPLES)

    def gallery_again(self, gallery, *settings):
        """After kill -9: the new instance."""
        before = self.mesh.client.find("gallery")["instance"]
        gallery.stop(signal.SIGKILL)
        again = self.gallery(*settings)
        eventually(lambda: self.mesh.client.find("gallery")["instance"] != before, what="the new one has registered")
        return again

    def resizer(self, host="alpha", work="2ms", at_once=2):
        return self.mesh.join("resizer", f"agent.work={work}", f"agent.at_once={at_once}", f"agent.journal={self.journal}-{host}",
                              host=host, folder=EXAMPLES)

    def add(self, items, **more):
        return self.mesh.client.call("gallery.add", {"pictures": items, **more}, timeout=60)

    def done(self):
        """How often each picture was done, on any host."""
        return collections.Counter(line for path in self.mesh.folder.glob("journal-*") for line in path.read_text().split())

    def info(self):
        """None while the gallery does not answer: a machine that is busy with other tests may let its lease end."""
        try:
            found = self.mesh.client.call("gallery._queues", {"queue": QUEUE})["queues"]
        except (LookupError, TimeoutError):
            return None
        return found[0] if found else None

    def weft(self, *words, **how):
        return run_weft(*words, home=str(self.mesh.folder), WEFT_REGISTRY=self.mesh.registry, **how)

    def json(self, *words, **how):
        done = self.weft(*words, "--json", **how)
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)

    def metric(self, process, name):
        """The value of a metric of the gallery."""
        admin = self.mesh.client.find(process)["admin"]
        text = urllib.request.urlopen(f"http://{admin}/metrics", timeout=5).read().decode()
        return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)), None)

    def kill_while_working(self, worker, at_least):
        eventually(lambda: sum(self.done().values()) >= at_least, 30, what="work is under way")
        worker.stop(signal.SIGKILL)

    def all_finished(self):
        info = self.info()
        return info and info["finished"] + info["dead_letters"] == 1000 and info

    def test_a_killed_worker_loses_no_item(self):
        self.gallery()
        first, _ = self.resizer(), self.resizer("beta")
        self.assertEqual(1000, len(self.add(pictures(1000))["accepted"]))
        self.kill_while_working(first, 100)
        info = eventually(self.all_finished, 60, what="1000 items done")
        self.assertEqual(0, info["dead_letters"])
        self.assertGreaterEqual(info["redelivered"], 1)
        self.assertEqual({one["name"] for one in pictures(1000)}, set(self.done()))

    def test_at_most_once_no_item_is_done_twice_and_each_is_accounted_for(self):
        self.gallery("delivery=at_most_once")
        first, _ = self.resizer(), self.resizer("beta")
        self.add(pictures(1000))
        self.kill_while_working(first, 100)
        info = eventually(self.all_finished, 60, what="1000 items done or dead")
        self.assertGreaterEqual(info["dead_letters"], 1)
        self.assertEqual(1, max(self.done().values()))
        eventually(lambda: not self.mesh.client.find("resizer", "alpha"), what="the lease of the killed one ends")
        self.assertEqual(info["dead_letters"], len(self.json("dlq", "list")))

    def test_a_killed_producer_loses_no_accepted_item(self):
        for durability in ("os", "fsync"):
            with self.subTest(durability):
                gallery = self.gallery(f"durability={durability}")
                accepted = self.add(pictures(200, name=durability))["accepted"]
                self.assertEqual(200, len(accepted))
                gallery = self.gallery_again(gallery, f"durability={durability}")
                self.assertEqual((200, durability), (self.info()["restored"], self.info()["durability"]))
                worker = self.resizer()
                wanted = {one["name"] for one in pictures(200, name=durability)}
                eventually(lambda w=wanted: w <= set(self.done()), 30, what="what was accepted is done")
                worker.stop()
                gallery.stop()
                eventually(lambda: not self.mesh.client.find("gallery"), what="it has left")

    def test_a_slow_worker_gets_a_smaller_share(self):
        self.gallery()
        self.resizer("alpha", work="1ms")
        self.resizer("beta", work="40ms")
        self.add(pictures(300))
        eventually(lambda: self.info()["finished"] == 300, 60, what="all done")
        shares = {worker["host"]: worker["finished"] for worker in self.info()["workers"]}
        self.assertGreaterEqual(shares["beta"], 1)
        self.assertLess(shares["beta"] * 3, shares["alpha"])

    def test_a_worker_that_stands_still_gets_no_more_and_its_items_go_to_another(self):
        self.gallery("item_timeout=300ms")
        still = self.resizer("alpha", work="5ms")
        self.add(pictures(5))
        eventually(lambda: self.info()["finished"] == 5, what="it works")
        still.process.send_signal(signal.SIGSTOP)
        self.addCleanup(still.process.send_signal, signal.SIGCONT)
        self.add(pictures(20, name="q"))
        self.resizer("beta")
        eventually(lambda: self.info()["finished"] == 25, 30, what="the other does all")
        self.assertEqual(0, self.info()["dead_letters"])

    def test_poison_goes_to_the_dead_letters_and_is_shown_replayed_edited_and_purged(self):
        port = free_ports(1)[0]
        self.mesh.join("errorbus", f"errorbus.port={port}")
        self.mesh.join("gallery", "queues.resizer.attempts=3", "queues.resizer.retry_delay=20ms",
                       f"errorbus.address=tcp://127.0.0.1:{port}", folder=EXAMPLES)
        self.resizer()
        ids = self.add([{"name": "poison", "width": 0}, {"name": "absurd", "width": -1}, {"name": "fine", "width": 5}])["accepted"]
        eventually(lambda: self.info()["dead_letters"] == 2, what="two dead letters")
        letters = {one["id"]: one for one in self.json("dlq", "list")}
        self.assertEqual(set(ids[:2]), set(letters))
        self.assertEqual((3, "PICTURE-2"), (len(letters[ids[0]]["attempts"]), letters[ids[0]]["code"]))
        self.assertEqual(1, len(letters[ids[1]]["attempts"]))

        def shown():
            one = self.json("dlq", "show", ids[0])
            return one["issue"] and one
        letter = eventually(shown, 20, what="the error bus has the issue")
        self.assertEqual(("poison", "summer"), (letter["payload"]["name"], letter["headers"]["album"]))
        issue = self.json("errors", "show", letter["issue"])
        self.assertIn("WEFT-2017", json.dumps(issue))
        text = self.weft("dlq", "show", ids[0])
        self.assertIn("nothing is left of it", text.stdout)

        self.assertEqual({"replayed": 1}, self.json("dlq", "replay", ids[0]))
        eventually(lambda: self.info()["dead_letters"] == 2, what="it died again")
        self.assertEqual({"replayed": 1}, self.json("dlq", "edit", ids[0], stdin='{"name": "mended", "width": 9}'))
        eventually(lambda: self.done()["mended"] == 1, what="the mended one is done")
        self.assertEqual(2, self.weft("dlq", "purge").returncode)
        self.assertEqual({"purged": 1}, self.json("dlq", "purge", "--yes"))
        self.assertEqual([], self.json("dlq", "list"))
        self.assertEqual(1, self.weft("dlq", "show", ids[0]).returncode)
        unknown = self.weft("queue", "info", "resizer.resise")
        self.assertEqual(1, unknown.returncode)
        self.assertIn("did you mean 'resizer.resize'?", unknown.stderr)

    def test_a_full_queue_refuses_and_each_refusal_is_counted(self):
        self.gallery("items_max=10")
        reply = self.add(pictures(25))
        self.assertEqual((10, 15), (len(reply["accepted"]), reply["refused"]))
        self.assertEqual(15, self.metric("gallery", 'weft_queue_refused_total{queue="resizer.resize",reason="items_max"'))
        self.assertEqual(10, self.metric("gallery", 'weft_queue_depth{priority="normal",queue="resizer.resize"'))
        event = eventually(lambda: self.mesh.bus.events(code="WEFT-2009"), what="the error bus is told")[0]
        self.assertEqual("items_max", event["values"]["reason"])

    def test_a_process_that_does_not_answer_costs_one_line_and_no_document(self):
        self.gallery()
        stopped = self.resizer()
        self.add(pictures(1))
        eventually(lambda: sum(self.done().values()) == 1, what="done")
        stopped.process.send_signal(signal.SIGSTOP)
        try:
            listed = self.weft("queue", "list", "--json", "--timeout", "400ms")
        finally:
            stopped.process.send_signal(signal.SIGCONT)
        self.assertEqual(1, listed.returncode)
        self.assertEqual([QUEUE], [one["queue"] for one in json.loads(listed.stdout)["queues"]])
        self.assertRegex(listed.stderr, r"^error: .*resizer@")

    def test_high_goes_before_low_and_an_item_can_be_pushed_by_hand(self):
        self.gallery()
        self.add(pictures(3, name="low"), priority="low")
        self.add(pictures(3, name="high"), priority="high")
        self.resizer(at_once=1)
        eventually(lambda: sum(self.done().values()) == 6, what="all done")
        self.assertEqual([one["name"] for one in pictures(3, name="high") + pictures(3, name="low")],
                         (self.mesh.folder / "journal-alpha").read_text().split())
        done = self.json("queue", "push", QUEUE, '{"name": "by hand", "width": 5}', "--priority", "high")
        self.assertEqual({"name": "by hand", "by": "alpha", "attempt": 1}, done)
        self.assertEqual({"name": "x", "by": "alpha", "attempt": 1},
                         self.mesh.client.call("gallery.preview", {"name": "x", "width": 3}))
        self.assertIn("gallery@alpha", self.weft("queue", "list").stdout)
        self.assertIn("at_least_once", self.weft("queue", "info", QUEUE).stdout)
        nobody = self.weft("queue", "push", "nobody.works", "{}", "--timeout", "300ms")
        self.assertEqual(1, nobody.returncode)
        self.assertIn("not finished within", nobody.stderr)

    def test_handlers_on_worker_threads_take_items_too(self):
        self.mesh.join("gallery", "actors.workers=2", folder=EXAMPLES)
        self.mesh.join("resizer", "actors.workers=2", f"agent.journal={self.journal}-alpha", folder=EXAMPLES)
        self.assertEqual(50, len(self.add(pictures(50))["accepted"]))
        eventually(lambda: len(self.done()) == 50, what="all done")


if __name__ == "__main__":
    unittest.main()
