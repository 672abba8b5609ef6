import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectDatabase, type Db } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { option, printTable } from './figures';
import { type Measured, measureBalancers, rowsOf } from './fleetBalancers';
import { measureEngines } from './fleetEngines';
import { startBenchDatabase } from './mariadb';

/**
 * `npm run bench:fleet [-- --engines 2000 --balancers 1000,3000,10000]`: so many agents (real protocol, mutual TLS with
 * certificates of a real CA, in a process of their own) on one health-manager and MariaDB, then what is done with so many load
 * balancers with children. Prints figures; asserts nothing.
 */
async function main(): Promise<void> {
  const engines = Number(option('engines', '2000'));
  const sizes = option('balancers', '1000,3000,10000').split(',').map(Number);
  const folder = mkdtempSync(path.join(tmpdir(), 'ssf-'));
  const database = await startBenchDatabase(folder);
  try {
    const open = async (name: string): Promise<{ db: Db; url: string }> => {
      const url = await database.create(name, 'utf8mb4 collate utf8mb4_bin');
      const db = await connectDatabase(url);
      await upgradeDatabase(db);
      return { db, url };
    };
    if (engines > 0) {
      const { db, url } = await open('engines');
      printTable(['one health-manager', String(engines)], await measureEngines(db, { url, folder, engines }));
      await db.destroy();
    }
    const measured: Measured[] = [];
    for (const size of sizes.filter((it) => it > 0)) {
      const { db } = await open(`balancers_${size}`);
      measured.push(await measureBalancers(db, size));
      await db.destroy();
    }
    if (measured.length > 0) {
      printTable(['milliseconds', ...measured.map(({ size }) => String(size)), 'growth exponent'], rowsOf(measured));
    }
  } finally {
    await database.daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
