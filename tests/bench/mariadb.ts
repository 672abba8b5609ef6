import { userInfo } from 'node:os';
import path from 'node:path';
import { connectDatabase } from '../../driver/db/connect';
import { makeDataDirectory } from '../support/mariaDbData';
import { type Daemon, findProgram, startDaemon, waitUntilUp } from './processes';

/** A private MariaDB as an operator would run it: durable commits, 256 MB of buffer, reached by a socket alone. */
export interface BenchDatabase {
  readonly daemon: Daemon;
  readonly socketPath: string;
  /** Creates a database; gives its URL, which oslo.db understands as well. */
  create(name: string, characterSet: string): Promise<string>;
}

/** @param folder short, since socket paths are */
export async function startBenchDatabase(folder: string): Promise<BenchDatabase> {
  const program = findProgram('mariadbd');
  if (!program) throw new Error('mariadbd is missing: install the package mariadb-server');
  const socketPath = path.join(folder, 's.sock');
  const user = userInfo().username;
  const data = makeDataDirectory(folder, user);
  const daemon = startDaemon([program, ...serverArguments({ folder, data, socketPath, user })], {
    logFile: path.join(folder, 'mariadb.log'),
  });
  const url = (name: string) => `mysql+pymysql://root@localhost/${name}?unix_socket=${socketPath}`;
  const run = async (sql: string): Promise<boolean> => {
    const db = await connectDatabase(url('mysql'), { maxPoolSize: 1 });
    await db.raw(sql).finally(() => db.destroy());
    return true;
  };
  await waitUntilUp(daemon, () => run('select 1'));
  return {
    daemon,
    socketPath,
    create: async (name, characterSet) => {
      await run(`create database ${name} character set ${characterSet}`);
      return url(name);
    },
  };
}

function serverArguments(places: { folder: string; data: string; socketPath: string; user: string }): string[] {
  return [
    '--no-defaults',
    `--datadir=${places.data}`,
    `--socket=${places.socketPath}`,
    `--pid-file=${path.join(places.folder, 'mariadb.pid')}`,
    // Servers that share a temporary directory delete one another's files in it when they start.
    `--tmpdir=${places.folder}`,
    `--user=${places.user}`,
    '--skip-networking',
    '--skip-name-resolve',
    '--max-connections=200',
    '--innodb-buffer-pool-size=256M',
  ];
}
