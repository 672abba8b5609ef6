import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Daemon, startDaemon } from '../processes';

/** Ports of the haproxy that ours is compared with, by what is asked of it. */
export interface TwinPorts {
  readonly http: number;
  /** HTTP with `http-reuse always`, which loses a POST that meets a connection its member has just closed. */
  readonly eager: number;
  readonly tcp: number;
  readonly tls: number;
}

const DEFAULTS = [
  'defaults',
  '  timeout client 50s',
  '  timeout server 50s',
  '  timeout connect 5s',
  '  retries 3',
  '  option redispatch 1',
];
/** What keeps requests from being lost where a member closes idle connections. */
const RETRIES = [
  '  http-reuse safe',
  '  retry-on conn-failure empty-response',
  '  http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE PUT DELETE }',
];

/** What somebody who knows haproxy writes for the same listeners. */
export function startTwin(
  directory: string,
  ports: TwinPorts,
  { backends, certificate }: { readonly backends: readonly number[]; readonly certificate: string },
): Daemon {
  const bundle = path.join(directory, 'twin.pem');
  writeFileSync(bundle, certificate);
  const section = (name: keyof TwinPorts, mode: string, bind: string, lines: readonly string[]) => [
    `frontend ${name}`,
    `  mode ${mode}`,
    `  bind 127.0.0.1:${ports[name]} ${bind}`,
    `  default_backend ${name}`,
    `backend ${name}`,
    `  mode ${mode}`,
    '  balance roundrobin',
    ...lines,
    ...backends.map((port, index) => `  server s${index} 127.0.0.1:${port}`),
  ];
  return startHaproxy(directory, 'twin', [
    'global',
    '  maxconn 4000',
    `  nbthread ${availableParallelism()}`,
    ...DEFAULTS,
    ...section('http', 'http', '', RETRIES),
    ...section('eager', 'http', '', ['  http-reuse always']),
    ...section('tcp', 'tcp', '', []),
    ...section('tls', 'http', `ssl crt ${bundle} ssl-min-ver TLSv1.2 alpn h2,http/1.1,http/1.0`, RETRIES),
  ]);
}

/** Servers that answer at once; nginx would be no faster. */
export function startServers(directory: string, ports: readonly number[]): Daemon {
  const answer = 'http-request return status 200 content-type text/plain string';
  return startHaproxy(directory, 'servers', [
    'global',
    '  maxconn 4000',
    '  nbthread 1',
    ...DEFAULTS,
    '  mode http',
    ...ports.flatMap((port, index) => [`frontend b${index}`, `  bind 127.0.0.1:${port}`, `  ${answer} "ok${index}"`]),
  ]);
}

function startHaproxy(directory: string, name: string, lines: readonly string[]): Daemon {
  const file = path.join(directory, `${name}.cfg`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  // In a session of its own, as an engine's haproxy is: Linux schedules by session where autogroups are on, and on a busy
  // machine that alone was worth a factor of two.
  const command = ['setsid', 'haproxy', '-db', '-q', '-f', file] as const;
  return startDaemon(command, { logFile: path.join(directory, `${name}.log`) });
}
