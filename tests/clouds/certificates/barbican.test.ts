import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKeyFile } from '../../../driver/clouds/certificates/barbican/keyFile';
import { type NewSecret, openBarbican } from '../../../driver/clouds/certificates/barbican/model';
import { seal, unseal } from '../../../driver/clouds/certificates/barbican/sealing';
import { createMemoryStore } from '../../../driver/clouds/network/store';
import type { Identity } from '../../../driver/domain/identity';

const KEY = Buffer.alloc(32, 1);
const MEMBER = anIdentity('member', 'p1', ['member']);
const OTHER_MEMBER = anIdentity('other', 'p1', ['member']);
const ADMIN = anIdentity('admin', 'p1', ['admin']);
const READER = anIdentity('reader', 'p1', ['reader']);
const STRANGER = anIdentity('stranger', 'p2', ['admin']);
const FRIEND = anIdentity('friend', 'p2', ['reader']);

function anIdentity(userId: string, projectId: string, roles: string[]): Identity {
  return { userId, projectId, domainId: null, systemScope: null, roles, isAdmin: false };
}

function aSecret(content = 'TOP SECRET', over: Partial<NewSecret> = {}): NewSecret {
  return {
    name: 'key',
    secretType: 'private',
    algorithm: null,
    bitLength: null,
    mode: null,
    expiration: null,
    payload: { content: Buffer.from(content), contentType: 'text/plain' },
    ...over,
  };
}

function textOf({ content }: { content: Buffer }): string {
  return content.toString();
}

it('keeps everything over a restart, and no payload in the clear', async () => {
  const store = createMemoryStore();
  const first = await openBarbican({ store, key: KEY });
  const { id } = await first.createSecret(MEMBER, aSecret());
  const container = await first.createContainer(MEMBER, {
    name: 'c',
    type: 'generic',
    secretRefs: [{ name: 'it', secretId: id }],
  });
  await first.setAcl(MEMBER, { kind: 'secret', id }, { users: ['friend', 'friend'], projectAccess: false });
  await first.addConsumer(MEMBER, container.id, { name: 'n', url: 'u' });

  const second = await openBarbican({ store, key: KEY });

  expect(textOf(second.readPayload(FRIEND, id))).toBe('TOP SECRET');
  expect(second.get(MEMBER, 'container', container.id)).toEqual(first.get(MEMBER, 'container', container.id));
  expect(second.get(MEMBER, 'container', container.id).consumers).toEqual([{ name: 'n', url: 'u' }]);
  const stored = JSON.stringify(await store.load());
  expect(stored).not.toContain('TOP SECRET');
  expect(stored).not.toContain(Buffer.from('TOP SECRET').toString('base64'));
});

it('cannot be read with another key', async () => {
  const store = createMemoryStore();
  const { id } = await (await openBarbican({ store, key: KEY })).createSecret(MEMBER, aSecret());

  const elsewhere = await openBarbican({ store, key: Buffer.alloc(32, 2) });

  expect(() => elsewhere.readPayload(MEMBER, id)).toThrow();
});

