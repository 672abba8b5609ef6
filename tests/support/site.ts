import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { freePorts } from './freePorts';
import { waitUntil } from './wait';

/**
 * The embedded site as its user starts it: the built program in a process of its own, with ports and a state directory
 * that no other site uses. It can be stopped, killed and started again on the same state.
 */
export interface Site {
  readonly apiUrl: string;
  readonly stateDir: string;
  readonly cloudsFile: string;
  /** The process of the site itself. */
  readonly pid: number;
  /** Everything the site has printed so far. */
  output(): string;
  /** SIGINT, as Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to the site's process alone. */
  kill(): Promise<void>;
  /** Starts it again on the same state. */
  start(): Promise<void>;
  /** Stops it and removes its state. */
  dispose(): Promise<void>;
}

export interface SiteOptions {
  /** Where VIPs come from; each test file takes a range of its own. */
  readonly vipCidr: string;
  /** More configuration lines, by section. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const CLI = path.resolve(__dirname, '../../dist/driver/cli.js');
const START_TIMEOUT = 60_000;

/** Starts a site and waits until it says that it is ready. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'slipstream-site-'));
  const ports = await freePorts(4);
  const [apiPort, keystonePort, neutronPort, enginePort] = ports;
  const configFile = path.join(stateDir, 'site.conf');
  writeFileSync(
    configFile,
    renderIni({
      ...options.options,
      api_settings: { bind_port: String(apiPort), ...options.options?.['api_settings'] },
      health_manager: { bind_port: String(enginePort), ...options.options?.['health_manager'] },
      embedded: {
        state_dir: path.join(stateDir, 'var'),
        vip_cidr: options.vipCidr,
        keystone_port: String(keystonePort),
        neutron_port: String(neutronPort),
        barbican_port: '0',
        ...options.options?.['embedded'],
      },
    }),
  );
  mkdirSync(path.join(stateDir, 'var'), { recursive: true });
  const site = new SiteProcess(stateDir, configFile, `http://127.0.0.1:${apiPort}`);
  await site.start();
  return site;
}

class SiteProcess implements Site {
  readonly cloudsFile: string;
  private child: ChildProcess | undefined;
  private readonly logFile: string;

  constructor(
    readonly stateDir: string,
    private readonly configFile: string,
    readonly apiUrl: string,
  ) {
    this.cloudsFile = path.join(stateDir, 'var', 'clouds.yaml');
    this.logFile = path.join(stateDir, 'site.log');
  }

  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error('the site is not running');
    return pid;
  }

  output(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  async start(): Promise<void> {
    const from = this.child ? this.output().length : 0;
    const log = openSync(this.logFile, 'a');
    this.child = spawn(process.execPath, [CLI, 'all-in-one', '--config-file', this.configFile], {
      stdio: ['ignore', log, log],
    });
    const child = this.child;
    await waitUntil('the site is ready', START_TIMEOUT, () => {
      if (child.exitCode !== null)
        throw new Error(`the site ended with ${child.exitCode}:\n${this.output().slice(from)}`);
      return this.output().slice(from).includes('Slipstream is ready');
    });
  }

  async stop(): Promise<number | null> {
    return this.end('SIGINT');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async dispose(): Promise<void> {
    const code = this.child && this.child.exitCode === null && this.child.signalCode === null ? await this.stop() : 0;
    if (code !== 0) throw new Error(`the site ended with ${code}:\n${this.output().slice(-5000)}`);
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return ended;
  }
}

/** Users and addresses the site has written for its clients. */
export function readCloud(
  site: Site,
  cloud: string,
): { authUrl: string; username: string; password: string; projectName: string } {
  const file = parse(readFileSync(site.cloudsFile, 'utf8')) as {
    clouds: Record<string, { auth: { auth_url: string; username: string; password: string; project_name: string } }>;
  };
  const auth = file.clouds[cloud]?.auth;
  if (!auth) throw new Error(`no cloud ${cloud} in ${site.cloudsFile}`);
  return { authUrl: auth.auth_url, username: auth.username, password: auth.password, projectName: auth.project_name };
}

function renderIni(sections: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  return Object.entries(sections)
    .map(
      ([name, options]) =>
        `[${name}]\n${Object.entries(options)
          .map(([key, value]) => `${key} = ${value}\n`)
          .join('')}`,
    )
    .join('\n');
}
