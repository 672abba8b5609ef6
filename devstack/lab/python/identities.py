"""Makes Keystone's side of the lab: projects, users, roles, services and endpoints. Run again, it adds what is missing.

One process over HTTP: the openstack command would need two seconds for each of these hundred calls.
"""

import json
import pathlib
import sys

import requests

STATE = pathlib.Path(sys.argv[1])
LAB = json.loads((STATE / "lab.json").read_text())
KEYSTONE = LAB["auth_url"]
PASSWORD = LAB["password"]

LOAD_BALANCER_ROLES = [
    "load-balancer_observer",
    "load-balancer_global_observer",
    "load-balancer_member",
    "load-balancer_quota_admin",
    "load-balancer_admin",
]
ROLES = ["admin", "member", "reader", "service", "creator", "heat_stack_owner", "heat_stack_user", *LOAD_BALANCER_ROLES]

SERVICE_USERS = ["glance", "placement", "nova", "neutron", "barbican", "heat", "octavia"]

# user -> project -> roles
PEOPLE = {
    "admin": {
        "admin": ["admin", "creator", "heat_stack_owner", "load-balancer_admin"],
        "demo": ["admin", "creator", "heat_stack_owner", "load-balancer_admin"],
    },
    "demo": {"demo": ["member", "creator", "heat_stack_owner", "load-balancer_member"]},
    "reader": {"demo": ["reader", "load-balancer_observer"]},
    # Belongs to the project and has none of the roles that Octavia's policy asks for.
    "plain": {"demo": ["member"]},
    "other": {"other": ["member", "creator", "heat_stack_owner", "load-balancer_member"]},
}


def main():
    http = log_in()
    roles = {name: ensure(http, "roles", "role", {"name": name}) for name in ROLES}
    projects = {
        name: ensure(http, "projects", "project", {"name": name, "domain_id": "default"})
        for name in ("admin", "service", "demo", "other")
    }
    users = {}
    for name in SERVICE_USERS:
        users[name] = ensure_user(http, name)
        for role in ("admin", "service", "creator"):
            grant(http, projects["service"], users[name], roles[role])
    for name, memberships in PEOPLE.items():
        users[name] = ensure_user(http, name, default_project_id=projects[next(iter(memberships))])
        for project, names in memberships.items():
            for role in names:
                grant(http, projects[project], users[name], roles[role])
    add_heat_domain(http, roles["admin"])
    for service in LAB["services"]:
        add_service(http, **service)
    (STATE / "identities.json").write_text(json.dumps({"projects": projects, "users": users, "roles": roles}, indent=2))


def log_in():
    user = {"name": "admin", "domain": {"id": "default"}, "password": PASSWORD}
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
        }
    }
    http = requests.Session()
    answer = http.post(f"{KEYSTONE}/auth/tokens", json=body)
    answer.raise_for_status()
    http.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    return http


def ensure(http, collection, kind, body):
    """The id of the object with these attributes, made if there is none."""
    query = {key: value for key, value in body.items() if key in ("name", "domain_id", "type", "service_id", "interface")}
    found = ask(http, "GET", collection, params=query)[collection]
    if found:
        return found[0]["id"]
    return ask(http, "POST", collection, json={kind: body})[kind]["id"]


def ensure_user(http, name, domain_id="default", **more):
    return ensure(http, "users", "user", {"name": name, "domain_id": domain_id, "password": PASSWORD, **more})


def grant(http, project, user, role):
    ask(http, "PUT", f"projects/{project}/users/{user}/roles/{role}")


def add_heat_domain(http, admin_role):
    domain = ensure(http, "domains", "domain", {"name": "heat"})
    user = ensure_user(http, "heat_domain_admin", domain_id=domain)
    ask(http, "PUT", f"domains/{domain}/users/{user}/roles/{admin_role}")


def add_service(http, name, type, url):
    service = ensure(http, "services", "service", {"name": name, "type": type})
    for interface in ("public", "internal", "admin"):
        endpoint = {"service_id": service, "interface": interface, "region_id": LAB["region"], "url": url}
        ensure(http, "endpoints", "endpoint", endpoint)


def ask(http, method, path, **arguments):
    answer = http.request(method, f"{KEYSTONE}/{path}", **arguments)
    if answer.status_code >= 400:
        sys.exit(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


main()
