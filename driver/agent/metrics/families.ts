/**
 * The metrics of a PROMETHEUS listener, under the names and labels that Octavia's has (facts: its guide "Monitoring Load
 * Balancers"), and the columns of haproxy's `show stat` (management guide, section 9.1) or fields of `show info` (9.3)
 * they come from.
 */
export interface Family {
  readonly name: string;
  readonly column: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** How a pool's sections are taken together: counters are added up. */
  readonly join: 'sum' | 'max' | 'first';
  /** Of haproxy's unit, e.g. 1000 for milliseconds shown as seconds. */
  readonly divisor: number;
}

function counter(name: string, column: string, help: string): Family {
  return { name: `${name}_total`, column, type: 'counter', help, join: 'sum', divisor: 1 };
}

function gauge(name: string, column: string, help: string, join: Family['join'] = 'sum'): Family {
  return { name, column, type: 'gauge', help, join, divisor: 1 };
}

function time(name: string, column: string, help: string): Family {
  return { name, column, type: 'gauge', help, join: 'max', divisor: 1000 };
}

const CACHE_AND_COMPRESSION = [
  counter('http_cache_lookups', 'cache_lookups', 'Lookups in the HTTP cache.'),
  counter('http_cache_hits', 'cache_hits', 'Hits in the HTTP cache.'),
  counter('http_comp_bytes_in', 'comp_in', 'Bytes given to HTTP compression.'),
  counter('http_comp_bytes_out', 'comp_out', 'Bytes that came out of HTTP compression.'),
  counter('http_comp_bytes_bypassed', 'comp_byp', 'Bytes that passed HTTP compression by.'),
  counter('http_comp_responses', 'comp_rsp', 'Responses that were compressed.'),
];

const SESSIONS = [
  gauge('current_sessions', 'scur', 'Sessions that are open now.'),
  gauge(
    'max_sessions',
    'smax',
    'Most sessions that were open at a time since the last change of configuration.',
    'max',
  ),
  gauge('limit_sessions', 'slim', 'Most sessions that may be open at a time.', 'first'),
  counter('sessions', 'stot', 'Sessions so far.'),
  gauge('max_session_rate', 'rate_max', 'Most sessions in a second since the last change of configuration.', 'max'),
];

const TRAFFIC = [
  counter('bytes_in', 'bin', 'Bytes that came from clients.'),
  counter('bytes_out', 'bout', 'Bytes that went to clients.'),
];

export const LISTENER_FAMILIES: readonly Family[] = [
  ...SESSIONS,
  gauge('limit_session_rate', 'rate_lim', 'Most new sessions a second that are let in.', 'first'),
  gauge('connections_rate_max', 'conn_rate_max', 'Most connections in a second.', 'max'),
  counter('connections', 'conn_tot', 'Connections so far, refused ones among them.'),
  ...TRAFFIC,
  counter('requests_denied', 'dreq', 'Requests that were denied.'),
  counter('responses_denied', 'dresp', 'Responses that were denied.'),
  counter('request_errors', 'ereq', 'Requests that were no proper requests.'),
  counter('denied_connections', 'dcon', 'Connections refused, by allowed CIDRs for one.'),
  counter('denied_sessions', 'dses', 'Sessions refused.'),
  counter('failed_header_rewriting', 'wrew', 'Headers that could not be rewritten.'),
  gauge('http_requests_rate_max', 'req_rate_max', 'Most HTTP requests in a second.', 'max'),
  counter('http_requests', 'req_tot', 'HTTP requests so far.'),
  counter('intercepted_requests', 'intercepted', 'Requests answered by the load balancer itself.'),
  ...CACHE_AND_COMPRESSION,
];

const QUEUE_AND_TIMES = [
  gauge('last_session_seconds', 'lastsess', 'Seconds since the last session.', 'first'),
  gauge('current_queue', 'qcur', 'Requests that wait for a member now.'),
  gauge('max_queue', 'qmax', 'Most requests that waited for a member at a time.', 'max'),
  counter('connection_attempts', 'connect', 'Connections opened to members.'),
  counter('connection_reuses', 'reuse', 'Requests sent over connections that were open already.'),
  ...TRAFFIC,
  time('queue_time_average_seconds', 'qtime', 'Average time in the queue, of the last 1024 connections.'),
  time('connect_time_average_seconds', 'ctime', 'Average time to connect, of the last 1024 connections.'),
  time('response_time_average_seconds', 'rtime', 'Average time to a response, of the last 1024 connections.'),
  time('total_time_average_seconds', 'ttime', 'Average time of a session, of the last 1024 connections.'),
  time('max_queue_time_seconds', 'qtime_max', 'Longest time in the queue.'),
  time('max_connect_time_seconds', 'ctime_max', 'Longest time to connect.'),
  time('max_response_time_seconds', 'rtime_max', 'Longest time to a response.'),
  time('max_total_time_seconds', 'ttime_max', 'Longest session.'),
  counter('responses_denied', 'dresp', 'Responses that were denied.'),
  counter('connection_errors', 'econ', 'Connections to members that failed.'),
  counter('response_errors', 'eresp', 'Responses that were no proper responses.'),
  counter('retry_warnings', 'wretr', 'Connections to members that were tried again.'),
  counter('redispatch_warnings', 'wredis', 'Requests that went to another member after a failure.'),
  counter('failed_header_rewriting', 'wrew', 'Headers that could not be rewritten.'),
  counter('client_aborts', 'cli_abrt', 'Transfers ended early by clients.'),
];

