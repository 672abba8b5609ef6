import { userInfo } from 'node:os';
import path from 'node:path';
import { connectDatabase } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { type Daemon, findProgram, waitUntilUp } from '../bench/processes';
import { makeDataDirectory } from '../support/mariaDbData';
import { signalDaemon, startBound } from './daemons';

/** A MariaDB of the run's own, with durable commits, that can be killed and started again. */
export interface ChaosDatabase {
  readonly url: string;
  kill(): Promise<void>;
  /** The same data, at the same place. */
  start(): Promise<void>;
}

/** Migrated. @param folder short, since socket paths are */
export async function startChaosDatabase(folder: string): Promise<ChaosDatabase> {
  const program = findProgram('mariadbd');
  if (!program) throw new Error('mariadbd is missing: install the package mariadb-server');
  const socket = path.join(folder, 'db.sock');
  const user = userInfo().username;
  const data = makeDataDirectory(folder, user);
  const urlOf = (name: string): string => `mysql+pymysql://root@localhost/${name}?unix_socket=${socket}`;
  const run = async (sql: string): Promise<boolean> => {
    const db = await connectDatabase(urlOf('mysql'), { maxPoolSize: 1 });
    await db.raw(sql).finally(() => db.destroy());
    return true;
  };
  let daemon: Daemon | undefined;
  const start = async (): Promise<void> => {
    daemon = startBound(
      [
        program,
        '--no-defaults',
        `--datadir=${data}`,
        `--socket=${socket}`,
        `--pid-file=${path.join(folder, 'db.pid')}`,
        // Servers that share a temporary directory delete one another's files in it when they start.
        `--tmpdir=${folder}`,
        `--user=${user}`,
        '--skip-networking',
        '--max-connections=400',
        '--innodb-buffer-pool-size=128M',
      ],
      { logFile: path.join(folder, 'db.log') },
    );
    await waitUntilUp(daemon, () => run('select 1'));
  };
  await start();
  await run('create database chaos character set utf8mb4 collate utf8mb4_bin');
  const url = urlOf('chaos');
  const db = await connectDatabase(url, { maxPoolSize: 1 });
  await upgradeDatabase(db).finally(() => db.destroy());
  return {
    url,
    start,
    async kill() {
      if (daemon) await signalDaemon(daemon, 'SIGKILL');
    },
  };
}
