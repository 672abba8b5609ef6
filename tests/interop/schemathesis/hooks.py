"""Makes schemathesis name objects that exist in most of its requests; of made-up ids alone nothing but 404 would come.

The guard says which there are: they change as objects are deleted. What is replaced depends on the request alone, so that a
run can be repeated.
"""

import json
import os
import random
import urllib.request

import schemathesis

PLANTED = os.environ["GUARD_URL"] + "/-/planted"
OFTEN = 0.75
# What nothing has been planted for: a request that names one of these gets no further.
UNKNOWN = {
    "vip_address",
    "vip_network_id",
    "vip_port_id",
    "vip_qos_policy_id",
    "vip_sg_ids",
    "additional_vips",
    "default_tls_container_ref",
    "client_ca_tls_container_ref",
    "client_crl_container_ref",
    "ca_tls_container_ref",
    "crl_container_ref",
    "tls_container_ref",
    "sni_container_refs",
}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Names by a pattern without looking around, since strings for the one in the document can take minutes to find."""
    for item in raw_schema["components"]["schemas"].values():
        domain_name = item.get("properties", {}).get("domain_name")
        if domain_name and "pattern" in domain_name:
            domain_name["pattern"] = r"^[a-z]{1,20}(\.[a-z]{1,20}){0,3}$"


@schemathesis.hook
def before_call(context, case, kwargs):
    with urllib.request.urlopen(PLANTED) as answer:
        planted = json.load(answer)
    chance = random.Random(repr((case.operation.label, case.path_parameters, case.body)))
    for name in case.path_parameters or {}:
        if name in planted["paths"] and chance.random() < OFTEN:
            case.path_parameters[name] = planted["paths"][name]
    replace_references(case.body, planted["references"], chance)


def replace_references(value, references, chance):
    if isinstance(value, list):
        for item in value:
            replace_references(item, references, chance)
    if not isinstance(value, dict):
        return
    for name, item in list(value.items()):
        if name in UNKNOWN and chance.random() < OFTEN:
            del value[name]
        elif isinstance(item, str) and name in references and chance.random() < OFTEN:
            value[name] = references[name]
        else:
            replace_references(item, references, chance)
