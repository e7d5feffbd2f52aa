"""The own-network guard with a real link that is cut: a network namespace for vitald, another for the world."""

import shutil
import subprocess
import sys
import time
import unittest

from support import Daemon, wait_until

HERE, THERE = "192.0.2.2", "192.0.2.1"


def reason_to_skip():
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    tried = subprocess.run(["unshare", "-n", "ip", "link", "add", "try0", "type", "veth", "peer", "name", "try1"],
                           capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"no network namespaces here: {tried.stderr.strip()}"


class Namespace:
    """A network of its own, held by a process that sleeps in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; exec sleep 600"],
                                       stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"

    def inside(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *command]

    def run(self, *command):
        subprocess.run(self.inside(*command), check=True, capture_output=True, text=True)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


@unittest.skipIf(reason_to_skip(), reason_to_skip() or "")
class UplinkTest(unittest.TestCase):
    def setUp(self):
        self.host, self.world = Namespace(), Namespace()
        self.addCleanup(self.world.close)
        self.addCleanup(self.host.close)
        self.host.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "far0",
                      "netns", str(self.world.holder.pid))
        for side, link, address in ((self.host, "up0", HERE), (self.world, "far0", THERE)):
            side.run("ip", "link", "set", "lo", "up")
            side.run("ip", "address", "add", f"{address}/24", "dev", link)
            side.run("ip", "link", "set", link, "up")
        self.host.run("ip", "route", "add", "default", "via", THERE)
        site = subprocess.Popen(self.world.inside(sys.executable, "-m", "http.server", "8080", "--bind", THERE),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(site.wait)
        self.addCleanup(site.kill)

    def daemon(self, **uplink):
        quick = {"every": "1s", "timeout": "1s", "confirm": {"failures": 2, "spread": ["300ms"]}}
        checks = {
            "uplink": {"probe": "uplink", "severity": "P1", **quick, **uplink},
            "site": {"probe": "http", "url": f"http://{THERE}:8080/", **quick},
        }
        # /sys shows the interfaces of the network in which it was mounted.
        fresh_sys = ["unshare", "-m", "sh", "-c", 'mount -t sysfs sysfs /sys && exec "$@"', "sh"]
        daemon = Daemon(checks, wrapper=self.host.inside(*fresh_sys))
        self.addCleanup(daemon.close)
        # Its listener is in its own network: the log says that it is ready.
        daemon.start(wait=False)
        wait_until(lambda: "vitald watches" in daemon.log(), "the daemon to be ready")
        time.sleep(2)  # both checks have run: that the site was good is where the story begins
        return daemon

    def cut_and_mend(self, daemon):
        self.world.run("ip", "link", "set", "far0", "down")
        time.sleep(6)  # long enough for the site to be confirmed as down many times over
        self.assertNotIn("site on test-host", daemon.log())
        self.world.run("ip", "link", "set", "far0", "up")
        wait_until(lambda: "cut off for" in daemon.log(), lambda: f"the digest; it said:\n{daemon.log()}")
        self.assertIn("1 check could not be measured", daemon.log())
        time.sleep(2)
        self.assertNotIn("site on test-host", daemon.log())
        self.assertNotIn("uplink on test-host", daemon.log())

    def test_a_pulled_cable_is_one_message_afterwards(self):
        self.cut_and_mend(self.daemon())

    def test_anchors_that_refuse_are_alive(self):
        daemon = self.daemon(anchors=[f"{THERE}:9", f"{THERE}:10"], wait="500ms")
        self.cut_and_mend(daemon)


if __name__ == "__main__":
    unittest.main()