describe('rights', () => {
  it.each<[string, string, Identity]>([
    ['its creator', 'both', MEMBER],
    ['another member', 'the open one', OTHER_MEMBER],
    ['an admin of the project', 'both', ADMIN],
    ['a reader of the project', 'none', READER],
    ['an admin elsewhere', 'none', STRANGER],
    ['whom the access list names', 'the private one', FRIEND],
  ])('show %s, of an open and a private secret, %s', async (_who, shown, identity) => {
    const barbican = await openBarbican({ store: createMemoryStore(), key: KEY });
    const plain = await barbican.createSecret(MEMBER, aSecret());
    const narrow = await barbican.createSecret(MEMBER, aSecret());
    await barbican.setAcl(MEMBER, { kind: 'secret', id: narrow.id }, { users: ['friend'], projectAccess: false });
    const may = (id: string): boolean => {
      try {
        return textOf(barbican.readPayload(identity, id)) === 'TOP SECRET';
      } catch (err) {
        expect(err).toMatchObject({ status: 403 });
        return false;
      }
    };

    const expected = { both: [true, true], none: [false, false], 'the open one': [true, false] }[shown];
    expect([may(plain.id), may(narrow.id)]).toEqual(expected ?? [false, true]);
  });

  it("to delete and to share are the owner's, not a reader's", async () => {
    const barbican = await openBarbican({ store: createMemoryStore(), key: KEY });
    const { id } = await barbican.createSecret(MEMBER, aSecret());
    await barbican.setAcl(MEMBER, { kind: 'secret', id }, { users: ['friend'], projectAccess: true });

    for (const identity of [FRIEND, READER, STRANGER]) {
      await expect(barbican.remove(identity, 'secret', id)).rejects.toMatchObject({ status: 403 });
      await expect(barbican.setAcl(identity, { kind: 'secret', id }, null)).rejects.toMatchObject({ status: 403 });
    }
    await expect(barbican.createSecret(READER, aSecret())).rejects.toMatchObject({ status: 403 });
    await barbican.remove(OTHER_MEMBER, 'secret', id);
    expect(() => barbican.get(MEMBER, 'secret', id)).toThrow(expect.objectContaining({ status: 404 }));
  });
});

it('forgets a secret that has expired', async () => {
  const clock = { now: new Date('2026-01-01T00:00:00Z') };
  const barbican = await openBarbican({ store: createMemoryStore(), key: KEY, now: () => clock.now });
  const { id } = await barbican.createSecret(MEMBER, aSecret('x', { expiration: '2026-01-02T00:00:00.000Z' }));
  expect(barbican.list(MEMBER, 'secret')).toHaveLength(1);

  clock.now = new Date('2026-01-02T00:00:00Z');

  expect(barbican.list(MEMBER, 'secret')).toEqual([]);
  expect(() => barbican.readPayload(MEMBER, id)).toThrow(expect.objectContaining({ status: 404 }));
});

it('loses none of many changes at once', async () => {
  const barbican = await openBarbican({ store: createMemoryStore(), key: KEY });
  const { id } = await barbican.createContainer(MEMBER, { name: null, type: 'generic', secretRefs: [] });

  const urls = Array.from({ length: 20 }, (_, at) => `http://lb/${at}`);
  await Promise.all(urls.map((url) => barbican.addConsumer(MEMBER, id, { name: 'n', url })));

  expect(barbican.get(MEMBER, 'container', id).consumers.map(({ url }) => url)).toEqual(urls);
});

describe('a sealed text', () => {
  it('opens with its key and context, and differs each time', () => {
    const sealed = seal(KEY, Buffer.from('x'), 'id');

    expect(unseal(KEY, sealed, 'id').toString()).toBe('x');
    expect(seal(KEY, Buffer.from('x'), 'id')).not.toBe(sealed);
  });

  it('does not open with another context, or when a bit of it changed', () => {
    const sealed = seal(KEY, Buffer.from('x'), 'id');
    const changed = Buffer.from(sealed, 'base64');
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;

    expect(() => unseal(KEY, sealed, 'other')).toThrow();
    expect(() => unseal(KEY, changed.toString('base64'), 'id')).toThrow();
  });
});

describe('the key file', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keys-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is made once, for its owner alone, and the same for all who come at once', async () => {
    const path = join(directory, 'state', 'secrets.key');

    const keys = await Promise.all([openKeyFile(path), openKeyFile(path), openKeyFile(path)]);

    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await openKeyFile(path)).toEqual(keys[0]);
    expect(await readFile(path, 'utf8')).toBe(`${keys[0]?.toString('base64')}\n`);
  });

  it('is refused when others may read it, and when it is no key', async () => {
    const path = join(directory, 'secrets.key');
    await openKeyFile(path);
    await chmod(path, 0o640);
    await expect(openKeyFile(path)).rejects.toThrow('others may read this key');

    await chmod(path, 0o600);
    await writeFile(path, 'garbage');
    await expect(openKeyFile(path)).rejects.toThrow('expected 32 bytes in base64');
  });
});
