import { connectDatabase, type Db } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { addEngine } from './fleetRows';
import { startSecureHealth } from './secureHealth';

/**
 * A health-manager as a process of its own, whose memory can be looked at: `secureHealthProcess.ts <configuration>`. It says
 * where it is and which engines there are, and answers each message (an engine's id) with that engine's row.
 */
async function openDatabase(): Promise<Db> {
  const db = await connectDatabase('sqlite://');
  await upgradeDatabase(db);
  return db;
}

async function main(): Promise<void> {
  const health = await startSecureHealth(openDatabase);
  const engines = [];
  for (let index = 0; index < 4; index += 1) {
    engines.push(await addEngine(health.db, health.groupId, { management_address: '127.0.0.1' }));
  }
  const { url } = await health.start({ config: process.argv[2] ?? '' });
  process.on('message', (id: string) => {
    void Promise.all([health.db('service_engine').where({ id }).first(), health.events('FOREIGN_CERTIFICATE')]).then(
      ([row, foreign]) => process.send?.({ row, foreign: foreign.length }),
    );
  });
  process.once('disconnect', () => process.exit());
  process.send?.({ url, engines, fingerprint: health.authority.fingerprint });
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
