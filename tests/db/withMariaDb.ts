import { findMariaDb } from '../support/mariaDb';

/** A suite that has no meaning on SQLite. Left out, and said so, where mariadbd is not installed; never in CI. */
export function describeWithMariaDb(title: string, suite: () => void): void {
  const installed = findMariaDb() !== undefined || Boolean(process.env['CI']);
  if (process.env['SLIPSTREAM_TEST_SERVICES'] === 'none' || !installed) describe.skip(`${title}: no mariadbd`, suite);
  else describe(title, suite);
}
