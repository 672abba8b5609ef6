"""Makes what load balancers need in the cloud: networks, flavors, the engines' image and security group.

Run again, it adds what is missing. Writes the ids that the configuration of Slipstream and the tests need: cloud.json, and
cloud.sh with the same as variables such as CLOUD_PRIVATE_SUBNET_ID.
"""

import json
import pathlib
import sys
import time

import openstack

STATE = pathlib.Path(sys.argv[1])
LAB = json.loads((STATE / "lab.json").read_text())
COMPUTES = 3
DEADLINE = time.monotonic() + 120


def connect(user, project):
    return openstack.connect(
        auth_url=LAB["auth_url"],
        username=user,
        password=LAB["password"],
        project_name=project,
        user_domain_id="default",
        project_domain_id="default",
        region_name=LAB["region"],
        identity_api_version="3",
    )


def main():
    service = connect("octavia", "service")
    admin = connect("admin", "admin")
    demo = connect("demo", "demo")
    cloud = {
        "service_project_id": service.current_project_id,
        "demo_project_id": demo.current_project_id,
        **add_management(service),
        **add_public(admin),
    }
    cloud.update(add_tenant(demo, cloud["public_network_id"]))
    cloud.update(add_engines(demo))
    wait_for_computes(admin)
    cloud["engine_flavor_id"] = ensure_flavor(admin, "slipstream-engine", ram=1024, vcpus=1, disk=4)
    cloud["server_flavor_id"] = ensure_flavor(admin, "lab.small", ram=256, vcpus=1, disk=1)
    (STATE / "cloud.json").write_text(json.dumps(cloud, indent=2))
    (STATE / "cloud.sh").write_text("".join(f"CLOUD_{key.upper()}={value}\n" for key, value in cloud.items()))


def add_management(service):
    """Engines and controllers meet here. There is no DHCP: addresses come with the config drive."""
    network = ensure(service.network, "network", name="lb-mgmt-net")
    subnet = ensure(
        service.network,
        "subnet",
        name="lb-mgmt-subnet",
        network_id=network.id,
        ip_version=4,
        cidr="10.250.0.0/22",
        gateway_ip="10.250.0.1",
        allocation_pools=[{"start": "10.250.0.10", "end": "10.250.3.250"}],
        enable_dhcp=False,
    )
    group = ensure(service.network, "security_group", name="lb-mgmt-sec-grp")
    return {
        "management_network_id": network.id,
        "management_subnet_id": subnet.id,
        "management_gateway": subnet.gateway_ip,
        "management_security_group_id": group.id,
    }


def add_engines(demo):
    """Engines of an installation that has everything in this project meet their controllers here."""
    network = ensure(demo.network, "network", name="engines")
    subnet = ensure(
        demo.network,
        "subnet",
        name="engines-subnet",
        network_id=network.id,
        ip_version=4,
        cidr="10.251.0.0/24",
        gateway_ip="10.251.0.1",
        enable_dhcp=False,
    )
    return {"engines_network_id": network.id, "engines_gateway": subnet.gateway_ip}


def add_public(admin):
    """Where floating IPs come from."""
    network = ensure(
        admin.network,
        "network",
        name="public",
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network="public",
    )
    subnet = ensure(
        admin.network,
        "subnet",
        name="public-subnet",
        network_id=network.id,
        ip_version=4,
        cidr="172.24.4.0/24",
        gateway_ip="172.24.4.1",
        allocation_pools=[{"start": "172.24.4.10", "end": "172.24.4.250"}],
        enable_dhcp=False,
    )
    return {"public_network_id": network.id, "public_subnet_id": subnet.id}


def add_tenant(demo, public_network_id):
    """A network for VIPs, one for members and one without DHCP, on one router to the outside."""
    router = ensure(demo.network, "router", name="router")
    if not router.external_gateway_info:
        demo.network.update_router(router, external_gateway_info={"network_id": public_network_id})
    made = {"router_id": router.id}
    for key, name, cidr, dhcp in [
        ("private", "private", "10.10.1.0/24", True),
        ("members", "members", "10.10.2.0/24", True),
        ("plain", "without-dhcp", "10.10.3.0/24", False),
    ]:
        network = ensure(demo.network, "network", name=name)
        subnet = ensure(
            demo.network,
            "subnet",
            name=f"{name}-subnet",
            network_id=network.id,
            ip_version=4,
            cidr=cidr,
            enable_dhcp=dhcp,
        )
        add_to_router(demo, router, subnet)
        made[f"{key}_network_id"] = network.id
        made[f"{key}_subnet_id"] = subnet.id
    return made


def add_to_router(demo, router, subnet):
    ports = demo.network.ports(device_id=router.id, network_id=subnet.network_id)
    if not any(fixed["subnet_id"] == subnet.id for port in ports for fixed in port.fixed_ips):
        demo.network.add_interface_to_router(router, subnet_id=subnet.id)


def wait_for_computes(admin):
    """Nova's scheduler finds new hosts by itself, every few seconds."""
    while True:
        up = [it for it in admin.compute.hypervisors(details=False) if it.state == "up"]
        if len(up) >= COMPUTES:
            return
        if time.monotonic() > DEADLINE:
            sys.exit(f"{len(up)} of {COMPUTES} computes are up")
        time.sleep(1)


def ensure(proxy, kind, **attributes):
    """The caller's own object of that name, made if there is none."""
    found = getattr(proxy, f"{kind}s")(name=attributes["name"], project_id=proxy.get_project_id())
    return next(iter(found), None) or getattr(proxy, f"create_{kind}")(**attributes)


def ensure_flavor(admin, name, **size):
    found = [it for it in admin.compute.flavors() if it.name == name]
    return (found[0] if found else admin.compute.create_flavor(name=name, **size)).id


main()
