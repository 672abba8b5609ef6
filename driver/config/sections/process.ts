import { bool, credentialUrl, integer, optionalText, port, seconds, text } from '../options';
import { section } from '../section';

const ANY = Number.MAX_SAFE_INTEGER;

export const defaults = section(
  'What every process reads.',
  {
    transport_url: credentialUrl(
      'memory://',
      'memory:// (within one process) or rabbit://user:password@host:port,user:password@host:port/virtual_host',
      /^(?:memory:\/\/|(?:rabbit|kombu\+\w+|amqps?):\/\/[^/]*[^/,].*)$/,
      'How hints travel between processes: over RabbitMQ, or with `memory://` within one process (others then find their work by the sweep). Names and passwords are percent-encoded, an empty virtual host is `/`, options of `[oslo_messaging_rabbit]` may follow after `?`. `amqp://` is the same as `rabbit://`; `amqps://` speaks TLS.',
    ),
    control_exchange: text('octavia', 'The exchange that casts and notifications go to.'),
    host: optionalText(
      "The name of this host towards others: calls for one server go to it. The default is the system's.",
    ),
    rpc_response_timeout: seconds(60, 'How long an answer to a call is waited for.', 0.1),
    debug: bool(false, 'Log debug lines too, and show the stack of an error that ends the process.'),
    graceful_shutdown_timeout: seconds(
      20,
      'How long a process that is asked to end (SIGTERM) may finish what is in flight; then it hands it back and ends.',
    ),
    metrics_host: text(
      '127.0.0.1',
      'Where worker, health-manager and housekeeping serve `/healthcheck` and `/metrics`.',
    ),
  },
  [
    ...[
      'log_file',
      'log_dir',
      'use_stderr',
      'use_syslog',
      'use_json',
      'use_journal',
      'default_log_levels',
      'state_path',
    ],
    ...['logging_context_format_string', 'logging_default_format_string', 'octavia_plugins'],
  ],
);

export const database = section(
  'Where the truth is kept.',
  {
    connection: credentialUrl(
      '',
      'sqlite:///file, mysql://user:password@host/name or mysql+pymysql://...',
      /^(?:sqlite:|mysql(?:\+\w+)?:\/\/|$)/,
      'URL of the database. SQLite serves one process; several replicas share MySQL or MariaDB (Galera too). Options after `?`: `unix_socket`, `ssl`, `ssl_ca`, `ssl_cert`, `ssl_key`, `ssl_verify_cert`, `ssl_verify_identity`. Empty: the SQLite file `slipstream.db` in `[embedded] state_dir`.',
    ),
    min_pool_size: integer(1, [0, 1000], 'Connections that are kept open.'),
    max_pool_size: integer(20, [1, 1000], 'Connections at most, in each process.'),
    pool_timeout: seconds(10, 'How long a request waits for a free connection.', 0.1),
    connect_timeout: seconds(5, 'How long a connection may take to come up.', 0.1),
    statement_timeout: seconds(30, 'A statement that runs longer is ended.', 0.1),
    lock_timeout: seconds(5, 'How long a statement waits for a row lock before its transaction is run again.', 1),
    mysql_wsrep_sync_wait: integer(0, [0, 15], 'Galera: which statements wait for changes of other nodes (bit mask).'),
  },
  [
    'max_overflow',
    'connection_recycle_time',
    'max_retries',
    'retry_interval',
    'db_max_retries',
    'backend',
    'use_db_reconnect',
  ],
);

export const oslo_middleware = section('Limits of the HTTP front.', {
  max_request_body_size: integer(114688, [1, ANY], 'Bytes of a request body; larger ones are refused with 413.'),
  enable_proxy_headers_parsing: bool(
    false,
    'Build links from `X-Forwarded-Proto` and `X-Forwarded-Host` of a proxy in front.',
  ),
});

export const embedded = section('The embedded site of `slipstream all-in-one` (`npm start`).', {
  state_dir: text('var', 'Where database, engine and secrets live.'),
  run_dir: optionalText(
    'Where the engine keeps its unix sockets. Must be short; the default is below the temporary directory.',
  ),
  bind_host: text('127.0.0.1', 'Where the embedded Keystone, Neutron and Barbican listen.'),
  keystone_port: port(5000, 'Port of the embedded Keystone.'),
  neutron_port: port(9696, 'Port of the embedded Neutron.'),
  barbican_port: port(9311, 'Port of the embedded Barbican.'),
  vip_cidr: text('127.80.0.0/16', 'The subnet `local`, which VIPs come from.'),
  slots: integer(1000, [1, 100_000], 'Load balancers the one engine may serve.'),
});
