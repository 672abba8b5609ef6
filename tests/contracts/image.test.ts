import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGlanceDriver } from '../../driver/clouds/image/http';
import { createMemoryImages } from '../../driver/clouds/image/memory';
import type { ImageDriver, ImageUpload } from '../../driver/clouds/image/port';
import { PROJECT, startGlance } from '../support/simulators/glance';
import { aService } from '../support/simulators/openstackService';

/** A driver whose service takes images of at most 1,000,000 bytes, for the project PROJECT. */
interface Twin {
  readonly name: string;
  readonly open: () => Promise<Opened>;
}
interface Opened {
  readonly driver: ImageDriver;
  /** Adds an image of another project, or one in another state; newer than those before. */
  add(image: { tag: string; status: 'active' | 'queued'; ownerId: string }): string;
  count(): Promise<number> | number;
}

const MAX_SIZE = 1_000_000;
const closers: (() => Promise<void>)[] = [];

const MEMORY: Twin = {
  name: 'memory',
  open: async () => {
    let time = 0;
    let made = 0;
    const now = () => {
      time += 1000;
      return new Date(time);
    };
    const driver = createMemoryImages({
      projectId: PROJECT,
      newId: () => {
        made += 1;
        return randomUUID();
      },
      now,
      maxSize: MAX_SIZE,
    });
    const add: Opened['add'] = ({ tag, ...image }) => {
      const id = randomUUID();
      const made = { id, name: 'engine', tags: [tag], createdAt: now() };
      driver.add({ ...image, ...made, size: 1, visibility: 'private', sha512: null });
      return id;
    };
    return { driver, add, count: () => made };
  },
};
const HTTP: Twin = {
  name: 'http',
  open: async () => {
    const glance = await startGlance();
    glance.maxSize = MAX_SIZE;
    const service = aService('Glance', glance.url);
    closers.push(async () => {
      await service.close();
      await glance.close();
    });
    return {
      driver: createGlanceDriver(service),
      add: ({ tag, status, ownerId }) => glance.add({ tags: [tag], status, owner: ownerId }).id,
      count: () => glance.images.size,
    };
  },
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'image-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

function anUpload(size: number, change: Partial<ImageUpload> = {}): ImageUpload {
  const file = join(directory, 'engine.qcow2');
  writeFileSync(file, Buffer.alloc(size, 'x'));
  return { name: 'engine', file, diskFormat: 'qcow2', tags: ['engine'], ...change };
}

describe.each([MEMORY, HTTP])('an image driver ($name)', ({ open }) => {
  let opened: Opened;
  let driver: ImageDriver;
  beforeEach(async () => {
    opened = await open();
    driver = opened.driver;
  });

  it('uploads a file and finds it by its tag and owner', async () => {
    const image = await driver.uploadImage(anUpload(300_000, { properties: { hw_vif_model: 'virtio' } }));

    expect(image).toMatchObject({
      name: 'engine',
      status: 'active',
      tags: ['engine'],
      size: 300_000,
      ownerId: PROJECT,
    });
    expect(await driver.findImage({ tag: 'engine', ownerId: PROJECT })).toEqual(image);
    expect(await driver.findImage({ tag: 'engine' })).toEqual(image);
  });

  it('finds the newest of several', async () => {
    await driver.uploadImage(anUpload(1));
    const newest = await driver.uploadImage(anUpload(2));

    expect(await driver.findImage({ tag: 'engine' })).toEqual(newest);
  });

  it('lists what bears a tag, the newest first, of any status', async () => {
    const first = await driver.uploadImage(anUpload(1));
    const empty = opened.add({ tag: 'engine', status: 'queued', ownerId: PROJECT });
    const last = await driver.uploadImage(anUpload(2, { visibility: 'shared' }));
    await driver.uploadImage(anUpload(3, { tags: ['other'] }));

    const listed = await driver.listImages({ tag: 'engine', ownerId: PROJECT });

    expect(listed.map(({ id }) => id)).toEqual([last.id, empty, first.id]);
    expect(last).toMatchObject({
      visibility: 'shared',
      sha512: createHash('sha512').update('xx').digest('hex'),
    });
    expect(await driver.listImages({ tag: 'engine', ownerId: 'project-other' })).toEqual([]);
  });

  it('finds none with another tag, of another owner, or without content', async () => {
    opened.add({ tag: 'theirs', status: 'active', ownerId: 'project-other' });
    opened.add({ tag: 'empty', status: 'queued', ownerId: PROJECT });

    expect(await driver.findImage({ tag: 'engine' })).toBeUndefined();
    expect(await driver.findImage({ tag: 'theirs', ownerId: PROJECT })).toBeUndefined();
    expect(await driver.findImage({ tag: 'empty' })).toBeUndefined();
  });

  it('leaves nothing of an image that is too large', async () => {
    await expect(driver.uploadImage(anUpload(MAX_SIZE + 1))).rejects.toMatchObject({ status: 413 });

    expect(await opened.count()).toBe(0);
  });

  it('makes nothing of a file that is not there', async () => {
    const upload = { ...anUpload(1), file: join(directory, 'missing') };

    await expect(driver.uploadImage(upload)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await opened.count()).toBe(0);
  });

  it('deletes an image, and takes a second deletion as done', async () => {
    const { id } = await driver.uploadImage(anUpload(1));

    await driver.deleteImage(id);
    await driver.deleteImage(id);

    expect(await driver.findImage({ tag: 'engine' })).toBeUndefined();
  });
});