const CHECKS = [
  counter('check_up_down', 'chkdown', 'Changes from up to down.'),
  gauge('check_last_change_seconds', 'lastchg', 'Seconds since the last change of status.', 'first'),
  counter('downtime_seconds', 'downtime', 'Seconds spent down.'),
  counter('loadbalanced', 'lbtot', 'Times it was chosen, for new sessions or again after a failure.'),
];

export const POOL_FAMILIES: readonly Family[] = [
  ...SESSIONS,
  ...QUEUE_AND_TIMES,
  counter('requests_denied', 'dreq', 'Requests that were denied.'),
  counter('member_aborts', 'srv_abrt', 'Transfers ended early by members.'),
  gauge('active_members', 'act', 'Members that are up and no backups.', 'first'),
  gauge('backup_members', 'bck', 'Backup members that are up.', 'first'),
  ...CHECKS,
  counter('http_requests', 'req_tot', 'HTTP requests so far.'),
  ...CACHE_AND_COMPRESSION,
];

export const MEMBER_FAMILIES: readonly Family[] = [
  ...SESSIONS,
  ...QUEUE_AND_TIMES,
  gauge('queue_limit', 'qlimit', 'Most requests that may wait for the member; 0: no limit.', 'first'),
  counter('server_aborts', 'srv_abrt', 'Transfers ended early by the member.'),
  gauge('weight', 'weight', 'Weight of the member.', 'first'),
  counter('check_failures', 'chkfail', 'Checks that failed while the member was up.'),
  ...CHECKS,
  gauge('current_throttle', 'throttle', 'Percent of its weight while the member starts slowly.', 'first'),
  gauge('idle_connections_current', 'srv_icur', 'Idle connections to the member.'),
  gauge('idle_connections_limit', 'src_ilim', 'Most idle connections to the member.', 'first'),
];

/** Fields of `show info`. */
export const PROCESS_FAMILIES: readonly Family[] = [
  gauge('loadbalancer_max_connections', 'Maxconn', 'Most connections at a time.'),
  gauge('loadbalancer_current_connections', 'CurrConns', 'Connections that are open now.'),
  gauge('loadbalancer_max_ssl_connections', 'MaxSslConns', 'Most TLS connections at a time; 0: no limit.'),
  gauge('loadbalancer_current_ssl_connections', 'CurrSslConns', 'TLS connections that are open now.'),
  gauge('loadbalancer_current_connection_rate', 'ConnRate', 'Connections in the last second.'),
  gauge('loadbalancer_limit_connection_rate', 'ConnRateLimit', 'Most connections a second; 0: no limit.'),
  gauge('loadbalancer_max_connection_rate', 'MaxConnRate', 'Most connections in a second.'),
  gauge('loadbalancer_current_session_rate', 'SessRate', 'Sessions in the last second.'),
  gauge('loadbalancer_limit_session_rate', 'SessRateLimit', 'Most sessions a second; 0: no limit.'),
  gauge('loadbalancer_max_session_rate', 'MaxSessRate', 'Most sessions in a second.'),
  gauge('loadbalancer_current_ssl_rate', 'SslRate', 'TLS connections in the last second.'),
  gauge('loadbalancer_limit_ssl_rate', 'SslRateLimit', 'Most TLS connections a second; 0: no limit.'),
  gauge('loadbalancer_max_ssl_rate', 'MaxSslRate', 'Most TLS connections in a second.'),
  gauge('loadbalancer_current_frontend_ssl_key_rate', 'SslFrontendKeyRate', 'TLS keys computed for clients a second.'),
  gauge('loadbalancer_max_frontend_ssl_key_rate', 'SslFrontendMaxKeyRate', 'Most TLS keys for clients in a second.'),
  gauge('loadbalancer_frontend_ssl_reuse', 'SslFrontendSessionReuse_pct', 'Percent of TLS sessions taken up again.'),
  gauge('loadbalancer_current_backend_ssl_key_rate', 'SslBackendKeyRate', 'TLS keys computed for members a second.'),
  gauge('loadbalancer_max_backend_ssl_key_rate', 'SslBackendMaxKeyRate', 'Most TLS keys for members in a second.'),
  counter('loadbalancer_ssl_cache_lookups', 'SslCacheLookups', 'Lookups in the TLS session cache.'),
  counter('loadbalancer_ssl_cache_misses', 'SslCacheMisses', 'Misses in the TLS session cache.'),
  gauge('loadbalancer_limit_http_comp', 'CompressBpsRateLim', 'Limit of HTTP compression in bytes a second; 0: none.'),
  gauge('loadbalancer_listeners', 'Listeners', 'Sockets that are listened on.'),
  counter('loadbalancer_dropped_logs', 'DroppedLogs', 'Log lines that were dropped.'),
  { ...gauge('memory_pool_allocated_bytes', 'PoolAlloc_MB', 'Memory allocated in pools.'), divisor: 1 / 1048576 },
  { ...gauge('memory_pool_used_bytes', 'PoolUsed_MB', 'Memory of pools that is in use.'), divisor: 1 / 1048576 },
  counter('memory_pool_failures', 'PoolFailed', 'Allocations from pools that failed.'),
];
