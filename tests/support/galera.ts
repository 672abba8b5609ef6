import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { connectDatabase } from '../../driver/db/connect';
import { freePorts } from './freePorts';
import { findMariaDb } from './mariaDb';
import { waitUntil } from './wait';

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';
const SETPRIV = '/usr/bin/setpriv';

/** Two nodes of a private Galera cluster; each may be written to. */
export interface GaleraCluster {
  /** URLs of the same empty database at each node. */
  readonly urls: readonly [string, string];
  /** Ends both and removes what they wrote. */
  stop(): Promise<void>;
}

/** Whether mariadbd, Galera's library and rsync, by which a node is filled, are installed. */
export function hasGalera(): boolean {
  return findMariaDb() !== undefined && existsSync(PROVIDER) && existsSync('/usr/bin/rsync');
}

/** @throws Error with the end of a node's log when it does not come up */
export async function startGalera(): Promise<GaleraCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'ss-gc-'));
  const nodes: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(endNode));
    rmSync(folder, { recursive: true, force: true });
  };
  const ports = await freePorts(6);
  const [first = 0, second = 0] = ports;
  const members = `gcomm://127.0.0.1:${first},127.0.0.1:${second}`;
  try {
    const urls: string[] = [];
    for (const [index, name] of ['a', 'b'].entries()) {
      const home = join(folder, name);
      prepareHome(home);
      const [port = 0, ist = 0, sst = 0] = [ports[index], ports[2 + index], ports[4 + index]];
      const args = [...nodeArguments(home, { port, ist, sst }), `--wsrep-cluster-address=${members}`];
      nodes.push(spawnNode(index === 0 ? [...args, '--wsrep-new-cluster'] : args));
      await waitUntilSynced(nodes[index], home);
      urls.push(urlOf(home, 'site'));
      if (index === 0) await query(home, 'create database site character set utf8mb4 collate utf8mb4_bin');
    }
    const [a = '', b = ''] = urls;
    return { urls: [a, b], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The rsync that fills a node gives up root's rights, and the node must have had no more: Debian's user for it. */
const USER = userInfo().uid === 0 ? 'mysql' : userInfo().username;

function prepareHome(home: string): void {
  mkdirSync(join(home, 'data'), { recursive: true });
  if (userInfo().uid === 0) {
    chmodSync(dirname(home), 0o755);
    execFileSync('chown', ['-R', USER, home]);
  }
  const args = ['--no-defaults', `--datadir=${join(home, 'data')}`, `--user=${USER}`, '--skip-test-db'];
  execFileSync('mariadb-install-db', [...args, '--auth-root-authentication-method=normal'], {
    stdio: 'pipe',
    env: { ...process.env, TMPDIR: home },
  });
}

function nodeArguments(home: string, { port, ist, sst }: { port: number; ist: number; sst: number }): string[] {
  const options = [
    `base_port=${port}`,
    `gmcast.listen_addr=tcp://127.0.0.1:${port}`,
    `ist.recv_addr=127.0.0.1:${ist}`,
    'gcache.size=16M',
  ];
  return [
    '--no-defaults',
    `--datadir=${join(home, 'data')}`,
    `--socket=${join(home, 's.sock')}`,
    `--pid-file=${join(home, 'pid')}`,
    `--tmpdir=${home}`,
    `--log-error=${join(home, 'error.log')}`,
    `--user=${USER}`,
    '--skip-networking',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=16M',
    '--innodb-flush-log-at-trx-commit=0',
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
    '--wsrep-on=ON',
    `--wsrep-provider=${PROVIDER}`,
    `--wsrep-provider-options=${options.join(';')}`,
    '--wsrep-sst-method=rsync',
    `--wsrep-sst-receive-address=127.0.0.1:${sst}`,
    '--wsrep-node-address=127.0.0.1',
    // What a statement meets is to come to us.
    '--wsrep-retry-autocommit=0',
  ];
}

/** A child that the kernel ends with this process, even if that is killed. */
function spawnNode(args: readonly string[]): ChildProcess {
  const program = findMariaDb() ?? 'mariadbd';
  return existsSync(SETPRIV)
    ? spawn(SETPRIV, ['--pdeathsig', 'KILL', program, ...args], { stdio: 'ignore' })
    : spawn(program, args, { stdio: 'ignore' });
}

async function waitUntilSynced(node: ChildProcess | undefined, home: string): Promise<void> {
  const isSynced = async (): Promise<boolean> => {
    if (node?.exitCode !== null) throw new Error('it has ended');
    const [row] = await query(home, "show global status like 'wsrep_local_state_comment'").catch(() => []);
    return row?.['Value'] === 'Synced';
  };
  await waitUntil('a node of the cluster is synced', 90_000, isSynced).catch((error: Error) => {
    const log = existsSync(join(home, 'error.log')) ? readFileSync(join(home, 'error.log'), 'utf8').slice(-3_000) : '';
    throw new Error(`${error.message}:\n${log}`);
  });
}

async function query(home: string, sql: string): Promise<Record<string, string>[]> {
  const db = await connectDatabase(urlOf(home, 'mysql'), { maxPoolSize: 1, acquireTimeout: 1_000 });
  try {
    const [rows] = (await db.raw(sql)) as [Record<string, string>[]];
    return rows;
  } finally {
    await db.destroy();
  }
}

function urlOf(home: string, database: string): string {
  return `mysql+pymysql://root@localhost/${database}?unix_socket=${join(home, 's.sock')}`;
}

async function endNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = new Promise((resolve) => node.once('exit', resolve));
  node.kill('SIGKILL');
  await ended;
}
