import { backendLines, serverLines } from './backend';
import { frontendLines } from './frontend';
import { keptLines } from './kept';
import type { Layout } from './layout';
import { ringLines } from './log';
import { patienceLines, youthLines } from './patience';
import { localPeer, peerLines, sharedPeerLines } from './peers';
import { metricsLines } from './prometheus';
import { hasTlsFiles } from './tlsFiles';
import { fixed, heading, integer, type Line, line, type ObjectRef, quote } from './words';

/** What a haproxy is told besides its load balancer. */
export interface RenderSettings {
  /** The runtime socket of the worker that reads this text; each reload gets a new one, so that workers are told apart. */
  readonly workerSocket: string;
  /** Over which an old worker hands its stick tables to the new one. */
  readonly peerSocket: string;
  /** Which members were down, for a new worker to start from. */
  readonly serverStateFile: string;
  readonly maxConnections: number;
  readonly threads: number;
  /** Holds the files of certificates that the configuration names; wanted if there are any. */
  readonly tlsDirectory?: string;
  /** Where the agent takes lines that go to files. */
  readonly logSocket?: string;
  /** Holds the files of `keptFile`; wanted if there are backends that keep tables. */
  readonly keptDirectory?: string;
  /** Lua by which a worker has clients wait that it may be told of in a moment; absent: it misleads some of them. */
  readonly napScript?: string;
  /** Where the agent answers what PROMETHEUS listeners are asked. */
  readonly metricsSocket?: string;
}

export interface Rendered {
  readonly text: string;
  /** The owner of each line, by line number less one. */
  readonly owners: readonly (ObjectRef | null)[];
}

/** Seconds an old worker may take to finish its connections after a reload, and how many reloads it may outlive. */
const OLD_WORKER_SECONDS = 3600;
const OLD_WORKER_RELOADS = 8;

/** The whole haproxy.cfg of a load balancer. Pure: equal arguments give equal text. */
export function renderConfig(layout: Layout, settings: RenderSettings): Rendered {
  return assemble([
    ...globalLines(layout, settings),
    ...tlsBaseLines(layout, settings),
    ...peerLines(layout, settings.peerSocket),
    ...defaultLines(),
    ...layout.frontends.flatMap((frontend) => frontendLines(frontend, layout.spec)),
    ...layout.backends.flatMap((backend) => [
      ...backendLines(backend),
      ...patienceLines(backend, settings.napScript),
      ...keptLines(backend, settings.keptDirectory),
      ...serverLines(backend),
    ]),
    ...metricsLines(layout, settings.metricsSocket),
    ...ringLines(layout, settings.logSocket),
  ]);
}

/** All that only a reload can change: the configuration less its members. */
export function renderStructure(layout: Layout): string {
  return assemble([
    ...sharedPeerLines(layout),
    ...layout.frontends.flatMap((frontend) => frontendLines(frontend, layout.spec)),
    ...layout.backends.flatMap((backend) => backendLines(backend)),
  ]).text;
}

function assemble(lines: readonly Line[]): Rendered {
  return {
    text: lines.map((entry) => `${entry.text}\n`).join(''),
    owners: lines.map((entry) => entry.owner),
  };
}

function globalLines(layout: Layout, settings: RenderSettings): Line[] {
  return [
    heading(null, fixed('global')),
    // Else every start reads the system's whole certificate store (15 ms and 2 MB), for a client nobody uses.
    line(null, fixed('httpclient.ssl.verify none')),
    line(null, fixed('maxconn'), integer(settings.maxConnections)),
    line(null, fixed('nbthread'), integer(settings.threads)),
    line(null, fixed('stats socket'), quote(settings.workerSocket), fixed('mode 600 level admin')),
    line(null, fixed('stats timeout 1h')),
    line(null, fixed(`hard-stop-after ${OLD_WORKER_SECONDS}s`)),
    line(null, fixed(`mworker-max-reloads ${OLD_WORKER_RELOADS}`)),
    line(null, fixed('server-state-file'), quote(settings.serverStateFile)),
    line(null, fixed('localpeer'), localPeer(layout)),
    ...youthLines(layout, settings.napScript),
  ];
}

function tlsBaseLines(layout: Layout, { tlsDirectory }: RenderSettings): Line[] {
  if (tlsDirectory === undefined || !hasTlsFiles(layout)) return [];
  return ['crt-base', 'ca-base'].map((base) => line(null, fixed(base), quote(tlsDirectory)));
}

function defaultLines(): Line[] {
  return [
    heading(null, fixed('defaults')),
    line(null, fixed('load-server-state-from-file global')),
    line(null, fixed('option contstats')),
    // At once to another member: the default is to try the same dead one three times, a second apart.
    line(null, fixed('retries 3')),
    line(null, fixed('option redispatch 1')),
  ];
}
