import path from 'node:path';
import pino from 'pino';
import { startProcess } from '../../driver/cli/processes';
import { configFromText } from '../../driver/config/config';
import { connectDatabase } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import type { RunningProcess } from '../../driver/domain/process';

/**
 * `slipstream api` as it runs by itself, on the no-op drivers and a SQLite database in the folder.
 * @param text more of the configuration, whole sections
 */
export async function startStandaloneApi(folder: string, text: string, port = 0): Promise<RunningProcess> {
  const connection = `sqlite:///${path.join(folder, 'api.db')}`;
  const db = await connectDatabase(connection);
  await upgradeDatabase(db);
  await db.destroy();
  const config = configFromText(
    [
      `[database]\nconnection = ${connection}`,
      `[api_settings]\nbind_port = ${port}`,
      '[controller_worker]\nnetwork_driver = noop\ncompute_driver = noop',
      text,
    ].join('\n'),
  );
  return startProcess('api', config, pino({ level: 'silent' }));
}
