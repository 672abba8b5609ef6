import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { takeInventory } from './inventory';
import { readLab } from './lab';

/** File of the lab with what was there before the suites. */
export const BEFORE = 'inventory-before.json';

/** Jest's globalSetup: remembers what is in the cloud, for the suite that comes last. */
export async function remember(): Promise<void> {
  const lab = readLab();
  writeFileSync(path.join(lab.directory, BEFORE), JSON.stringify(await takeInventory(lab), null, 2));
}

module.exports = remember;
