import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_LENGTH } from './sealing';

/**
 * The key that seals the secrets of an embedded site, made at the first start and readable by its owner alone. Without it
 * the secrets are lost.
 * @throws Error when the file is no such key, or others could read it
 */
export async function openKeyFile(path: string): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true });
  await createOnce(path);
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path}: others may read this key; end that (chmod 600) and consider replacing what it protects`);
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
  if (key.length !== KEY_LENGTH) throw new Error(`${path}: expected ${KEY_LENGTH} bytes in base64`);
  return key;
}

/** A key file is there as a whole or not at all, even after a crash, and the first of two processes wins. */
async function createOnce(path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await chmod(draft, 0o600);
    await file.writeFile(`${randomBytes(KEY_LENGTH).toString('base64')}\n`);
    await file.sync();
    await link(draft, path).catch(ignoreExisting);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function ignoreExisting(err: NodeJS.ErrnoException): void {
  if (err.code !== 'EEXIST') throw err;
}
