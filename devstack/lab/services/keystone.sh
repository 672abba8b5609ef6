# shellcheck shell=bash

setup_keystone() {
  local url
  url=$(AUTH_URL)
  cat >"$CONF/keystone.conf" <<INI
[DEFAULT]
max_token_size = 255
transport_url = $(transport_url)
[database]
connection = $(database_url keystone)
[token]
provider = fernet
expiration = 43200
[fernet_tokens]
key_repository = $DATA/keystone/fernet
[fernet_receipts]
key_repository = $DATA/keystone/fernet
[credential]
key_repository = $DATA/keystone/credentials
[identity]
# Logins of tests are many, and cost most of what Keystone does.
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = $HOST:$PORT_MEMCACHED
$(messaging)
INI
  mkdir -p "$DATA/keystone/fernet" "$DATA/keystone/credentials"
  local manage=(keystone-manage --config-file "$CONF/keystone.conf")
  once keystone-schema "${manage[@]}" db_sync
  once keystone-tokens "${manage[@]}" fernet_setup --keystone-user root --keystone-group root
  once keystone-credentials "${manage[@]}" credential_setup --keystone-user root --keystone-group root
  once keystone-admin "${manage[@]}" bootstrap --bootstrap-password "$PASSWORD" --bootstrap-region-id "$REGION" \
    --bootstrap-public-url "$url" --bootstrap-internal-url "$url" --bootstrap-admin-url "$url"
  UWSGI_ENV=("OS_KEYSTONE_CONFIG_FILES=$CONF/keystone.conf")
  uwsgi keystone "$PORT_KEYSTONE" 3 --wsgi-file /usr/bin/keystone-wsgi-public
  UWSGI_ENV=()
  wait_until keystone 60 answers "$url"
  once identities python "$LAB/python/identities.py" "$STATE"
  say 'Keystone answers; users, roles and the catalogue are there'
}
