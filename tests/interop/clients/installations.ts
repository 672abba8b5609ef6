import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

/** The interpreter that the `openstack` command on PATH runs in: that of Debian's packages, on Debian. */
export function installedPython(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const openstack = folders.map((folder) => path.join(folder, 'openstack')).find(isExecutable);
  if (openstack === undefined) throw new Error('there is no openstack command: install python3-openstackclient');
  const interpreter = /^#!\s*(\S+)/.exec(readFileSync(openstack, 'utf8'))?.[1];
  if (interpreter === undefined) throw new Error(`${openstack} names no interpreter`);
  return interpreter;
}

/** The interpreter of what `npm run test:clients` has installed from PyPI. */
export function newestPython(): string {
  return path.resolve(__dirname, '../../../var/python/clients/bin/python');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
