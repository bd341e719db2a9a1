"""The network of the demo mesh: two namespaces on a bridge that lies in a third, and one link from here to that bridge.

What runs here (browser, weft, Prometheus) reaches both hosts; the hosts reach each other only through the bridge.
"""
import ipaddress
import json
import os
import subprocess

HUB, PREFIX, LINK = "weft-net", "weft-", "weft0"


class NotPermitted(Exception):
    """This machine does not let us make namespaces."""


def ip(*words, inside=None, check=True):
    command = ["ip", *(["-n", inside] if inside else []), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise NotPermitted(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def free_subnet():
    """The first 10.231.N.0/24 from N = 77 that no route of this machine touches."""
    taken = []
    for route in json.loads(ip("-j", "route", "show", "table", "all") or "[]"):
        try:
            taken.append(ipaddress.ip_network(route["dst"], strict=False))
        except ValueError:  # "default"
            pass
    for third in [*range(77, 256), *range(77)]:
        subnet = ipaddress.ip_network(f"10.231.{third}.0/24")
        if not any(net.version == 4 and net.overlaps(subnet) for net in taken):
            return subnet
    raise NotPermitted("every 10.231.x.0/24 has a route already")


def create(hosts):
    """Makes the network; returns {host: address}. Leaves nothing behind when it fails."""
    if os.geteuid() != 0:
        raise NotPermitted("not root")
    try:
        subnet = free_subnet()
        addresses = {host: str(subnet[2 + i]) for i, host in enumerate(hosts)}
        ip("netns", "add", HUB)
        ip("link", "add", "bridge", "type", "bridge", inside=HUB)
        ip("link", "set", "bridge", "up", inside=HUB)
        for host in hosts:
            ip("netns", "add", PREFIX + host)
            ip("link", "set", "lo", "up", inside=PREFIX + host)
            join(host, PREFIX + host, "eth0", f"{addresses[host]}/{subnet.prefixlen}")
        join("here", None, LINK, f"{subnet[1]}/{subnet.prefixlen}")
        return addresses
    except (NotPermitted, FileNotFoundError) as reason:
        remove(hosts)
        raise NotPermitted(str(reason)) from reason


def join(port, namespace, device, address, hub=HUB):
    """A link from `device` in `namespace` (None: here) to the bridge in `hub`."""
    ip("link", "add", "name", device, "type", "veth", "peer", "name", port, "netns", hub, inside=namespace)
    ip("link", "set", port, "master", "bridge", "up", inside=hub)
    ip("addr", "add", address, "dev", device, inside=namespace)
    ip("link", "set", device, "up", inside=namespace)


def exists(hosts):
    return any(os.path.exists(f"/run/netns/{name}") for name in [HUB, *(PREFIX + host for host in hosts)])


def processes(hosts):
    """Ids of the processes that live in the namespaces."""
    found = [ip("netns", "pids", PREFIX + host, check=False).split() for host in hosts if os.path.exists(f"/run/netns/{PREFIX}{host}")]
    return [int(pid) for pids in found for pid in pids]


def remove(hosts):
    for name in [*(PREFIX + host for host in hosts), HUB]:  # the links go with their namespaces
        if os.path.exists(f"/run/netns/{name}"):
            ip("netns", "del", name, check=False)
    if os.path.exists(f"/sys/class/net/{LINK}"):
        ip("link", "del", LINK, check=False)
