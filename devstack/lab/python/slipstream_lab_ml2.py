"""Lets Neutron bind ports where no agent runs.

Every port is bound to the first segment of its network and ACTIVE at once, unless its host is in the file that
SLIPSTREAM_LAB_REFUSED_HOSTS names (one a line): there binding fails, as it would for a host whose agent is away.
"""

import os

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class LabMechanismDriver(api.MechanismDriver):
    def initialize(self):
        pass

    def bind_port(self, context):
        if context.host in _refused_hosts():
            return
        segment = context.segments_to_bind[0]
        details = {portbindings.CAP_PORT_FILTER: True}
        context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS, details, status=constants.PORT_STATUS_ACTIVE)


def _refused_hosts():
    try:
        with open(os.environ["SLIPSTREAM_LAB_REFUSED_HOSTS"]) as file:
            return set(file.read().split())
    except (KeyError, OSError):
        return set()
