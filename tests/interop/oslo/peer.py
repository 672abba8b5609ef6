"""oslo.messaging as the other side of a test: does what the lines on its standard input say, answers each with a line.

A line is a JSON object with `id` and `op`; the answer has the same `id` and `result` or `error`. What its servers and
listeners receive comes as lines without an id.
"""
import json
import sys
import threading

import oslo_messaging
from oslo_config import cfg

write_lock = threading.Lock()


def tell(message):
    with write_lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


class Endpoint:
    """Takes every method there is a name for here."""

    def __init__(self, server, namespace, version):
        self.server = server
        self.target = oslo_messaging.Target(namespace=namespace, version=version)

    def _tell(self, method, ctxt, args):
        tell({"received": {"server": self.server, "method": method, "context": dict(ctxt), "args": args}})

    def echo(self, ctxt, **args):
        self._tell("echo", ctxt, args)
        return args

    def nothing(self, ctxt, **args):
        self._tell("nothing", ctxt, args)

    def fail(self, ctxt, **args):
        self._tell("fail", ctxt, args)
        raise ValueError("boom")

    def slow(self, ctxt, **args):
        self._tell("slow", ctxt, args)
        threading.Event().wait(args["seconds"])
        return "late"

    def create_load_balancer(self, ctxt, loadbalancer, flavor=None, availability_zone=None):
        args = {"loadbalancer": loadbalancer, "flavor": flavor, "availability_zone": availability_zone}
        self._tell("create_load_balancer", ctxt, args)

    def delete_member(self, ctxt, member):
        self._tell("delete_member", ctxt, {"member": member})


class Listener:
    """Takes notifications of the one priority that is asked for."""

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        tell({
            "notified": {
                "context": dict(ctxt),
                "publisher_id": publisher_id,
                "event_type": event_type,
                "payload": payload,
                "metadata": metadata,
            }
        })


class Peer:
    def __init__(self, settings):
        # The global one: the library registers some of its options there alone.
        self.conf = cfg.CONF
        self.conf([], project="peer")
        oslo_messaging.set_transport_defaults(settings["exchange"])
        self.transport = oslo_messaging.get_rpc_transport(self.conf, settings["url"])
        self.notifications = oslo_messaging.get_notification_transport(self.conf, settings["url"])
        for name, value in settings.get("rabbit", {}).items():
            self.conf.set_override(name, value, group="oslo_messaging_rabbit")
        self.running = {}

    def serve(self, key, topic, server, namespace=None, version="1.0"):
        target = oslo_messaging.Target(topic=topic, server=server)
        endpoint = Endpoint(server, namespace, version)
        self.running[key] = oslo_messaging.get_rpc_server(
            self.transport, target, [endpoint], executor="threading")
        self.running[key].start()

    def listen(self, key, topic):
        target = oslo_messaging.Target(topic=topic)
        self.running[key] = oslo_messaging.get_notification_listener(
            self.notifications, [target], [Listener()], executor="threading")
        self.running[key].start()

    def stop(self, key):
        running = self.running.pop(key)
        running.stop()
        running.wait()

    def _client(self, topic, namespace, version, server, fanout, timeout):
        target = oslo_messaging.Target(
            topic=topic, namespace=namespace, version=version, server=server, fanout=fanout)
        make = getattr(oslo_messaging, "get_rpc_client", oslo_messaging.RPCClient)
        return make(self.transport, target, timeout=timeout)

    def cast(self, topic, method, args, context=None, namespace=None, version=None, server=None, fanout=None):
        self._client(topic, namespace, version, server, fanout, None).cast(context or {}, method, **args)

    def call(self, topic, method, args, context=None, namespace=None, version=None, server=None, timeout=10,
             monitor=None):
        client = self._client(topic, namespace, version, server, None, timeout)
        if monitor is not None:
            client = client.prepare(call_monitor_timeout=monitor)
        return client.call(context or {}, method, **args)


def run(peer, command):
    operation = command.pop("op")
    identity = command.pop("id")
    try:
        tell({"id": identity, "result": getattr(peer, operation)(**command)})
    except oslo_messaging.RemoteError as error:
        tell({"id": identity, "error": {"type": "RemoteError", "remote": error.exc_type, "message": error.value}})
    except Exception as error:
        tell({"id": identity, "error": {"type": type(error).__name__, "message": str(error)}})


def main():
    peer = Peer(json.loads(sys.argv[1]))
    tell({"ready": True})
    for line in sys.stdin:
        threading.Thread(target=run, args=(peer, json.loads(line)), daemon=True).start()


main()
