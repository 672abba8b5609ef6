# shellcheck shell=bash

start_horizon() {
  mkdir -p "$DATA/python"
  cat >"$DATA/python/slipstream_lab_horizon.py" <<PYTHON
"""Debian's settings of Horizon, with this lab's addresses: nothing below /etc is touched."""
# One of Debian's snippets looks for this while settings are being read.
POLICY_FILES = {}
from openstack_dashboard.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["*"]
SECRET_KEY = "$PASSWORD"
OPENSTACK_HOST = "$HOST"
OPENSTACK_KEYSTONE_URL = "$(AUTH_URL)"
OPENSTACK_ENDPOINT_TYPE = "publicURL"
OPENSTACK_API_VERSIONS = {"identity": 3, "image": 2}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.MemcachedCache",
        "LOCATION": "$HOST:$PORT_MEMCACHED",
    }
}
POLICY_FILES["load-balancer"] = "octavia_policy.json"  # noqa: F405
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "INFO"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
PYTHON
  cat >"$CONF/horizon_wsgi.py" <<'PYTHON'
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "slipstream_lab_horizon"
from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
PYTHON
  # The project's modules are also imported by the names they have within openstack_dashboard.
  UWSGI_ENV=("PYTHONPATH=$DATA/python:/usr/lib/python3/dist-packages/openstack_dashboard")
  uwsgi horizon "$PORT_HORIZON" 2 --wsgi-file "$CONF/horizon_wsgi.py" \
    --static-map /static=/var/lib/openstack-dashboard/static
  UWSGI_ENV=()
}
