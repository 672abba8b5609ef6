import { mkdtemp, readFile, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run';
import type { Source } from './source';

/** How Nova labels a config drive. */
const LABEL = 'config-2';

/** The config drive of this server: a block device, which is mounted for as long as it is read. */
export function configDriveDevice(): Source {
  const name = `a config drive (a block device with the label ${LABEL})`;
  return {
    name,
    async read(files) {
      const device = await findDevice();
      if (device === undefined) throw new Error(`${name} is not there`);
      const mountPoint = await mkdtemp(join(tmpdir(), 'config-drive-'));
      try {
        await run('mount', ['-o', 'ro', device, mountPoint]);
        try {
          return await readFiles(mountPoint, files);
        } finally {
          await run('umount', [mountPoint]);
        }
      } finally {
        await rmdir(mountPoint);
      }
    },
  };
}

/** A config drive that somebody else has mounted. */
export function configDriveDirectory(directory: string): Source {
  return { name: `the config drive at ${directory}`, read: (files) => readFiles(directory, files) };
}

async function findDevice(): Promise<string | undefined> {
  try {
    const found = await run('blkid', ['-c', '/dev/null', '-t', `LABEL=${LABEL}`, '-o', 'device']);
    return found.split('\n').find((line) => line !== '');
  } catch {
    // It ends with 2 when there is none.
    return undefined;
  }
}

async function readFiles(root: string, files: readonly string[]): Promise<(string | undefined)[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return await readFile(join(root, 'openstack/latest', file), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    }),
  );
}
