import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the data directory `data` of a MariaDB below `folder`, with a root of no password. Gives its path. */
export function makeDataDirectory(folder: string, user: string): string {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const settings = [`--datadir=${data}`, `--user=${user}`, '--auth-root-authentication-method=normal'];
  execFileSync('mariadb-install-db', ['--no-defaults', ...settings, '--skip-test-db'], {
    stdio: 'pipe',
    env: { ...process.env, TMPDIR: folder },
  });
  return data;
}
